import * as fc from "fast-check";
import { poll, Waits, type PollArgs } from "../../../components/nodes/readiness";
import { bootFailure, hasAll, isSame, obstacle } from "../../../components/nodes/reports";

const versions = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom("dashboard-password", "mqtt-password", "license-key", "key"),
    version: fc.nat(1e6),
  }),
  { selector: ({ name }) => name },
);
type Versions = { name: string; version: number }[];
const report = (secrets: Versions) => secrets.map(({ name, version }) => `${name}=${version}`).join(" ");

describe("a node's report of its secrets", () => {
  test("fits when it has every secret in the version that the stack knows or a later one, in any order", () => {
    fc.assert(
      fc.property(versions, versions, fc.nat(1000), (expected, others, later) => {
        const known = new Set(expected.map(({ name }) => name));
        const reported = [
          ...expected.map(({ name, version }) => ({ name, version: version + later })),
          ...others.filter(({ name }) => !known.has(name)),
        ].reverse();
        expect(hasAll(report(reported), report(expected))).toBe(true);
      }),
    );
  });

  test("does not fit when one secret is missing or older", () => {
    fc.assert(
      fc.property(
        versions,
        fc.nat(),
        fc.option(fc.integer({ min: 1, max: 1000 })),
        (reported, pick, newer) => {
          fc.pre(reported.length > 0);
          const at = pick % reported.length;
          const expected = reported.map((secret, i) =>
            i === at ? { ...secret, version: secret.version + (newer ?? 0) } : secret,
          );
          const seen = newer === null ? reported.filter((_, i) => i !== at) : reported;
          expect(hasAll(report(seen), report(expected))).toBe(false);
        },
      ),
    );
  });

  test("nothing yet, or a version that only begins alike", () => {
    expect(hasAll("never", "mqtt-password=1")).toBe(false);
    expect(hasAll("mqtt-password=1x", "mqtt-password=1")).toBe(false);
    expect(hasAll("never", "")).toBe(true);
  });
});

test("readiness is one instance and no other", () => {
  expect(isSame("i-1", "i-1")).toBe(true);
  expect(isSame("i-1 i-2", "i-1")).toBe(false);
});

test("a failed boot is one instance's and no other's", () => {
  expect(bootFailure("failed i-1: joining the cluster: port 4370 is silent", "i-1")).toBe(
    "joining the cluster: port 4370 is silent",
  );
  expect(bootFailure("failed i-12: x", "i-1")).toBeUndefined();
  expect(bootFailure("i-1", "i-1")).toBeUndefined();
});

describe("a wait", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const args = (more: Partial<PollArgs> = {}): PollArgs => ({
    ...{ nodeName: "node 1", parameterName: "/emqx/p/s/n/nodes/1/ready", timeoutSeconds: 900 },
    ...{ instance: undefined as unknown as PollArgs["instance"], waits: new Waits(), goal: "to be ready" },
    ...{ fits: isSame, instanceId: "i-1", urn: "urn:x", expected: "i-1" },
    failure: {
      happened: "did not become ready",
      consequence: "So it is.",
      remedy: (_, urn) => `Replace ${urn}.`,
    },
    ...more,
  });

  /** Runs it on the fake clock: after how many seconds it ended, and how. */
  async function run(read: (seconds: number) => string, more: Partial<PollArgs> = {}) {
    const start = Date.now();
    const seconds = () => (Date.now() - start) / 1000;
    let version = 1;
    let last: string | undefined;
    const report = async () => {
      const text = read(seconds());
      if (last !== undefined && last !== text) version++;
      last = text;
      return { text, version };
    };
    const ended = poll(report, args(more)).then(
      () => "well",
      (error: Error) => error.message,
    );
    let outcome: string | undefined;
    void ended.then((text) => (outcome = text));
    while (outcome === undefined && seconds() < 10_000) await jest.advanceTimersByTimeAsync(250);
    return { outcome, seconds: seconds() };
  }

  const raise = (message: string) => {
    throw new Error(message);
  };

  test("ends when the report comes", async () => {
    const { outcome, seconds } = await run((now) => (now < 60 ? "never" : "i-1"));
    expect(outcome).toBe("well");
    expect(seconds).toBeLessThan(66);
  });

  test("ends at its time-out, with what the node says and what to do", async () => {
    const { outcome, seconds } = await run(() => "i-0");
    expect(seconds).toBeCloseTo(900, -1);
    expect(outcome).toMatch(
      /^node 1 \(i-1\) did not become ready within 900 s: its parameter .* says "i-0"\. So it is\./,
    );
    expect(outcome).toContain("Replace urn:x.");
  });

  test("ends at once when this instance's boot has failed, and not when another's has", async () => {
    const failing = await run((now) =>
      now < 20 ? "failed i-0: waiting for the disk: gone" : "failed i-1: no disk",
    );
    expect(failing.outcome).toContain("did not become ready: its boot has failed: no disk.");
    expect(failing.seconds).toBeLessThan(27);
  });

  test("gives a boot that had failed before it the time of its next try, and no more", async () => {
    const failure = "failed i-1: no disk";
    const mended = await run((now) => (now < 110 ? failure : now < 200 ? "booting i-1" : "i-1"));
    expect(mended.outcome).toBe("well");
    const again = await run((now) => (now < 110 ? failure : now < 150 ? "booting i-1" : failure));
    expect(again.outcome).toContain("its boot has failed: no disk.");
    expect(again.seconds).toBeLessThan(157);
    // A try that ended between two looks.
    const other = await run((now) => (now < 110 ? failure : "failed i-1: no way out"));
    expect(other.outcome).toContain("its boot has failed: no way out.");
    expect(other.seconds).toBeLessThan(117);
    const never = await run(() => failure);
    expect(never.outcome).toContain("its boot has failed: no disk.");
    expect(never.seconds).toBeLessThan(160);
  });

  test("ends soon after another node has failed, and says so", async () => {
    const waits = new Waits();
    setTimeout(() => waits.fail("node 0", new Error("x")), 30_000);
    const { outcome, seconds } = await run(() => "never", { waits });
    expect(seconds).toBeLessThan(41);
    expect(outcome).toMatch(
      /^node 1 \(i-1\) was not waited for any longer, because node 0 has failed: .* says "never"$/,
    );
  });

  // What AWS's provider says, as it reaches the program.
  const said = (text: string) =>
    `invocation of aws:ssm/getParameter:getParameter returned an error: reading SSM Parameter (/emqx/p): ${text}`;
  test.each([
    [
      "operation error SSM: GetParameter, api error AccessDeniedException: User: x is not authorized",
      "ssm:GetParameter",
    ],
    [
      "operation error SSM: GetParameter, api error ExpiredTokenException: The security token expired",
      "Renew",
    ],
    ["api error UnrecognizedClientException: The security token included in the request is invalid", "Renew"],
    ["no valid credential sources for  found", "Renew"],
    ["couldn't find resource", "pulumi refresh"],
    ["ParameterNotFound: ", "pulumi refresh"],
  ])("%s: ends soon, and says what to do", async (text, remedy) => {
    const { outcome, seconds } = await run(() => raise(said(text)));
    expect(seconds).toBeLessThan(22);
    expect(outcome).toContain(text);
    expect(outcome).toContain(remedy);
  });

  test.each([
    "api error ThrottlingException: Rate exceeded",
    "https response error StatusCode: 503, api error ServiceUnavailable",
    "dial tcp 10.0.0.1:443: i/o timeout",
    "api error InternalServerError: ",
  ])("%s: is polled on", async (text) => {
    expect(obstacle("/p", new Error(said(text))).remedy).toBeUndefined();
    expect((await run((now) => (now < 300 ? raise(said(text)) : "i-1"))).outcome).toBe("well");
  });

  test("a refusal that passes, as AWS's consistency may have it, is no failure", async () => {
    const { outcome } = await run((now) => (now < 10 ? raise(said("couldn't find resource")) : "i-1"));
    expect(outcome).toBe("well");
  });

  test("a request that is never answered does not outlast the time-out", async () => {
    const start = Date.now();
    let endedAfter = 0;
    const ended = poll(() => new Promise(() => {}), args({ timeoutSeconds: 60 })).catch((error: Error) => {
      endedAfter = Date.now() - start;
      return error.message;
    });
    await jest.advanceTimersByTimeAsync(120_000);
    expect(await ended).toContain("cannot be read: no answer");
    expect(endedAfter).toBeLessThan(62_000);
  });
});
