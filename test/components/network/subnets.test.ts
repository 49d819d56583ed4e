import * as fc from "fast-check";
import { addressNumber, addressProblem, contains } from "../../../components/network/ipv4";
import {
  nodeAddress,
  nodeCountProblem,
  vpcBlockInput,
  zoneSubnets,
  type ZoneSubnets,
} from "../../../components/network/subnets";

const zoneLetters = ["a", "b", "c", "d", "e", "f", "g", "h"];
const zonesOf = (letters: string[]) => letters.map((letter) => `eu-west-1${letter}`);
const vpcBlock = fc
  .record({ prefix: fc.integer({ min: 16, max: 23 }), n: fc.nat(2 ** 16 - 1) })
  .map(({ prefix, n }) => {
    const step = 2 ** (32 - prefix);
    const start = 10 * 2 ** 24 + Math.floor((n * 256) / step) * step;
    return `${start >>> 24}.${(start >>> 16) & 255}.${(start >>> 8) & 255}.${start & 255}/${prefix}`;
  });

describe("zoneSubnets", () => {
  test("makes the guide's private network the private subnet of zone a", () => {
    const [a, b] = zoneSubnets("192.168.0.0/16", zonesOf(["a", "b"]));
    expect(a?.privateBlock.text).toBe("192.168.0.0/24");
    expect(a?.publicBlock.text).toBe("192.168.128.0/24");
    expect(b?.privateBlock.text).toBe("192.168.1.0/24");
    expect(b?.publicBlock.text).toBe("192.168.129.0/24");
  });

  test("keeps every block inside the VPC and apart from every other", () => {
    fc.assert(
      fc.property(vpcBlock, fc.shuffledSubarray(zoneLetters, { minLength: 1 }), (cidr, letters) => {
        expect(vpcBlockInput.check("cidrBlock", cidr, {})).toEqual([]);
        const blocks = zoneSubnets(cidr, zonesOf(letters))
          .flatMap((zone) => [zone.privateBlock, zone.publicBlock])
          .sort((one, other) => Number(one.first - other.first));
        for (const [i, block] of blocks.entries()) {
          const [network, prefix] = cidr.split("/");
          const start = addressNumber(network ?? "");
          expect(block.first >= start && block.last < start + (1n << BigInt(32 - Number(prefix)))).toBe(true);
          expect(i === 0 || block.first > (blocks[i - 1]?.last ?? 0n)).toBe(true);
          expect(block.prefix).toBeLessThanOrEqual(27);
        }
      }),
    );
  });

  test("never moves a zone's blocks when zones come, go or change places", () => {
    const byZone = (zones: ZoneSubnets[]) => new Map(zones.map((zone) => [zone.availabilityZone, zone]));
    fc.assert(
      fc.property(
        vpcBlock,
        fc.shuffledSubarray(zoneLetters, { minLength: 1 }),
        fc.shuffledSubarray(zoneLetters, { minLength: 1 }),
        (cidr, some, others) => {
          const before = byZone(zoneSubnets(cidr, zonesOf(some)));
          const after = byZone(zoneSubnets(cidr, zonesOf(others)));
          for (const [name, zone] of before) {
            expect(after.get(name) ?? zone).toEqual(zone);
          }
        },
      ),
    );
  });
});

describe("vpcBlockInput", () => {
  test.each([
    ["192.168.0.0/15", `cidrBlock: "192.168.0.0/15" is a /15; a VPC's block is between /16 and /28`],
    ["192.168.0.0/29", `cidrBlock: "192.168.0.0/29" is a /29; a VPC's block is between /16 and /28`],
    [
      "192.168.0.0/24",
      `cidrBlock: "192.168.0.0/24" is too small: it is divided into 16 subnets, and a Classic ELB needs subnets of ` +
        `/27 or larger; use a /23 or larger block`,
    ],
    [
      "192.168.0.1/16",
      `cidrBlock: "192.168.0.1/16" has host bits set or is not in canonical form: write 192.168.0.0/16`,
    ],
  ])("refuses %s", (cidr, message) => {
    // 192.168.0.0/15 has no host bits: 168 is even.
    expect(vpcBlockInput.check("cidrBlock", cidr, {})).toEqual([message]);
  });
});

describe("node addresses", () => {
  const [zone] = zoneSubnets("192.168.0.0/16", ["eu-west-1a"]);
  const subnet = zone!.privateBlock;

  test("begin at .10", () => {
    expect([0, 1, 99].map((n) => nodeAddress(subnet, n))).toEqual([
      "192.168.0.10",
      "192.168.0.11",
      "192.168.0.109",
    ]);
  });

  test("are free for use exactly as far as nodeCountProblem says", () => {
    fc.assert(
      fc.property(vpcBlock, fc.integer({ min: 1, max: 300 }), (cidr, count) => {
        const block = zoneSubnets(cidr, ["eu-west-1a"])[0]!.privateBlock;
        const last = nodeAddress(block, count - 1);
        const fits = contains(block, addressNumber(last)) && addressProblem(block, last) === undefined;
        expect(nodeCountProblem(block, count) === undefined).toBe(fits);
      }),
    );
  });

  test("say how many fit", () => {
    const small = zoneSubnets("10.0.0.0/23", ["eu-west-1a"])[0]!.privateBlock;
    expect(nodeCountProblem(small, 21)).toBeUndefined();
    expect(nodeCountProblem(small, 22)).toBe(
      "nodeCount: 22 nodes do not fit into subnet 10.0.0.0/27, which has addresses for 21; " +
        "use fewer nodes or a larger VPC (vpc.cidrBlock)",
    );
  });
});
