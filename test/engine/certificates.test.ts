/** Certificates over a deployment's years, with the real engine: what an update changes, and what it leaves alone. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCertificate } from "@emqx-aws/cli/certificate/run";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { certificateArn, otherCertificateArn, outline, regionOf } from "./deploymentSupport";
import { residentPrograms } from "../run/resident";
import type { Stack } from "./harness";
import { engineForAll, engineTimeout } from "./harness";

jest.setTimeout(engineTimeout);
residentPrograms();
let stack: Stack;

/** The load balancer's part of a deployment; its settings are the component's own. */
const program = `
import * as pulumi from "@pulumi/pulumi";
import { EmqxClassicElb, EmqxSecurityGroup, EmqxVpc, type EmqxClassicElbArgs } from ${JSON.stringify(
  join(repositoryRoot, "components"),
)};
const args = new pulumi.Config("emqx-aws").requireObject<Partial<EmqxClassicElbArgs>>("args");
const certificate = new pulumi.Config("emqx-aws").getObject<EmqxClassicElbArgs["certificate"]>("certificate");
const vpc = new EmqxVpc("vpc", { availabilityZones: ["eu-west-1a"] });
const groups = new EmqxSecurityGroup("groups", { vpcId: vpc.vpcId });
const elb = new EmqxClassicElb("elb", {
  subnetIds: vpc.publicSubnetIds,
  securityGroupIds: [groups.loadBalancerSecurityGroupId],
  ...args,
  ...(certificate ? { certificate } : {}),
});
export const loadBalancerName = elb.loadBalancerName;
export const loadBalancerDnsName = elb.dnsName;
export const mqttsUrl = elb.mqttsUrl;
export const caCertificatePem = elb.caCertificatePem;
export const certificateExpires = elb.certificateExpires;
`;

const configure = (args: object, arn?: string) =>
  stack.setConfig({
    "aws:region": "eu-west-1",
    "emqx-aws:args": args,
    ...(arn && { "emqx-aws:certificate": { arn } }),
  });

const engine = engineForAll(async () => {
  rmSync(join(engine.surroundings.project, "index.ts"));
  writeFileSync(join(engine.surroundings.project, "index.ts"), program);
});

async function listenerArn(): Promise<unknown> {
  const { loadBalancerName } = await stack.outputs();
  const { attributes } = await regionOf(engine).resource({ id: String(loadBalancerName) });
  return (attributes["listeners"] as { lbPort: number; sslCertificateId?: string }[]).find(
    ({ lbPort }) => lbPort === 8883,
  )?.sslCertificateId;
}

describe("self-signed", () => {
  beforeAll(async () => {
    stack = engine.stack("self-signed");
    configure({ certificate: { selfSigned: {} } });
    await stack.up();
  });

  test("another version: another certificate, the same ARN, authority and listener; made before the old one goes", async () => {
    const before = await stack.outputs();
    const arn = await listenerArn();
    expect(outline(await stack.preview())).toEqual({});
    configure({ certificate: { selfSigned: { version: 2 } } });
    const preview = await stack.preview();
    const up = await stack.up();
    const expected = {
      create: ["CertRequest", "LocallySignedCert", "PrivateKey"].map((type) => `${type} elb-self-signed-2`),
      update: ["Certificate elb-self-signed"],
      delete: ["CertRequest", "LocallySignedCert", "PrivateKey"].map((type) => `${type} elb-self-signed-1`),
    };
    expect(outline(preview)).toEqual(expected);
    expect(outline(up)).toEqual(expected);
    const position = (op: string) => up.steps.find((step) => step.op === op)!.started;
    expect(position("create")).toBeLessThan(position("update"));
    expect(position("update")).toBeLessThan(position("delete"));
    expect(await listenerArn()).toBe(arn);
    expect((await stack.outputs())["caCertificatePem"]).toBe(before["caCertificatePem"]);
    expect(outline(await stack.up("--refresh"))).toEqual({});
  });
});

describe("another ARN", () => {
  beforeAll(async () => {
    stack = engine.stack("own");
    configure({}, certificateArn);
    await stack.up();
  });

  test("the certificate's end is read, and a second update changes nothing, with or without a refresh", async () => {
    const { certificateExpires } = await stack.outputs();
    const { attributes } = await regionOf(engine).describeCertificate(certificateArn);
    expect(certificateExpires).toBe(String(attributes["notAfter"]).replace(".000Z", "Z"));
    expect(outline(await stack.preview())).toEqual({});
    expect(outline(await stack.up("--refresh"))).toEqual({});
  });

  test("renewed by ACM: the output follows, and nothing else does", async () => {
    const renewed = await regionOf(engine).renewCertificate(certificateArn, 395);
    expect(outline(await stack.up())).toEqual({});
    expect((await stack.outputs())["certificateExpires"]).toBe(
      String(renewed.attributes["notAfter"]).replace(/\.\d+Z$/, "Z"),
    );
  });

  test("put on the running listener first: an update with a refresh leaves the load balancer alone", async () => {
    const options = { stack: "own", arn: otherCertificateArn, set: true, real: false };
    const session = {
      ...engine.session,
      surroundings: { ...engine.surroundings, machines: "running" as const },
    };
    await runCertificate(session, options);
    expect(engine.said.at(-1)).toContain("npm run up -- --refresh --stack own");
    expect(await listenerArn()).toBe(otherCertificateArn);
    expect(stack.config["emqx-aws:certificate"]).toEqual({ arn: otherCertificateArn });
    // The provider sets the same TLS policy on the same listener again, which changes nothing there.
    expect(outline(await stack.up("--refresh"))).toEqual({ update: ["ListenerPolicy elb-tls-mqtts"] });
    expect(await listenerArn()).toBe(otherCertificateArn);
    expect(outline(await stack.up("--refresh"))).toEqual({});
  });

  test("changed in the stack alone: the provider changes the load balancer, which makes its listener anew", async () => {
    configure({}, certificateArn);
    expect(outline(await stack.up())).toEqual({
      update: ["ListenerPolicy elb-tls-mqtts", "LoadBalancer elb"],
    });
  });
});
