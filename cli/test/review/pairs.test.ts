/**
 * No verdict is milder than the truth: going over to two settings at once is at least as bad as going over to either, and
 * meets every gate that one of them meets. `REVIEW_PAIRS=all` looks at 200 pairs instead of a sample.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { parse } from "yaml";
import type { Gate } from "../../review/gates";
import { levels } from "../../review/change/notice";
import { markdownOf } from "../../review/report/markdown";
import type { Review } from "../../review/review";
import { repositoryRoot } from "../../repository";
import { baseSettings } from "./harness";
import { changes } from "./changes";
import { Deployment, type SettingsOfStack } from "./inProcess";
import { withChanges } from "../../../test/settings";

const prod = Object.fromEntries(
  Object.entries(
    (
      parse(readFileSync(join(repositoryRoot, "stacks", "Pulumi.prod.yaml"), "utf8")) as {
        config: SettingsOfStack;
      }
    ).config,
  ).flatMap(([key, value]) => (key.startsWith("emqx-aws:") ? [[key.slice("emqx-aws:".length), value]] : [])),
);

/** A change of every setting that production can change by itself, in each direction that matters. */
const singles: SettingsOfStack[] = [
  { nodeCount: 1 },
  { nodeCount: 2 },
  { nodeCount: 5 },
  { vpc: { cidrBlock: "10.20.0.0/16" } },
  { vpc: { natGateways: "Single" } },
  { vpc: { flowLogs: undefined } },
  { vpc: { flowLogs: { retentionDays: 30 } } },
  { access: { clientCidrBlocks: ["203.0.113.0/24"] } },
  { access: { adminCidrBlocks: ["198.51.100.0/24"] } },
  { access: { egress: [{ port: 5432, cidrBlock: "10.20.0.0/16" }] } },
  { listeners: ["Mqtts"] },
  { listeners: ["Mqtt", "Mqtts", "Wss"] },
  { clusterPorts: "Package", rollout: { allowFullRestart: true } },
  {
    certificate: {
      arn: "arn:aws:acm:eu-west-1:123456789012:certificate/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02",
    },
  },
  { certificate: { arn: undefined, selfSigned: {} } },
  { keepAliveSeconds: 60 },
  { rollout: { drainingTimeoutSeconds: 60 } },
  { classicElb: { tlsPolicy: "ELBSecurityPolicy-TLS-1-1-2017-01" } },
  { classicElb: { proxyProtocol: true } },
  { classicElb: { internal: true } },
  { classicElb: { accessLogs: undefined } },
  { dns: undefined },
  { dns: { hostname: "other.example.com" } },
  { emqxVersion: "5.8.8" },
  { clusterName: "other", rollout: { allowFullRestart: true } },
  { secretVersions: { cookie: 2 }, rollout: { allowFullRestart: true } },
  { secretVersions: { dashboardPassword: 2 } },
  { secretVersions: { mqttPassword: 2 } },
  { instance: { type: "m7g.large" } },
  { dataVolume: { sizeGiB: 100 } },
  { dataVolume: { retain: false } },
  { protect: undefined },
  { instance: { amiId: "ami-0123456789abcdef0" } },
  { extraConfig: "authorization.no_match = allow" },
  { extraConfig: "log.console.level = debug" },
  { anonymousAccess: true },
  { rollout: { batchSize: 2 } },
  { rollout: { allowFullRestart: true } },
  { rollout: { readinessTimeoutSeconds: 1200 } },
  { instance: { package: { url: "https://packages.example.com/emqx.rpm" } } },
  { monitoring: undefined },
  { monitoring: { logRetentionDays: 30 } },
  { backup: undefined },
  { backup: { intervalHours: 12 } },
  { backup: { retentionDays: 10 } },
  { kmsKeyId: undefined },
  { kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/00000000-7c9e-4a2b-8d6f-1e3c5a7b9d0f" },
  { instance: { detailedMonitoring: undefined } },
  { tags: { environment: "other" } },
];

/** `vpc.flowLogs`, `access.adminCidrBlocks`: what a change is about. */
function pathsOf(change: SettingsOfStack, group = ""): string[] {
  return Object.entries(change).flatMap(([name, value]) =>
    typeof value === "object" && !Array.isArray(value) && name !== "tags" && Object.keys(value!).length > 0
      ? pathsOf(value as SettingsOfStack, `${group}${name}.`)
      : [`${group}${name}`],
  );
}

/** Whether one of the paths is the same, or in the same group that is gone as a whole. */
const related = (path: string, others: string[]) =>
  others.some((other) => other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`));

let deployment: Deployment;
beforeAll(async () => (deployment = await Deployment.of(prod)), 60_000);

const known = new Map<string, Review | undefined>();
async function reviewOf(...changesOfProd: SettingsOfStack[]): Promise<Review | undefined> {
  const key = text(...changesOfProd);
  if (!known.has(key)) known.set(key, await deployment.review(changesOfProd.reduce(withChanges, prod)));
  return known.get(key);
}

const text = (...values: SettingsOfStack[]) =>
  values.map((value) => JSON.stringify(value, (_, item: unknown) => item ?? null)).join(" with ");

/** Settings that open something by themselves. */
const opening = [
  "vpc.flowLogs",
  "access.adminCidrBlocks",
  "access.egress",
  "classicElb.tlsPolicy",
  "classicElb.accessLogs",
  "anonymousAccess",
  "instance.package.url",
  "protect",
];

test("a change of one setting that opens something says so", async () => {
  for (const single of singles.filter((change) => pathsOf(change).some((path) => opening.includes(path)))) {
    const review = await reviewOf(single);
    expect(`${text(single)}: ${review?.gates.join(" ")}`).toContain("exposure");
  }
}, 300_000);

/** Which gates go with what the other change takes away: an alarm about the internet with the way from there. */
const relative: Gate[] = ["exposure-alarm", "parallel-restart"];

test("two at once are not reviewed as milder than each", async () => {
  const sample = fc.sample(fc.tuple(fc.constantFrom(...singles), fc.constantFrom(...singles)), {
    seed: 20261129,
    numRuns: process.env.REVIEW_PAIRS === "all" ? 200 : 6,
  });
  const pairs = [...sample, [{ vpc: { cidrBlock: "10.20.0.0/16" } }, { nodeCount: 1 }] as const];
  for (const [a, b] of pairs) {
    const isOneSetting = pathsOf(a).some(
      (path) => related(path, pathsOf(b)) && !path.endsWith("allowFullRestart"),
    );
    if (isOneSetting) continue;
    const [one, other, both] = [await reviewOf(a), await reviewOf(b), await reviewOf(a, b)];
    // What the program refuses is not carried out.
    if (!one || !other || !both) continue;
    const worst = Math.max(...[one, other].map(({ level }) => levels.indexOf(level)));
    const gates = [...new Set([...one.gates, ...other.gates])].filter((gate) => !relative.includes(gate));
    expect({
      pair: text(a, b),
      isMilder: levels.indexOf(both.level) < worst,
      lost: gates.filter((gate) => !both.gates.includes(gate)),
    }).toEqual({ pair: text(a, b), isMilder: false, lost: [] });
  }
}, 1_200_000);

test("a preview in this process says what the engine's says", async () => {
  const own = await Deployment.of(baseSettings);
  for (const name of ["emqx-version", "vpc-block", "one-node-fewer"]) {
    const review = await own.review(withChanges(baseSettings, changes[name]?.settings ?? {}));
    const golden = readFileSync(join(__dirname, "golden", `${name}.md`), "utf8");
    // The engine passes on what the program says.
    const asGolden = golden.replace(/\n### What the program says\n\n(- .*\n)+/, "");
    expect(review && markdownOf(review)).toBe(asGolden);
  }
}, 300_000);
