/**
 * Previews in which only AWS or another resource can tell that an input is wrong. A program of its own: an output that is
 * refused ends a real one through an unhandled rejection, which jest keeps for itself.
 */
import * as pulumi from "@pulumi/pulumi";
import * as aws from "@pulumi/aws";
import {
  EmqxBackup,
  EmqxClassicElb,
  EmqxClusterNodes,
  EmqxDeployment,
  EmqxMonitoring,
  EmqxNetworkLoadBalancer,
  EmqxVpc,
} from "../../components";
import { RegionMocks } from "@emqx-aws/simulator";

const kmsKeyId = "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f";
const alarmTopicArn = "arn:aws:sns:eu-west-1:123456789012:on-call";
const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const prefix = { parameterPrefix: "/emqx/project/stack/emqx-nodes", roleName: "emqx-nodes" };
const watched = {
  ...prefix,
  loadBalancerName: "emqx",
  nodes: [{ instanceId: "i-0123456789abcdef0", nodeName: "emqx@192.168.0.10" }],
};
const place = {
  subnetIds: pulumi.output(["subnet-0123456789abcdef0"]),
  securityGroupIds: ["sg-0123456789abcdef0"],
};
const nodes = (zone = "eu-west-1a", more: object = {}) => ({
  nodes: [
    {
      subnetId: pulumi.output("subnet-0123456789abcdef0"),
      availabilityZone: zone,
      privateIp: "192.168.0.10",
    },
  ],
  securityGroupIds: place.securityGroupIds,
  ...more,
});

type Options = pulumi.ComponentResourceOptions;

const licensed = (licenseKey: unknown) => (options: Options) =>
  new EmqxClusterNodes("mq", nodes("eu-west-1a", { emqxVersion: "6.2.3", licenseKey }), options);

type Case = [what: string, program: (options: Options) => unknown, words: string, region?: string];

/** With a provider of us-east-1; with one of eu-west-1 nothing is wrong. */
export const ofAnotherRegion: Case[] = [
  [
    "EmqxVpc",
    (options) => new EmqxVpc("net", { availabilityZones: ["eu-west-1a"] }, options),
    "availabilityZones: eu-west-1a is not in us-east-1, the region of the aws provider",
  ],
  [
    "EmqxClusterNodes",
    (options) => new EmqxClusterNodes("mq", nodes(), options),
    "nodes: eu-west-1a is not in us-east-1, the region of the aws provider",
  ],
  [
    "EmqxDeployment",
    (options) =>
      new EmqxDeployment(
        "mq",
        { availabilityZones: ["eu-west-1a"], certificate: { selfSigned: {} } },
        options,
      ),
    "availabilityZones: eu-west-1a is not in us-east-1, the region of the aws provider",
  ],
  [
    "EmqxClassicElb",
    (options) => new EmqxClassicElb("lb", { ...place, certificate: { arn: certificateArn } }, options),
    "is in eu-west-1, but the deployment is in us-east-1; use one of us-east-1",
  ],
  [
    "EmqxNetworkLoadBalancer",
    (options) =>
      new EmqxNetworkLoadBalancer(
        "lb",
        { ...place, vpcId: "vpc-0123456789abcdef0", certificate: { arn: certificateArn } },
        options,
      ),
    "is in eu-west-1, but the deployment is in us-east-1; use one of us-east-1",
  ],
  [
    "EmqxMonitoring",
    (options) => new EmqxMonitoring("watch", { ...watched, alarmTopicArn }, options),
    "is in eu-west-1, but the deployment is in us-east-1; use one of us-east-1",
  ],
  [
    "EmqxBackup",
    (options) => new EmqxBackup("keep", { ...prefix, kmsKeyId }, options),
    "is in eu-west-1, but the deployment is in us-east-1; use one of us-east-1",
  ],
];

/** With a provider of the region that is given, or of eu-west-1. */
export const unknownToAws: Case[] = [
  [
    "a zone that the account lacks",
    (options) => new EmqxVpc("net", { availabilityZones: ["eu-west-1a", "eu-west-1d"] }, options),
    "availabilityZones: eu-west-1d is no zone of this account in eu-west-1; it has eu-west-1a, eu-west-1b, eu-west-1c",
  ],
  [
    "a node's zone",
    (options) => new EmqxClusterNodes("mq", nodes("eu-west-1e"), options),
    "nodes: eu-west-1e is no zone of this account in eu-west-1",
  ],
  [
    "a type that a zone lacks",
    (options) => new EmqxClusterNodes("mq", nodes("us-east-1e"), options),
    'instance.type: us-east-1e does not offer "m7g.large"; use another type',
    "us-east-1",
  ],
  [
    "a type newer than the list, which EC2 does not know",
    (options) =>
      new EmqxClusterNodes("mq", nodes("eu-west-1a", { instance: { type: "m10g.large" } }), options),
    'instance.type: eu-west-1a does not offer "m10g.large"; use another type',
  ],
];

export const ofOtherResources: Case[] = [
  ["an empty licence key", licensed(pulumi.secret("")), "licenseKey: is empty"],
  ["a blank one", licensed(pulumi.output(" \n")), "licenseKey: is empty"],
  [
    "one that is a file's name",
    licensed(Promise.resolve("licence.key")),
    "licenseKey: is not an EMQX licence key",
  ],
  ["one that is no text", licensed(pulumi.output(12)), "licenseKey: is not a text"],
  [
    "a tag",
    (options) =>
      new EmqxVpc(
        "net",
        { availabilityZones: ["eu-west-1a"], tags: { team: pulumi.output("R&D") } },
        options,
      ),
    'tags.team: "R&D" has characters that not every AWS service takes',
  ],
  [
    "a bucket",
    (options) =>
      new EmqxClassicElb(
        "lb",
        {
          ...place,
          certificate: { arn: certificateArn },
          accessLogs: { bucket: pulumi.output("No_Bucket") },
        },
        options,
      ),
    'accessLogs.bucket: "No_Bucket" is not the name of an S3 bucket',
  ],
  [
    "a path of parameters",
    (options) => new EmqxBackup("keep", { ...prefix, parameterPrefix: pulumi.output("emqx") }, options),
    'parameterPrefix: "emqx" is not a path of SSM parameters',
  ],
];

async function preview(program: Case[1], region: aws.Region): Promise<string> {
  const told: string[] = [];
  const refused = new Promise<void>((resolve) => {
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (error: Error) => {
      told.push(error.message);
      // The others that wait for the same answer follow at once.
      setTimeout(resolve, 50);
    });
  });
  await pulumi.runtime.setMocks(new RegionMocks(), "emqx-aws", "test", true);
  program({ provider: new aws.Provider("own", { region }) });
  await Promise.race([pulumi.runtime.disconnect(), refused]);
  // A refusal on the way to the last resource may be told just after the end.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return [...new Set(told)].join("\n");
}

/** The mocks of Pulumi's own pages: an id made of the name, the inputs as the state, and an answer of nothing. */
async function withTextbookMocks(own: boolean): Promise<string> {
  const told: string[] = [];
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (error: Error) => told.push(error.message));
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs as object }),
      call: () => ({}),
    },
    "project",
    "stack",
    true,
  );
  new EmqxDeployment("mq", {
    availabilityZones: ["eu-west-1a"],
    nodeCount: 1,
    ...(own ? { certificate: { arn: certificateArn } } : { certificate: { selfSigned: {} } }),
    ...{
      dns: { hostname: "mqtt.example.com", hostedZoneId: "Z1" },
      instance: { amiId: "ami-0123456789abcdef0" },
    },
    ...{ monitoring: {}, backup: {}, vpc: { flowLogs: {} } },
  });
  await Promise.race([pulumi.runtime.disconnect(), new Promise((resolve) => setTimeout(resolve, 3000))]);
  return [...new Set(told)].join("\n");
}

async function main(): Promise<void> {
  const told: Record<string, string> = {};
  for (const [what, program] of ofAnotherRegion) {
    told[`${what} in its own region`] = await preview(program, "eu-west-1");
    told[what] = await preview(program, "us-east-1");
  }
  for (const [what, program, , region] of [...unknownToAws, ...ofOtherResources]) {
    told[what] = await preview(program, (region ?? "eu-west-1") as aws.Region);
  }
  for (const own of [true, false]) {
    told[`textbook mocks, certificate of one's own: ${own}`] = await withTextbookMocks(own);
  }
  process.stdout.write(JSON.stringify(told), () => process.exit(0));
}

if (require.main === module) {
  void main();
}
