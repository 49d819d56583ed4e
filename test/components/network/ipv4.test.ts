import * as fc from "fast-check";
import {
  addressProblem,
  blockFrom,
  isAddress,
  parseBlock,
  publicAddresses,
} from "../../../components/network/ipv4";

const block = (text: string) => {
  const parsed = parseBlock(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
};

describe("parseBlock", () => {
  test.each([
    ["192.168.0.0/16", 16],
    ["0.0.0.0/0", 0],
    ["10.1.2.3/32", 32],
  ])("reads %s", (text, prefix) => {
    expect(parseBlock(text)).toMatchObject({ text, prefix });
  });

  test.each([
    ["192.168.0.1/16", "has host bits set or is not in canonical form: write 192.168.0.0/16"],
    ["010.0.0.0/8", "is not an IPv4 block"],
    ["192.168.0.0", "is not an IPv4 block"],
    ["192.168.0.0/33", "is not an IPv4 block"],
    ["192.168.0.256/24", "is not an IPv4 block"],
    ["::/0", "is not an IPv4 block"],
    ["", "is not an IPv4 block"],
    [" 10.0.0.0/8", "is not an IPv4 block"],
  ])("refuses %j", (text, reason) => {
    expect(parseBlock(text)).toEqual(expect.stringContaining(reason));
  });

  test("reads back every block it writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 32 }), fc.nat(2 ** 32 - 1), (prefix, n) => {
        const size = 1n << BigInt(32 - prefix);
        const written = blockFrom((BigInt(n) / size) * size, prefix);
        expect(parseBlock(written.text)).toEqual(written);
      }),
    );
  });
});

describe("isAddress", () => {
  test.each(["192.168.0.10", "0.0.0.0", "255.255.255.255"])("takes %s", (text) => {
    expect(isAddress(text)).toBe(true);
  });
  test.each(["192.168.0", "192.168.0.10/24", "192.168.0.256", "192.168.000.1", "fe80::1", "emqx1", ""])(
    "refuses %j",
    (text) => {
      expect(isAddress(text)).toBe(false);
    },
  );
});

describe("addressProblem", () => {
  const subnet = block("192.168.0.0/24");
  test.each(["192.168.0.0", "192.168.0.1", "192.168.0.2", "192.168.0.3", "192.168.0.255"])(
    "calls %s reserved by AWS",
    (address) => {
      expect(addressProblem(subnet, address)).toBe(
        "is reserved by AWS: the first four addresses and the last one of subnet 192.168.0.0/24 are not available; " +
          "use 192.168.0.4 to 192.168.0.254",
      );
    },
  );
  test.each(["192.168.0.4", "192.168.0.10", "192.168.0.254"])("finds nothing wrong with %s", (address) => {
    expect(addressProblem(subnet, address)).toBeUndefined();
  });
  test("names the subnet an address is not in", () => {
    expect(addressProblem(subnet, "192.168.1.10")).toBe("is outside its subnet 192.168.0.0/24");
  });
});

describe("publicAddresses", () => {
  test.each([
    [["0.0.0.0/1", "128.0.0.0/1"], 3702259712n],
    [["1.0.0.0/24", "1.0.0.128/25", "9.255.255.0/24", "10.0.0.0/24"], 512n],
    // One of each special block
    [["0.0.0.0/24", "10.1.0.0/16", "100.127.0.0/16", "127.0.0.1/32", "169.254.169.254/32"], 0n],
    [["172.31.0.0/16", "192.168.0.0/16", "198.19.0.0/16", "224.0.0.0/4", "255.255.255.255/32"], 0n],
  ])("of %j are %i", (blocks, count) => {
    expect(publicAddresses(blocks)).toBe(count);
  });
});
