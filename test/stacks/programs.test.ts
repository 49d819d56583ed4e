import * as pulumi from "@pulumi/pulumi";
import { EmqxDeployment } from "../../components";
import type { RegionMocks } from "@emqx-aws/simulator";
import { readSettings } from "../../stacks/settings";
import { inAws, run, stackConfig } from "../support";

const stacks = ["local", "guide", "dev", "prod"];

/** What index.ts does, without loading the SDKs anew for every run. */
function runStack(stack: string, preview = false): Promise<RegionMocks> {
  return run(
    () => {
      pulumi.runtime.setAllConfig(stackConfig(stack));
      new EmqxDeployment("emqx", readSettings("emqx"));
    },
    { stack, preview },
  );
}

/** Policies and dashboards to be read; neither secrets, nor files and scripts, which have tests of their own. */
function shown(key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (key === "value" || value.includes("\n")) return "…";
  return value.startsWith("{") ? JSON.parse(value) : value;
}

describe.each(stacks)("stack %s", (stack) => {
  test("registers these resources (a changed name is a replaced resource; the rest is what a preview of an existing stack shows)", async () => {
    const mocks = await runStack(stack);
    const made = mocks.registered
      .flatMap(({ name, id, outputs }) =>
        [id, outputs?.["arn"]].map((value) => ({ name, value: String(value) })),
      )
      .filter(({ value }) => /[0-9a-f]{7}$/.test(value));
    const lines = mocks.registered
      .filter((r) => r.custom)
      .map(({ type, name, inputs }) => `${type.split(":").at(-1)} ${name} ${JSON.stringify(inputs, shown)}`)
      .map((line) => made.reduce((text, { name, value }) => text.replaceAll(value, `<${name}>`), line));
    expect(`\n${lines.sort().join("\n")}\n`).toMatchSnapshot();
  });

  test("previews what it deploys", async () => {
    const names = async (preview: boolean) =>
      (await runStack(stack, preview)).registered.map((r) => `${r.type} ${r.name}`).sort();
    expect(await names(true)).toEqual(await names(false));
  });
});

test("the program itself exports outputs and nothing else", async () => {
  let outputs: Record<string, unknown> = {};
  const mocks = await run(
    () => {
      pulumi.runtime.setAllConfig(stackConfig("dev"));
      jest.isolateModules(() => {
        // The SDK must be the one that holds the mocks.
        jest.doMock("@pulumi/pulumi", () => pulumi);
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- isolateModules takes no promise
        outputs = require("../../index") as Record<string, unknown>;
      });
    },
    { stack: "dev" },
  );
  expect(mocks.registered.map((r) => `${r.type} ${r.name}`).sort()).toEqual(
    (await runStack("dev")).registered.map((r) => `${r.type} ${r.name}`).sort(),
  );
  expect(Object.keys(outputs)).toEqual(
    expect.arrayContaining(["mqttsUrl", "caCertificatePem", "instanceIds"]),
  );
  expect(
    Object.values(outputs)
      .flat()
      .filter((value) => !pulumi.Output.isInstance(value)),
  ).toEqual([]);
});

test("stack guide is the guide: two nodes, one private network, one zone, a Classic ELB with TCP and SSL", async () => {
  const mocks = await runStack("guide");
  const subnets = mocks.ofType("aws:ec2/subnet:Subnet").map((r) => r.inputs["cidrBlock"]);
  expect(subnets.sort()).toEqual(["192.168.0.0/24", "192.168.128.0/24"]);
  const addresses = mocks
    .ofType("aws:ec2/networkInterface:NetworkInterface")
    .map((r) => r.inputs["privateIps"]);
  expect(addresses).toEqual([["192.168.0.10"], ["192.168.0.11"]]);
  const [elb] = mocks.ofType("aws:elb/loadBalancer:LoadBalancer");
  expect(elb?.inputs["internal"]).toBe(false);
  expect(
    (elb?.inputs["listeners"] as { lbProtocol: string; lbPort: number; instancePort: number }[]).map(
      ({ lbProtocol, lbPort, instancePort }) => [lbProtocol, lbPort, instancePort],
    ),
  ).toEqual([
    ["TCP", 1883, 1883],
    ["SSL", 8883, 1883],
  ]);
});

test("stack prod depends on no single zone, opens TLS only, and encrypts with its own key", async () => {
  const mocks = await runStack("prod");
  expect(mocks.ofType("aws:ec2/natGateway:NatGateway")).toHaveLength(3);
  const zones = mocks.ofType("aws:ebs/volume:Volume").map((r) => r.inputs["availabilityZone"]);
  expect(zones).toEqual(["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
  const [elb] = mocks.ofType("aws:elb/loadBalancer:LoadBalancer");
  const protocols = (elb?.inputs["listeners"] as { lbProtocol: string }[]).map((l) => l.lbProtocol);
  expect(new Set(protocols)).toEqual(new Set(["SSL"]));
  expect(elb?.inputs["accessLogs"]).toMatchObject({ enabled: true });
  expect(mocks.ofType("aws:ec2/flowLog:FlowLog")).toHaveLength(1);
  const key = stackConfig("prod")["emqx-aws:kmsKeyId"];
  for (const volume of mocks.ofType("aws:ebs/volume:Volume")) {
    expect(volume.inputs).toMatchObject({ encrypted: true, kmsKeyId: key });
  }
  const secrets = inAws(mocks).filter((r) => r.inputs["type"] === "SecureString");
  expect(secrets.map((r) => r.inputs["keyId"])).toEqual(secrets.map(() => key));
});
