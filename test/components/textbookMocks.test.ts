/**
 * The mocks of Pulumi's own guide to unit tests: every resource's outputs are its inputs, every look-up gives nothing or
 * what it was asked with. Programs that use the components are tested with these, so no component may need more.
 * https://www.pulumi.com/docs/iac/guides/testing/unit/
 */
import * as pulumi from "@pulumi/pulumi";
import * as library from "../../components";

jest.setTimeout(120_000);

const calls: Record<string, pulumi.runtime.Mocks["call"]> = {
  "calls give {}": () => ({}),
  "calls give what they were asked with": ({ inputs }) => inputs as Record<string, unknown>,
};

const registered: pulumi.runtime.MockResourceArgs[] = [];
const newResource: pulumi.runtime.Mocks["newResource"] = (args) => {
  registered.push(args);
  return { id: `${args.name}_id`, state: args.inputs as Record<string, unknown> };
};

const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const topic = "arn:aws:sns:eu-west-1:123456789012:alarms";

const programs: Record<string, () => pulumi.ComponentResource> = {
  EmqxVpc: () => new library.EmqxVpc("vpc", { availabilityZones: zones, flowLogs: {} }),
  EmqxSecurityGroup: () => new library.EmqxSecurityGroup("groups", { vpcId: "vpc-0123456789abcdef0" }),
  EmqxClusterNodes: () =>
    new library.EmqxClusterNodes("nodes", {
      nodes: [
        { subnetId: "subnet-0aaaaaaaaaaaaaaaa", availabilityZone: "eu-west-1a", privateIp: "192.168.0.20" },
        { subnetId: "subnet-0bbbbbbbbbbbbbbbb", availabilityZone: "eu-west-1b", privateIp: "192.168.1.20" },
        { subnetId: "subnet-0cccccccccccccccc", availabilityZone: "eu-west-1c", privateIp: "192.168.2.20" },
      ],
      securityGroupIds: ["sg-0123456789abcdef0"],
      loadBalancerNames: ["lb"],
    }),
  EmqxClassicElb: () =>
    new library.EmqxClassicElb("elb", {
      subnetIds: ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
      securityGroupIds: ["sg-0123456789abcdef0"],
      listeners: [library.Listener.Mqtts],
      certificate: { selfSigned: {} },
    }),
  "EmqxClassicElb with names and logs": () =>
    new library.EmqxClassicElb("elb", {
      subnetIds: ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
      securityGroupIds: ["sg-0123456789abcdef0"],
      certificate: { arn: certificateArn },
      dns: { hostname: "mqtt.example.com", hostedZoneId: "Z0123456789ABC" },
      accessLogs: { bucket: "logs" },
    }),
  "EmqxNetworkLoadBalancer with everything": () =>
    new library.EmqxNetworkLoadBalancer("nlb", {
      vpcId: "vpc-0123456789abcdef0",
      subnetIds: ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
      securityGroupIds: ["sg-0123456789abcdef0"],
      certificate: { arn: certificateArn },
      staticAddresses: true,
      endpointService: {},
      dns: { hostname: "mqtt.example.com", hostedZoneId: "Z0123456789ABC" },
    }),
  EmqxBackup: () =>
    new library.EmqxBackup("backup", { parameterPrefix: "/emqx/mine/test/nodes", roleName: "nodes" }),
  EmqxDeployment: () =>
    new library.EmqxDeployment("emqx", { availabilityZones: zones, certificate: { arn: certificateArn } }),
  "EmqxDeployment with everything": () =>
    new library.EmqxDeployment("emqx", {
      availabilityZones: zones,
      certificate: { selfSigned: {} },
      listeners: [library.Listener.Mqtt, library.Listener.Mqtts, library.Listener.Ws, library.Listener.Wss],
      monitoring: { alarmTopicArn: topic },
      backup: {},
      vpc: { flowLogs: {} },
      classicElb: { proxyProtocol: true },
      protect: true,
      dns: { hostname: "mqtt.example.com", hostedZoneId: "Z0123456789ABC" },
    }),
};

describe.each(Object.keys(calls))("%s", (kind) => {
  describe.each([true, false])("preview: %s", (preview) => {
    test.each(Object.keys(programs))("%s", async (name) => {
      registered.length = 0;
      await pulumi.runtime.setMocks({ newResource, call: calls[kind]! }, "mine", "test", preview);
      const component = programs[name]!();
      await pulumi.runtime.disconnect();
      const type = `emqx-aws:index:${component.constructor.name}`;
      expect(registered.map((one) => one.type)).toContain(type);
      expect(registered.length).toBeGreaterThan(3);
    });
  });
});
