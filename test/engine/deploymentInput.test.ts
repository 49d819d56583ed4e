/** Bad settings through the literal CLI: refused with every problem, and without a trace in the account. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { outline, regionOf, settings, threeNodes } from "./deploymentSupport";
import { engineForAll, engineTimeout } from "./harness";
import { withChanges } from "../settings";

jest.setTimeout(engineTimeout);
const engine = engineForAll();

const stackTrace = /^\s+at .*:\d+/m;

test("every problem at once, and nothing registered", async () => {
  const stack = engine.stack("local", {
    "aws:region": "eu-west-1",
    ...settings({
      availabilityZones: ["eu-west-1a", "eu-west-1a"],
      nodeCount: 2.5,
      instanceTyp: "m7g.large",
      vpc: { cidrBlock: "192.168.1.0/16" },
      certificate: {
        arn: "arn:aws:acm:us-east-1:123456789012:certificate/9d8c7b6a-5f4e-4d3c-9b2a-1f0e9d8c7b03",
      },
      keepAliveSeconds: 3600,
      access: { adminCidrBlocks: ["0.0.0.0/0"] },
    }),
  });
  const up = await stack.run("up", "--yes", "--skip-preview");
  expect(up.exitCode).not.toBe(0);
  for (const line of [
    "Pulumi.local.yaml: nothing was changed, because these settings cannot work:",
    "  - instanceTyp: there is no such setting; did you mean instance?",
    '  - availabilityZones: "eu-west-1a" is listed twice; list every zone once',
    '  - vpc.cidrBlock: "192.168.1.0/16" has host bits set or is not in canonical form: write 192.168.0.0/16',
    "  - nodeCount: 2.5 is not a whole number of nodes from 1 to 100",
    '  - access.adminCidrBlocks: "0.0.0.0/0" would open the dashboard and the management API to the whole internet',
    "is in us-east-1, but the deployment is in eu-west-1; use one of eu-west-1",
    "  - keepAliveSeconds: 3600 is not a whole number of seconds from 1 to 2380",
  ]) {
    expect(up.stdout).toContain(line);
  }
  expect(up.stdout + up.stderr).not.toMatch(stackTrace);
  expect(outline(up)).toEqual({ create: ["Stack emqx-aws-local"] });
  expect(await regionOf(engine).resources()).toEqual([]);
});

test.each([
  [
    "a host name outside its zone",
    { dns: { hostedZoneId: "Z0123456789EXAMPLE01", hostname: "mqtt.example.org" } },
    'dns.hostname: "mqtt.example.org" is outside the hosted zone example.com; use a name that ends with .example.com',
  ],
  [
    "an image of another architecture",
    { instance: { type: "m7i.large" } },
    "is an image for arm64, but instance.type m7i.large is x86_64; choose an image and a type of the same architecture",
  ],
  [
    "an image that the account does not have",
    { instance: { amiId: "ami-0123456789abcdef0" } },
    "instance.amiId: this account has no image ami-0123456789abcdef0 in the provider's region; an image is of one region",
  ],
])("only AWS can tell: %s", async (_what, changes, message) => {
  const stack = engine.stack("local", {
    ...threeNodes,
    ...settings(withChanges({ instance: { amiId: await arm64Image() } }, changes)),
  });
  const preview = await stack.run("preview");
  expect(preview.exitCode).not.toBe(0);
  expect(preview.stdout).toContain(message);
  expect(preview.stdout + preview.stderr).not.toMatch(stackTrace);
});

async function arm64Image(): Promise<string> {
  const images = (await regionOf(engine).addSeed({
    kind: "image",
    region: "eu-west-1",
    release: `2023.14.${Date.now()}.0`,
  })) as { id: string; attributes: Record<string, unknown> }[];
  return images.find(({ attributes }) => attributes["architecture"] === "arm64")!.id;
}

test("a certificate whose region only shows while deploying", async () => {
  const folder = join(engine.surroundings.project, "late");
  mkdirSync(folder);
  const runtime = { name: "nodejs", options: { tsconfig: "../tsconfig.pulumi.json" } };
  writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name: "late", main: "index.ts", runtime }));
  writeFileSync(join(folder, "Pulumi.local.yaml"), stringify({ config: { "aws:region": "eu-west-1" } }));
  writeFileSync(
    join(folder, "index.ts"),
    `import * as acm from "@pulumi/aws/acm";
     import { EmqxClassicElb } from ${JSON.stringify(join(repositoryRoot, "components"))};
     const elsewhere = acm.Certificate.get("elsewhere",
       "arn:aws:acm:us-east-1:123456789012:certificate/9d8c7b6a-5f4e-4d3c-9b2a-1f0e9d8c7b03", { region: "us-east-1" });
     new EmqxClassicElb("elb", { subnetIds: ["subnet-0123456789abcdef0"], securityGroupIds: ["sg-0123456789abcdef0"],
       certificate: { arn: elsewhere.arn } });`,
  );
  const up = await engine.pulumi("-C", folder, "up", "--yes", "--skip-preview", "--stack", "local");
  expect(up.exitCode).not.toBe(0);
  expect(up.stdout).toContain(
    'EmqxClassicElb "elb": its input cannot work:\n' +
      '      - certificate.arn: "arn:aws:acm:us-east-1:123456789012:certificate/9d8c7b6a-5f4e-4d3c-9b2a-1f0e9d8c7b03" ' +
      "is in us-east-1, but the deployment is in eu-west-1; use one of eu-west-1",
  );
  expect(up.stdout + up.stderr).not.toMatch(stackTrace);
  expect((await regionOf(engine).resources()).map(({ type }) => type)).toEqual([]);
});
