/** The arithmetic of `size`: known cases, and what has to hold for every question. */
import * as fc from "fast-check";
import { deploymentProblems, type EmqxDeploymentArgs } from "../../../components";
import { instanceHour, prices } from "../../cost/prices";
import { idleTimeoutSeconds } from "../../../components/shared/keepAlive";
import type { SizeInput } from "../../size/input";
import { defaultInput, inputProblems } from "../../size/input";
import { longestKeepAlive } from "../../size/limits";
import { machines } from "../../size/machines";
import { assumptions, mostConnections, published } from "../../size/numbers";
import type { Proposal } from "../../size/size";
import { formatSizing } from "../../size/format";
import { isKept, needsOf, proposalOf, size } from "../../size/size";
import { billOf, extrapolations, settingsOf, usedOf, verdictOf } from "../../size/verdict";

const asked = (input: Partial<SizeInput>): SizeInput => ({
  ...defaultInput,
  connections: 1000,
  rate: 0,
  ...input,
});

function proposed(input: SizeInput): Proposal {
  const { proposal, problems } = size(input);
  expect(problems).toEqual([]);
  return proposal!;
}

describe("proposals", () => {
  test.each<[string, Partial<SizeInput>, string]>([
    ["a hundred clients", { connections: 100, rate: 10 }, "3 × c7g.large"],
    ["a hundred thousand, quiet", { connections: 100_000, rate: 500 }, "3 × m7g.large"],
    ["the guide's million", { connections: 1_000_000, rate: 20_000 }, "3 × m7g.2xlarge"],
    ["a million on five nodes", { connections: 1_000_000, rate: 20_000, nodes: 5 }, "5 × m7g.xlarge"],
    ["few clients, many messages", { connections: 1000, rate: 100_000 }, "3 × c7g.8xlarge"],
    ["the same at QoS 0", { connections: 1000, rate: 100_000, qos: 0 }, "3 × c7g.4xlarge"],
    ["the same at QoS 2", { connections: 1000, rate: 100_000, qos: 2 }, "3 × c7g.12xlarge"],
    ["to many subscribers", { connections: 10_000, rate: 10, fanOut: 5000 }, "3 × c7g.2xlarge"],
    ["much retained", { connections: 1000, retained: 50_000_000, payloadBytes: 200 }, "3 × r7g.2xlarge"],
    ["more than three nodes' listeners take", { connections: 3_000_000 }, "5 × r7g.2xlarge"],
    ["a type that is asked for", { connections: 50_000, instanceType: "m5.large" }, "3 × m5.large"],
    ["a small type that is asked for", { connections: 250_000, instanceType: "m7g.large" }, "5 × m7g.large"],
    ["bandwidth", { connections: 100, rate: 5000, payloadBytes: 900_000, qos: 0 }, "5 × c7g.16xlarge"],
  ])("%s", (_what, input, expected) => {
    const { machine, nodes } = proposed(asked(input));
    expect(`${nodes} × ${machine.type}`).toBe(expected);
  });

  test("the arithmetic of the guide's million, by hand", () => {
    const needs = needsOf(asked({ connections: 1_000_000, rate: 20_000 }), 3);
    expect(needs).toMatchObject({ survivors: 2, connections: 500_000, messages: 40_000, sockets: 510_000 });
    expect(needs.connectionsGiB).toBeCloseTo((500_000 * 40) / 1024 / 1024);
    expect(needs.messageVcpus).toBeCloseTo(40_000 / 2 / (40_000 / 4 / 2));
    expect(needs.pings).toBeCloseTo(3333.3, 1);
    // 20,000 messages of 256 + 40 bytes in a packet of 66, 20,000 PUBACKs of 4 + 66, 3,333 pings of 2 + 66.
    expect(needs.traffic.toNodes).toBeCloseTo(20_000 * 362 + 20_000 * 70 + 3333.333 * 68, 0);
    // With TLS, 29 bytes more for each.
    expect(needs.traffic.fromClients - needs.traffic.toNodes).toBeCloseTo(43_333.333 * 29, 0);
    // Every second message has its subscriber on the other of two nodes.
    expect(needs.traffic.betweenNodes).toBeCloseTo(20_000 * 362 * 0.5, 0);
  });

  test.each([
    ["none", 0, 0],
    ["a PUBACK for each that is published", 1, 10_000],
    [
      "PUBREC and PUBCOMP for each that is published, PUBREL for each that is delivered",
      2,
      2 * 10_000 + 20_000,
    ],
  ])("answers to clients: %s", (_what, qos, answers) => {
    const rest = { connections: 1, rate: 10_000, fanOut: 2, payloadBytes: 60, assume: { topicBytes: 40 } };
    const { traffic } = needsOf(asked({ ...rest, qos }), 3);
    expect(traffic.fromNodes).toBeCloseTo(20_000 * (60 + 40 + 66) + answers * (4 + 66), -1);
  });

  test("the data volume holds what is kept four times, a fifth of it free", () => {
    const { dataVolumeSizeGiB, needs } = proposed(asked({ retained: 10_000_000, payloadBytes: 512 }));
    expect(needs.dataGiB).toBeCloseTo((10_000_000 * 1024 + 512) / 2 ** 30);
    expect(dataVolumeSizeGiB).toBe(50);
    expect(proposed(asked({})).dataVolumeSizeGiB).toBe(20);
  });

  test("what is too much is refused, with what lacks", () => {
    expect(size(asked({ connections: 1_000_000, nodes: 3, instanceType: "m7g.large" })).problems).toEqual([
      expect.stringMatching(
        /^3 × m7g.large cannot carry it while one is down \(memory 20\.1 of 5\.6 GiB\): give more --nodes/,
      ),
    ]);
    expect(size(asked({ rate: 50_000_000 })).problems).toEqual([
      expect.stringMatching(/^19 × r7g.16xlarge cannot .*: divide the clients among several clusters$/),
    ]);
    expect(size(asked({ retained: 1_000_000_000, payloadBytes: 5000 })).problems).toEqual([
      expect.stringMatching(/^--retained, --users: they need a data volume of .* the largest is 16,384 GiB$/),
    ]);
  });
});

describe("input", () => {
  test.each<[Partial<SizeInput>, string]>([
    [{ connections: 0 }, "--connections: 0 is not a whole number from 1 to 10,000,000"],
    [{ connections: 10_000_001 }, "--connections: 10000001 is not a whole number from 1 to 10,000,000"],
    [{ connections: 1.5 }, "--connections: 1.5 is not a whole number from 1 to 10,000,000"],
    [{ rate: -1 }, "--rate: -1 is not a number from 0 to 100,000,000"],
    [{ payloadBytes: 2_000_000 }, "--payload: 2000000 is not a whole number from 0 to 1,000,000"],
    [{ qos: 3 }, "--qos: 3 is not a whole number from 0 to 2"],
    [{ keepAliveSeconds: 2381 }, "--keep-alive: 2381 is not a whole number from 1 to 2,380"],
    [{ fanOut: 1001 }, "--fan-out: 1001 is not a number from 0 to 1,000"],
    [{ retained: -1 }, "--retained: -1 is not a whole number from 0 to 1,000,000,000"],
    [{ users: 0.5 }, "--users: 0.5 is not a whole number from 0 to 1,000,000,000"],
    [{ nodes: 4 }, "--nodes: 4 is not an odd number from 3 to 99; "],
    [{ nodes: 1 }, "--nodes: 1 is not an odd number from 3 to 99; "],
    [
      { instanceType: "x9.large" },
      "--instance-type: nothing is known of x9.large; known are m7g.large to 16xlarge, ",
    ],
    [{ assume: { memoryPercent: 99 } }, "--assume memoryPercent: 99 is not a number from 10 to 95"],
    [
      { assume: { memory: 1 } as never },
      "--assume: there is no memory; the assumptions are memoryPerConnectionKiB, ",
    ],
  ])("%j is refused", (change, problem) => {
    expect(inputProblems(asked(change))).toEqual([expect.stringContaining(problem)]);
  });

  test("everything wrong is said at once", () => {
    expect(inputProblems(asked({ connections: 0, qos: 7, nodes: 2 }))).toHaveLength(3);
    expect(inputProblems(asked({}))).toEqual([]);
  });

  test("the longest keep-alive is the one of the components", () => {
    expect(idleTimeoutSeconds(longestKeepAlive)).toBeLessThanOrEqual(3600);
    expect(idleTimeoutSeconds(longestKeepAlive + 1)).toBeGreaterThan(3600);
  });
});

const questions = fc.record({
  connections: fc.integer({ min: 1, max: mostConnections }),
  rate: fc.integer({ min: 0, max: 200_000 }),
  payloadBytes: fc.integer({ min: 0, max: 20_000 }),
  qos: fc.integer({ min: 0, max: 2 }),
  keepAliveSeconds: fc.integer({ min: 10, max: longestKeepAlive }),
  tls: fc.boolean(),
  fanOut: fc.constantFrom(0, 0.5, 1, 3),
  retained: fc.integer({ min: 0, max: 10_000_000 }),
  users: fc.integer({ min: 0, max: 10_000_000 }),
});
const anyInput = questions
  .map((question): SizeInput => asked({ ...question, assume: {} }))
  .filter((input) => inputProblems(input).length === 0);

describe("for every question", () => {
  const hour = ({ machine }: Proposal) => instanceHour(prices["eu-west-1"]!, machine.type)!;

  test("the proposal is a deployment that the components accept", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { proposal } = size(input);
        if (!proposal) return;
        const args = {
          ...settingsOf(input, proposal),
          availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
          certificate: {
            arn: input.tls
              ? "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01"
              : undefined,
          },
        } as EmqxDeploymentArgs;
        expect(deploymentProblems("emqx", args)).toEqual([]);
        expect(args.nodeCount! % 2).toBe(1);
        expect(args.nodeCount).toBeGreaterThanOrEqual(3);
      }),
      { numRuns: 60 },
    );
  });

  test("the nodes that are left carry it when one is lost", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { proposal } = size(input);
        if (!proposal) return;
        const { nodes, machine, needs, limits } = proposal;
        expect(limits.every(isKept)).toBe(true);
        expect(needs.connections * (nodes - 1)).toBeGreaterThanOrEqual(input.connections);
        expect(needs.memoryGiB).toBeLessThan(machine.memoryGiB);
        expect(needs.connections).toBeLessThanOrEqual(published.maxConnections.value);
      }),
    );
  });

  test("more connections, messages, payload or data never take fewer nodes, nor cheaper ones of as many", () => {
    const growing = fc.constantFrom("connections", "rate", "payloadBytes", "retained", "users" as const);
    fc.assert(
      fc.property(anyInput, growing, fc.double({ min: 1, max: 3, noNaN: true }), (input, what, factor) => {
        const larger = { ...input, [what]: Math.ceil(input[what as "rate"] * factor) };
        if (inputProblems(larger).length > 0) return;
        const [before, after] = [size(input).proposal, size(larger).proposal];
        if (!before) expect(after).toBeUndefined();
        if (!before || !after) return;
        expect(after.nodes).toBeGreaterThanOrEqual(before.nodes);
        if (after.nodes === before.nodes) expect(hour(after)).toBeGreaterThanOrEqual(hour(before));
        expect(after.dataVolumeSizeGiB).toBeGreaterThanOrEqual(before.dataVolumeSizeGiB);
      }),
    );
  });

  test("what two nodes less carry, more nodes of the type carry too", () => {
    fc.assert(
      fc.property(
        anyInput,
        fc.constantFrom(...machines),
        fc.integer({ min: 1, max: 20 }),
        (input, machine, half) => {
          const nodes = 2 * half + 1;
          if (!proposalOf(input, machine, nodes).limits.every(isKept)) return;
          expect(proposalOf(input, machine, nodes + 2).limits.filter((limit) => !isKept(limit))).toEqual([]);
        },
      ),
    );
  });

  test("a longer keep-alive and TLS cost the nodes nothing", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const needs = needsOf(input, 3);
        expect(needsOf({ ...input, tls: !input.tls }, 3).gbps).toBe(needs.gbps);
        const longer = needsOf({ ...input, keepAliveSeconds: longestKeepAlive }, 3);
        expect(longer.vCpus).toBeLessThanOrEqual(needs.vCpus);
      }),
    );
  });
});

describe("assumptions", () => {
  test.each(Object.entries(assumptions))(
    "%s has a value that --assume would take, and changes something",
    (name, assumption) => {
      const { value, minimum, maximum } = assumption;
      expect(value).toBeGreaterThanOrEqual(minimum);
      expect(value).toBeLessThanOrEqual(maximum);
      const input = asked({ connections: 100_000, rate: 1000, retained: 10_000_000 });
      const changed = { ...input, assume: { [name]: value === minimum ? maximum : minimum } };
      const sum = (asking: SizeInput) => {
        const proposal = proposalOf(asking, machines[0]!, 3);
        return JSON.stringify([proposal, usedOf(asking, proposal)]);
      };
      // Handshakes are told, and nothing depends on them.
      if (name !== "tlsHandshakeBytes") expect(sum(changed)).not.toBe(sum(input));
    },
  );
});

describe("the verdict", () => {
  const million = asked({ connections: 1_000_000, rate: 20_000 });

  test("source ports break first, until there are addresses for all", () => {
    const used = usedOf(million, proposed(million));
    expect(used[0]).toMatchObject({ what: "load balancer's source ports", isKept: false });
    expect(used.filter(({ isKept: kept }) => !kept)).toHaveLength(1);
    const enough = { ...million, assume: { loadBalancerAddresses: 10 } };
    expect(usedOf(enough, proposed(enough)).every(({ isKept: kept }) => kept)).toBe(true);
  });

  test.each<[string, Partial<SizeInput>, string[]]>([
    ["a few clients", { connections: 1000 }, []],
    [
      "more on a node than on any machine of the kind",
      { connections: 1_000_000, instanceType: "m7g.2xlarge" },
      ["500,000 connections on a node of"],
    ],
    [
      "a smaller machine than any",
      { connections: 10, instanceType: "t4g.small" },
      ["5 connections on a node of 2 vCPU and 2 GiB: no test"],
    ],
    ["more core nodes", { connections: 1000, nodes: 5 }, ["5 core nodes"]],
    [
      "a higher rate",
      { connections: 1000, rate: 100_000, instanceType: "m7g.8xlarge" },
      ["100,000 messages a second on a node", "Message rates of a cluster"],
    ],
    ["a larger payload", { connections: 1000, payloadBytes: 10_000 }, ["Payloads of 10,000 bytes"]],
  ])("says what is beyond the published: %s", (_what, input, expected) => {
    const question = asked({ instanceType: "m7g.4xlarge", ...input });
    const said = extrapolations(question, proposed(question));
    const always = "MQTT through a Classic ELB";
    expect(said.map((text) => [...expected, always].find((part) => text.startsWith(part)))).toEqual([
      ...expected,
      always,
    ]);
  });

  test("the sentence and the table say the same", () => {
    fc.assert(
      fc.property(
        fc.record({
          connections: fc.integer({ min: 1, max: 2_000_000 }),
          rate: fc.integer({ min: 0, max: 50_000 }),
          assume: fc.record({ loadBalancerAddresses: fc.integer({ min: 1, max: 100 }) }),
        }),
        (input) => {
          const { proposal } = size(asked(input));
          if (!proposal) return;
          const text = formatSizing(asked(input), proposal);
          const verdict = verdictOf(usedOf(asked(input), proposal));
          expect(text.includes("BREAKS FIRST")).toBe(!verdict.carries);
          expect(/\bIt carries it\b/.test(text)).toBe(verdict.carries);
        },
      ),
    );
  });

  test("the bill is the prices' arithmetic", () => {
    const proposal = proposed(million);
    const bill = billOf(million, proposal);
    expect(bill.instances).toBeCloseTo(3 * 4 * 0.091 * 730);
    const { fromClients, toClients } = proposal.needs.traffic;
    expect(bill.loadBalancer).toBeCloseTo(((fromClients + toClients) * 730 * 3600 * 0.008) / 1e9);
    expect(billOf({ ...million, region: "ap-south-1" }, proposal)).toMatchObject({
      region: "us-east-1",
      areOwnPrices: false,
    });
  });
});

test("prices and machines agree about what is sold", () => {
  for (const { type } of machines) {
    for (const list of Object.values(prices))
      expect([type, instanceHour(list, type)]).toEqual([type, expect.any(Number)]);
  }
});
