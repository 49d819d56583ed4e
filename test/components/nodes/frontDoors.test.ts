/** What stands in front of nodes changes while they run: none is replaced, and each learns of it by its parameters. */
import type * as resource from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import {
  EmqxClassicElb,
  EmqxClusterNodes,
  EmqxNetworkLoadBalancer,
  EmqxSecurityGroup,
  EmqxVpc,
} from "../../../components";
import { run } from "../../support";

async function deploy(fronts: { classic: boolean; network: boolean }) {
  const mocks = await run(() => {
    const vpc = new EmqxVpc("net", { availabilityZones: ["eu-west-1a", "eu-west-1b"] });
    const groups = new EmqxSecurityGroup("mq", { vpcId: vpc.vpcId });
    const front = {
      subnetIds: vpc.publicSubnetIds,
      securityGroupIds: [groups.loadBalancerSecurityGroupId],
      certificate: { selfSigned: {} },
    };
    const elb = fronts.classic ? new EmqxClassicElb("elb", front) : undefined;
    const nlb = fronts.network
      ? new EmqxNetworkLoadBalancer("nlb", { ...front, vpcId: vpc.vpcId })
      : undefined;
    new EmqxClusterNodes("emqx", {
      nodes: [
        { subnetId: vpc.privateSubnetIds[0]!, availabilityZone: "eu-west-1a", privateIp: "192.168.0.10" },
      ],
      securityGroupIds: [groups.nodeSecurityGroupId],
      loadBalancerNames: elb ? [elb.loadBalancerName] : [],
      targetGroupArns: nlb ? nlb.targetGroupArns : [],
    });
  });
  const instance = mocks.named("emqx-0", "aws:ec2/instance:Instance");
  const registered = [
    ...mocks.ofType("aws:elb/attachment:Attachment"),
    ...mocks.ofType("aws:lb/targetGroupAttachment:TargetGroupAttachment"),
  ];
  const group = mocks.ofType("aws:lb/targetGroup:TargetGroup")[0]?.outputs?.["arn"];
  return {
    instance: instance.inputs,
    instanceId: instance.id,
    registered: registered.map(({ name, inputs }) => ({ name, inputs })),
    group,
    told: String(mocks.named("emqx-cluster", "aws:ssm/parameter:Parameter").inputs["insecureValue"]),
    allowed: /elasticloadbalancing:\w+/g,
    policy: String(mocks.named("emqx", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]),
  };
}

test("a node is a target until its instance has stopped, and leaves a Classic ELB before", async () => {
  const needed = new Map<string, string[]>();
  const name = (urn: string) => urn.split("::").at(-1)!;
  const register = jest.spyOn(MockMonitor.prototype, "registerResource");
  await deploy({ classic: true, network: true });
  for (const [request] of register.mock.calls as [resource.RegisterResourceRequest, unknown][]) {
    needed.set(`${request.getType()} ${request.getName()}`, request.getDependenciesList().map(name));
  }
  register.mockRestore();
  // What needs another is deleted before it; with the attachment of its volume an instance stops.
  expect(needed.get("aws:ec2/volumeAttachment:VolumeAttachment emqx-0-data")).toContain("emqx-0-tg-0");
  expect(needed.get("aws:elb/attachment:Attachment emqx-0-lb-0")).toContain("emqx-0-data");
});

test("Classic ELB, then both, then the Network Load Balancer alone", async () => {
  const classic = await deploy({ classic: true, network: false });
  const both = await deploy({ classic: true, network: true });
  const network = await deploy({ classic: false, network: true });

  // What replaces an instance is the same in all three.
  for (const input of ["userData", "ami", "instanceType"]) {
    expect(both.instance[input]).toBe(classic.instance[input]);
    expect(network.instance[input]).toBe(classic.instance[input]);
  }
  expect([classic, both, network].map(({ registered }) => registered.map(({ name }) => name))).toEqual([
    ["emqx-0-lb-0"],
    ["emqx-0-lb-0", "emqx-0-tg-0"],
    ["emqx-0-tg-0"],
  ]);
  expect(network.registered[0]!.inputs).toMatchObject({
    targetGroupArn: network.group,
    targetId: network.instanceId,
  });
  expect([classic, both, network].map(({ policy, allowed }) => policy.match(allowed))).toEqual([
    ["elasticloadbalancing:DescribeInstanceHealth"],
    ["elasticloadbalancing:DescribeInstanceHealth", "elasticloadbalancing:DescribeTargetHealth"],
    ["elasticloadbalancing:DescribeTargetHealth"],
  ]);
  expect(classic.told).not.toContain("TARGET_GROUPS");
  expect(both.told).toContain(`TARGET_GROUPS='${String(both.group)}'\nLOAD_BALANCER_COUNT='1'\n`);
  expect(network.told).toContain(`TARGET_GROUPS='${String(network.group)}'\nLOAD_BALANCER_COUNT='0'\n`);
});
