/** Programs beside this repository's own in the simulated region: all of them are seen, and none is lost. No CLI is run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  argumentsFor,
  deployedStack,
  deployedStacks,
  nameIn,
  noteProject,
  readState,
  stackArguments,
  stateFile,
} from "@emqx-aws/cli/local/stacks";
import { formatStatus, readStatus } from "@emqx-aws/cli/local/status";
import { parsePulumiArguments } from "@emqx-aws/cli/local/arguments";
import { surroundingsOf, type Surroundings } from "@emqx-aws/cli/local/surroundings";

let home: Surroundings;
let other: Surroundings;
beforeEach(() => {
  const project = mkdtempSync(join(tmpdir(), "emqx-aws-programs-"));
  home = surroundingsOf(project);
  other = { ...home, project: join(project, "examples", "mine") };
  write(join(project, "Pulumi.yaml"), "name: emqx-aws\nruntime: nodejs\nstackConfigDir: stacks\n");
  write(join(other.project, "Pulumi.yaml"), "name: mine\nruntime: nodejs\n");
});
afterEach(() => rmSync(home.project, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A stack with a deployment whose program exports little. */
function deploy(surroundings: Surroundings, stack: string): void {
  const secret = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    ciphertext: "v1:x",
  };
  const resources = [
    {
      urn: "u1",
      type: "pulumi:pulumi:Stack",
      outputs: { mqttsUrl: "mqtts://mine.example:8883", key: secret },
    },
    {
      urn: "u2",
      type: "emqx-aws:index:EmqxDeployment",
      outputs: { dnsName: "mine.example", instanceIds: ["i-1"] },
    },
    { urn: "u3", type: "aws:elb/loadBalancer:LoadBalancer", id: "lb", outputs: { dnsName: "mine.example" } },
  ];
  write(
    stateFile(surroundings, stack),
    JSON.stringify({ version: 3, checkpoint: { latest: { resources } } }),
  );
}

test("a stack of another program is deployed, has outputs and is in the status", async () => {
  deploy(other, "dev");
  expect(deployedStacks(home)).toEqual(["mine/dev"]);
  expect(deployedStacks(other)).toEqual(["dev"]);
  expect(nameIn(home, other, "dev")).toBe("mine/dev");
  expect(nameIn(home, other, "organization/mine/dev")).toBe("mine/dev");
  expect(nameIn(home, home, "organization/emqx-aws/local")).toBe("local");
  expect(readState(home, "mine/dev").outputs).toEqual({
    mqttsUrl: "mqtts://mine.example:8883",
    loadBalancerDnsName: "mine.example",
    instanceIds: ["i-1"],
    key: "[secret]",
  });
  const status = await readStatus(home);
  expect(formatStatus(status)).toMatch(/mine\/dev\s.*3/);
  expect(formatStatus(status)).toContain("Stack mine/dev:");
  const [stack] = status.stacks.filter(({ isDeployed }) => isDeployed);
  expect(stack).toMatchObject({ stack: "mine/dev", loadBalancers: ["mine.example"] });
});

test("a load balancer that no output names is in the status with its port", async () => {
  deploy(other, "dev");
  const status = await readStatus(home);
  const endpoint = { dnsName: "mine.example", loadBalancerPort: 8883, host: "127.0.0.1", port: 28883 };
  const stacks = status.stacks.map((stack) => ({ ...stack, outputs: {} }));
  expect(formatStatus({ ...status, stacks, endpoints: [endpoint as never] })).toContain(
    "127.0.0.1:28883  stands for mine.example:8883",
  );
});

test("which stack is meant", () => {
  expect(deployedStack(home, "local")).toBeUndefined();
  deploy(other, "dev");
  for (const name of ["mine/dev", "organization/mine/dev", "dev", "local"]) {
    expect([name, deployedStack(home, name)]).toEqual([name, "mine/dev"]);
  }
  expect(deployedStack(home, "prod")).toBeUndefined();
  deploy(home, "dev");
  expect(deployedStack(home, "dev")).toBe("dev");
  expect(deployedStack(home, "organization/emqx-aws/dev")).toBe("dev");
  // Two are there: `local` is neither of them.
  expect(deployedStack(home, "local")).toBeUndefined();
});

test("commands that run Pulumi themselves run it where the stack's program is", () => {
  const given = (stack: string) => {
    const args = stackArguments(home, stack);
    return args && parsePulumiArguments(["up", ...args]);
  };
  expect(given("guide")).toMatchObject({ command: ["up"], stack: "guide", rest: ["up"] });
  expect(given("mine/dev")).toBeUndefined();
  noteProject(other);
  expect(given("mine/dev")).toMatchObject({ stack: "dev", cwd: other.project });
});

test("how to end it", () => {
  expect(argumentsFor(home, "local")).toBe("");
  expect(argumentsFor(home, "guide")).toBe("-s guide");
  expect(argumentsFor(home, "mine/dev")).toBe("-C <its folder> -s dev");
  noteProject(other);
  expect(argumentsFor(home, "mine/dev")).toBe("-C examples/mine -s dev");
  expect(argumentsFor(home, "mine/local")).toBe("-C examples/mine -s local");
});
