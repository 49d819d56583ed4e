import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { deploymentInputs } from "../../components/deployment/settings";
import type { Shape } from "../../components/shared/inputs";
import { ownSettings, parseSettings } from "../../stacks/settings";

const good = { availabilityZones: '["eu-west-1a","eu-west-1b"]', certificate: '{"selfSigned":{}}' };
const problemsOf = (raw: Record<string, string>, region?: string) =>
  parseSettings("emqx", { ...good, ...raw }, region).problems;

describe("settings", () => {
  test("become arguments with their own types", () => {
    const { args, problems } = parseSettings(
      "emqx",
      {
        ...good,
        nodeCount: "5",
        classicElb: '{"proxyProtocol":true,"accessLogs":{"bucket":"logs-example","intervalMinutes":5}}',
        access: '{"clientCidrBlocks":["10.0.0.0/8"]}',
        tags: '{"team":"iot"}',
        dns: '{"hostname":"mqtt.example.com","hostedZoneId":"Z1"}',
      },
      "eu-west-1",
    );
    expect(problems).toEqual([]);
    expect(args).toEqual({
      availabilityZones: ["eu-west-1a", "eu-west-1b"],
      certificate: { selfSigned: {} },
      nodeCount: 5,
      classicElb: { proxyProtocol: true, accessLogs: { bucket: "logs-example", intervalMinutes: 5 } },
      access: { clientCidrBlocks: ["10.0.0.0/8"] },
      tags: { team: "iot" },
      dns: { hostname: "mqtt.example.com", hostedZoneId: "Z1" },
    });
  });

  test("keep a licence key secret, whether or not the file encrypts it", async () => {
    const { args } = parseSettings(
      "emqx",
      { ...good, emqxVersion: "6.2.3", licenseKey: "MjIw.MEU=" },
      undefined,
    );
    expect(await pulumi.isSecret(args.licenseKey as pulumi.Output<string>)).toBe(true);
  });

  test("keep what is secret in EMQX's configuration secret, and know no other way for it", async () => {
    const raw = {
      ...good,
      anonymousAccess: "true",
      extraConfig:
        'authentication = [{ mechanism = password_based, backend = redis, server = "a:1", cmd = "HMGET a b" }]',
      secretConfig: '{"authentication.1.password":"x"}',
    };
    const { args, problems } = parseSettings("emqx", raw, undefined, ["secretConfig"]);
    expect(problems).toEqual([]);
    expect(
      await pulumi.isSecret(args.secretConfig!["authentication.1.password"] as pulumi.Output<string>),
    ).toBe(true);
    expect(parseSettings("emqx", raw, undefined, ["extraConfig"]).problems).toEqual([
      expect.stringMatching(/^extraConfig: is encrypted, but .* give what is secret in it by secretConfig$/),
    ]);
  });

  test.each<[string, Record<string, string>, string[]]>([
    ["misspelt", { nodecount: "3" }, ["nodecount: there is no such setting; did you mean nodeCount?"]],
    [
      "misspelt",
      { availabilityZone: "x" },
      ["availabilityZone: there is no such setting; did you mean availabilityZones?"],
    ],
    [
      "unknown",
      { colour: "red" },
      [expect.stringMatching(/^colour: there is no such setting; the settings are availabilityZones, /)],
    ],
    [
      "a name every object has",
      { constructor: "x" },
      [expect.stringMatching(/^constructor: there is no such setting/)],
    ],
    ["no number", { nodeCount: "three" }, [`nodeCount: "three" is not a number`]],
    ["no flag", { anonymousAccess: "yes" }, [`anonymousAccess: "yes" is not true or false`]],
    [
      "in no group",
      { cidrBlock: "10.0.0.0/16" },
      ["cidrBlock: there is no such setting; did you mean vpc.cidrBlock?"],
    ],
    [
      "no group",
      { monitoring: "true" },
      [
        "monitoring: true is not a group of settings (alarmTopicArn, logRetentionDays); {} is one with all defaults",
      ],
    ],
    [
      "no list",
      { listeners: "Mqtt" },
      ["listeners: Mqtt is not a list; write one item per line, each after a hyphen"],
    ],
    [
      "a list of numbers",
      { listeners: "[1883]" },
      ["listeners: [1883] is not a list; write one item per line, each after a hyphen"],
    ],
    ["no map", { tags: '["a"]' }, [`tags: ["a"] is not a list of names with a text each`]],
    [
      "misspelt inside a group",
      { classicElb: '{"accessLogs":{"bucket":"logs-example","prefix":"x"}}' },
      [
        "classicElb.accessLogs.prefix: there is no such setting; the settings are bucket, bucketPrefix, intervalMinutes",
      ],
    ],
    [
      "of the wrong type inside a group",
      { classicElb: '{"accessLogs":{"bucket":"logs-example","intervalMinutes":"60"}}' },
      [`classicElb.accessLogs.intervalMinutes: "60" is not a number`],
    ],
  ])("%s: %j is refused", (_, raw, problems) => {
    expect(problemsOf(raw)).toEqual(problems);
  });

  test("are refused all at once, unreadable and impossible ones together", () => {
    expect(
      problemsOf({
        nodecount: "3",
        nodeCount: "x",
        vpc: '{"cidrBlock":"10.0.0.0/8"}',
        keepAliveSeconds: "9999",
        rollout: '{"batchSise":2,"readinessTimeoutSeconds":5}',
      }),
    ).toEqual([
      "nodecount: there is no such setting; did you mean nodeCount?",
      `nodeCount: "x" is not a number`,
      "rollout.batchSise: there is no such setting; did you mean batchSize?",
      `vpc.cidrBlock: "10.0.0.0/8" is a /8; a VPC's block is between /16 and /28`,
      "rollout.readinessTimeoutSeconds: 5 is not a whole number of seconds from 60 to 7200",
      "keepAliveSeconds: 9999 is not a whole number of seconds from 1 to 2380; a Classic ELB's idle timeout ends at 3600 s",
    ]);
  });

  test("name zones of another region than the stack's", () => {
    expect(problemsOf({}, "us-east-1")).toEqual([
      "availabilityZones: eu-west-1a, eu-west-1b are not in aws:region us-east-1; change one or the other",
    ]);
  });

  test("of other projects and providers are left alone", () => {
    expect(
      ownSettings({ "aws:region": "eu-west-1", "emqx-aws:nodeCount": "3", "other:x": "1" }, "emqx-aws"),
    ).toEqual({
      nodeCount: "3",
    });
  });

  test("are all explained in docs/settings.md, and no others", () => {
    const [page = ""] = readFileSync(join(__dirname, "../../docs/settings.md"), "utf8").split(
      "## EMQX's own configuration",
    );
    const explained = [...page.matchAll(/^\| `([\w.]+)`\s*\|/gm)].map((match) => match[1]);
    // A group that is always there is explained by what is in it.
    const settingsOf = (shapes: Record<string, Shape>, group = ""): string[] =>
      Object.entries(shapes).flatMap(([name, shape]) => [
        ...(shape.kind === "object" && shape.default !== undefined ? [] : [`${group}${name}`]),
        ...(shape.kind === "object" ? settingsOf(shape.fields, `${group}${name}.`) : []),
      ]);
    const settings = settingsOf(deploymentInputs);
    expect(explained.sort()).toEqual(settings.sort());
  });

  test.each(["settings.md", "authentication.md"])("that docs/%s shows are right", (name) => {
    const page = readFileSync(join(__dirname, "../../docs", name), "utf8");
    const shown = [...page.matchAll(/```yaml\n([^]*?)```([^]*?)(?=```yaml|\n## |$)/g)];
    expect(shown.length).toBeGreaterThan(0);
    for (const [, yaml = "", words = ""] of shown) {
      const { config } = parse(yaml) as { config: Record<string, unknown> };
      const raw = ownSettings(
        Object.fromEntries(
          Object.entries(config).map(([name, value]) => [
            name,
            typeof value === "string" ? value : JSON.stringify(value),
          ]),
        ),
        "emqx-aws",
      );
      const secret = /`secretConfig` `([\w.-]+)`/.exec(words)?.[1];
      if (secret !== undefined) raw["secretConfig"] = JSON.stringify({ [secret]: "x" });
      expect([yaml, problemsOf(raw)]).toEqual([yaml, []]);
      const program = /```ts\n([^]*?)```/.exec(words)?.[1];
      if (name === "authentication.md")
        expect([yaml, inProgram(program, raw)]).toEqual([yaml, inSettings(raw)]);
    }
  });

  /** Of secrets, which ones they are. */
  const shownArgs = ({ secretConfig, ...args }: Record<string, unknown>) => ({
    ...Object.fromEntries(Object.entries(args).filter(([name]) => !Object.hasOwn(good, name))),
    ...(secretConfig ? { secretConfig: Object.keys(secretConfig) } : {}),
  });
  const inSettings = (raw: Record<string, string>) =>
    shownArgs({ ...parseSettings("emqx", { ...good, ...raw }, undefined).args });
  /** What a program on a page gives a deployment. */
  const inProgram = (code = "", { extraConfig }: Record<string, string>) => {
    const given: unknown[] = [];
    class EmqxDeployment {
      constructor(_name: string, args: Record<string, unknown>) {
        given.push(shownArgs(args));
      }
    }
    const scope = { EmqxDeployment, network: {}, extraConfig, secret: "x" };
    new Function(...Object.keys(scope), code)(...Object.values(scope));
    return given[0];
  };
});
