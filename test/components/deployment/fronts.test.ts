/** A deployment goes over from its Classic ELB to a Network Load Balancer: added beside it, then the Classic ELB is dropped. */
import * as pulumi from "@pulumi/pulumi";
import {
  AddressType,
  deploymentProblems,
  EmqxDeployment,
  Listener,
  type EmqxDeploymentArgs,
} from "../../../components";
import { memory, run, valueOf, type RunOptions } from "../../support";

const base: EmqxDeploymentArgs = {
  availabilityZones: ["eu-west-1a", "eu-west-1b"],
  nodeCount: 1,
  certificate: { selfSigned: {} },
  dns: { hostedZoneId: "Z0123456789EXAMPLE01", hostname: "mqtt.example.com" },
  monitoring: {},
};

async function deploy(args: Partial<EmqxDeploymentArgs>, options: RunOptions = {}) {
  const aliases = new Map<string, unknown>();
  const made: EmqxDeployment[] = [];
  const mocks = await run(() => {
    const see: pulumi.ResourceTransformation = ({ name, opts }) => {
      aliases.set(name, (opts as pulumi.CustomResourceOptions).aliases);
      return undefined;
    };
    made.push(new EmqxDeployment("emqx", { ...base, ...args }, { transformations: [see] }));
  }, options);
  const [deployment] = made;
  const names = (type: string) =>
    mocks.registered
      .filter((one) => one.type === type && !one.name.endsWith("-certificate"))
      .map(({ name }) => name);
  return {
    mocks,
    deployment: deployment!,
    records: names("aws:route53/record:Record"),
    certificates: names("aws:acm/certificate:Certificate"),
    alarms: names("aws:cloudwatch/metricAlarm:MetricAlarm").map((name) =>
      name.replace("emqx-monitoring-", ""),
    ),
    instance: mocks.named("emqx-nodes-0", "aws:ec2/instance:Instance").inputs,
    formerOf: async (name: string) => {
      const [alias] = (aliases.get(name) ?? []) as { name: string; parent: pulumi.Input<string> }[];
      return `${await valueOf(pulumi.output(alias?.parent ?? ""))}::${alias?.name}`;
    },
  };
}

test("moves its name, its certificate and no node", async () => {
  const classic = await deploy({});
  const both = await deploy({ classicElb: {}, networkLoadBalancer: {} });
  const network = await deploy({ networkLoadBalancer: {} });

  for (const input of ["userData", "ami", "instanceType"]) {
    expect(both.instance[input]).toBe(classic.instance[input]);
    expect(network.instance[input]).toBe(classic.instance[input]);
  }
  // Record and certificate are there once, and each is the one that there was before.
  expect([classic, both, network].map(({ records }) => records)).toEqual([
    ["emqx-elb-dns"],
    ["emqx-nlb-dns"],
    ["emqx-nlb-dns"],
  ]);
  expect([classic, both, network].map(({ certificates }) => certificates)).toEqual([
    ["emqx-elb-self-signed"],
    ["emqx-nlb-self-signed"],
    ["emqx-nlb-self-signed"],
  ]);
  for (const end of ["dns", "self-signed", "self-signed-ca", "self-signed-1"]) {
    const was = "emqx-aws:index:EmqxDeployment$emqx-aws:index:EmqxClassicElb::emqx-elb";
    expect(await both.formerOf(`emqx-nlb-${end}`)).toBe(`urn:pulumi:test::emqx-aws::${was}::emqx-elb-${end}`);
    // And back again.
    expect(await classic.formerOf(`emqx-elb-${end}`)).toMatch(
      new RegExp(`EmqxNetworkLoadBalancer::emqx-nlb::emqx-nlb-${end}$`),
    );
  }
  const made = both.mocks.named("emqx-nlb-self-signed", "aws:acm/certificate:Certificate").outputs!["arn"];
  expect(both.mocks.named("emqx-elb", "aws:elb/loadBalancer:LoadBalancer").inputs["listeners"]).toMatchObject(
    [{}, { sslCertificateId: made }],
  );
  expect(await valueOf(both.deployment.mqttsUrl)).toBe("mqtts://mqtt.example.com:8883");
  expect(await valueOf(both.deployment.dnsName)).toMatch(/^emqx-nlb-.*\.elb\.eu-west-1\.amazonaws\.com$/);
  expect(await valueOf(both.deployment.classicElb.mqttsUrl)).toMatch(/^mqtts:\/\/emqx-elb-.*:8883$/);
  expect(() => network.deployment.classicElb).toThrow("unless classicElb: {} is given");
  expect(both.alarms).toEqual(
    expect.arrayContaining(["no-healthy-host", "no-healthy-target", "rejected-flows"]),
  );
  expect(network.alarms).not.toContain("no-healthy-host");
  expect(network.alarms).toContain("unhealthy-targets");
});

const certificate = {
  arn: "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01",
};

test("lets no zone of the load balancer go, which AWS would make anew", async () => {
  const three = {
    availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
    networkLoadBalancer: {},
    certificate,
  };
  const before = await deploy(three);
  const stashes = {
    ...memory(before.mocks),
    "emqx-nlb-subnets": [
      ...(memory(before.mocks)["emqx-nlb-subnets"] as string[]).slice(0, 2),
      "subnet-0123456789abcdef0",
    ],
  };
  await expect(deploy(three, { stashes })).rejects.toThrow(
    /subnetIds: the load balancer emqx-nlb stands in .*subnet-0123456789abcdef0 is not at its place any more/,
  );
});

test.each<[string, Partial<EmqxDeploymentArgs>, string[]]>([
  ["a keep-alive of 213 s", { keepAliveSeconds: 213 }, []],
  [
    "a keep-alive of 300 s",
    { keepAliveSeconds: 300 },
    [expect.stringMatching(/^keepAliveSeconds: 300 is over 213, and a TLS listener/) as string],
  ],
  [
    "a keep-alive of 3,000 s without TLS, beside a Classic ELB",
    { keepAliveSeconds: 3000, listeners: [Listener.Mqtt], certificate: undefined, classicElb: {} },
    [
      "keepAliveSeconds: 3000 is not a whole number of seconds from 1 to 2380; a Classic ELB's idle timeout ends at 3600 s",
    ],
  ],
  [
    "a keep-alive of 3,000 s without TLS",
    { keepAliveSeconds: 3000, listeners: [Listener.Mqtt], certificate: undefined },
    [],
  ],
  [
    "PROXY protocol at one of two",
    { classicElb: { proxyProtocol: true } },
    [
      "networkLoadBalancer.proxyProtocol: is false, and classicElb.proxyProtocol is true; nodes speak it with all load balancers " +
        "or with none, so set both or neither",
    ],
  ],
  [
    "IPv6 in the VPC that is made",
    { networkLoadBalancer: { addressType: AddressType.DualStack } },
    [
      "networkLoadBalancer.addressType: DualStack needs subnets with IPv6, which the VPC that is made has not; leave it out, or " +
        "use existingVpc",
    ],
  ],
])("%s", (_, args, problems) => {
  expect(deploymentProblems("emqx", { ...base, networkLoadBalancer: {}, ...args })).toEqual(problems);
});
