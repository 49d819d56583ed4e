/** The examples, as they are, with the package as it is built. */
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { regionOf } from "./deploymentSupport";
import { residentPrograms } from "../run/resident";
import { engineForAll, engineTimeout } from "./harness";

jest.setTimeout(engineTimeout);
residentPrograms();
const engine = engineForAll(async () => {
  const { project } = engine.surroundings;
  cpSync(join(repositoryRoot, "examples"), join(project, "examples"), { recursive: true });
  // The folder's package.json is the repository's, so "emqx-aws" is what is built here.
  const tsc = join(repositoryRoot, "node_modules", "typescript", "bin", "tsc");
  execFileSync(
    process.execPath,
    [tsc, "-p", "tsconfig.build.json", "--noCheck", "--outDir", join(project, "dist")],
    {
      cwd: repositoryRoot,
    },
  );
});

const folder = (example: string) => join(engine.surroundings.project, "examples", example);

async function up(example: string): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await engine.pulumi(
    ...["-C", folder(example), "up", "--yes", "--skip-preview", "--stack", "example"],
  );
  if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`);
  const output = await engine.pulumi(
    "-C",
    folder(example),
    "stack",
    "output",
    "--json",
    "--stack",
    "example",
  );
  return JSON.parse(output.stdout) as Record<string, unknown>;
}

/** Puts real ids where the example has those of its reader. */
function configure(example: string, changes: Record<string, unknown>): void {
  const file = join(folder(example), "Pulumi.example.yaml");
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  const project = (parse(readFileSync(join(folder(example), "Pulumi.yaml"), "utf8")) as { name: string })
    .name;
  for (const [name, value] of Object.entries(changes)) config[`${project}:${name}`] = value;
  writeFileSync(file, stringify({ config }));
}

test("a deployment; its parts, used by two more; and its VPC, used by another deployment", async () => {
  const outputs = await up("deployment");
  expect(outputs).toMatchObject({
    mqttsUrl: expect.stringMatching(/^mqtts:\/\/mqtt-elb-.*\.eu-west-1\.elb\.amazonaws\.com:8883$/) as string,
    caCertificatePem: expect.stringContaining("BEGIN CERTIFICATE") as string,
    mqttPasswordParameter: "/emqx/emqx-example-deployment/example/mqtt-nodes/mqtt-password",
  });

  const region = regionOf(engine);
  const named = async (name: string, type: string) =>
    (await region.resources({ type })).find(
      ({ attributes }) => (attributes["tags"] as Record<string, string>)["Name"] === name,
    )!.id;
  const zones = ["eu-west-1a", "eu-west-1b"];
  const subnets = (kind: string) =>
    Promise.all(zones.map((zone) => named(`mqtt-vpc-${kind}-${zone}`, "Subnet")));

  configure("load-balancer", {
    subnetIds: await subnets("public"),
    securityGroupIds: [await named("mqtt-sg-lb", "SecurityGroup")],
  });
  const balancer = await up("load-balancer");
  expect(balancer["wssUrl"]).toMatch(/^wss:\/\/.*:8084\/mqtt$/);

  const privateSubnets = await subnets("private");
  const nodes = zones.map((availabilityZone, i) => ({
    subnetId: privateSubnets[i],
    availabilityZone,
    privateIp: `192.168.${i}.20`,
  }));
  configure("nodes-in-your-vpc", {
    nodes,
    securityGroupIds: [await named("mqtt-sg-nodes", "SecurityGroup")],
    loadBalancerNames: [balancer["loadBalancerName"]],
  });
  expect(await up("nodes-in-your-vpc")).toMatchObject({
    nodeNames: ["emqx@192.168.0.20", "emqx@192.168.1.20"],
    instanceIds: [expect.stringMatching(/^i-/), expect.stringMatching(/^i-/)] as string[],
    cookieParameter: "/emqx/emqx-example-nodes/example/emqx/cookie",
  });

  configure("deployment-in-your-vpc", {
    existingVpc: {
      vpcId: await named("mqtt-vpc", "Vpc"),
      publicSubnetIds: await subnets("public"),
      privateSubnetIds: privateSubnets,
      firstHostNumber: 30,
    },
  });
  expect(await up("deployment-in-your-vpc")).toMatchObject({
    nodeNames: ["emqx@192.168.0.30", "emqx@192.168.1.31", "emqx@192.168.0.32"],
    vpcId: await named("mqtt-vpc", "Vpc"),
  });
  const again = await engine.pulumi(
    ...["-C", folder("deployment-in-your-vpc"), "preview", "--expect-no-changes", "--stack", "example"],
  );
  expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining("unchanged")]);

  // Ids that come from elsewhere are checked against what is there, before anything is made.
  configure("nodes-in-your-vpc", { nodes: [{ ...nodes[0], privateIp: "192.168.0.2" }, nodes[1]] });
  const refused = await engine.pulumi("-C", folder("nodes-in-your-vpc"), "preview", "--stack", "example");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stdout).toMatch(/nodes\[0\]\.privateIp: "192\.168\.0\.2" .*reserve/);
});

test("transforms reach what no input does, as docs/transforms.md shows it", async () => {
  const page = readFileSync(join(repositoryRoot, "docs/transforms.md"), "utf8");
  const shown = /```ts\n(.*?)```/s.exec(page)?.[1];
  expect(readFileSync(join(folder("transforms"), "index.ts"), "utf8")).toContain(shown);
  const preview = await engine.pulumi(
    ...["-C", folder("transforms"), "preview", "--diff", "--stack", "example"],
  );
  const instances = preview.stdout
    .split(/^ *\+ .*\(create\)$/m)
    .filter((text) => text.includes("aws:ec2/instance:Instance::"));
  expect(instances).toHaveLength(3);
  for (const instance of instances) {
    expect(instance).toMatch(/volumeSize\s*: 32\b/);
    expect(instance).toMatch(/patch\s*: "weekly"/);
  }
});
