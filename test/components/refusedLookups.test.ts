/** What the library asks AWS, and AWS refuses to say: the program ends at once, with AWS's words. */
import { EmqxClusterNodes, EmqxDeployment } from "../../components";
import { Cloud, newAccount } from "@emqx-aws/simulator";
import { AwsError } from "@emqx-aws/simulator/errors";
import { addVpc } from "@emqx-aws/simulator/seedAdditions";
import { run } from "../support";

afterEach(() => jest.restoreAllMocks());

const amiId = "ami-0123456789abcdef0";
const deployment = (changes: object) => () =>
  new EmqxDeployment("mq", {
    availabilityZones: ["eu-west-1a"],
    nodeCount: 1,
    certificate: { arn: "arn:aws:iam::123456789012:server-certificate/mqtt-example-com" },
    ...changes,
  });
const everything = deployment({
  ...{ dns: { hostname: "mqtt.example.com", hostedZoneId: "Z0123456789EXAMPLE01" } },
  ...{ monitoring: {}, backup: {}, vpc: { flowLogs: {} } },
});
const inSubnetOfAnother = () =>
  new EmqxClusterNodes("mq", {
    nodes: [
      { subnetId: "subnet-0123456789abcdef0", availabilityZone: "eu-west-1a", privateIp: "192.168.0.10" },
    ],
    securityGroupIds: ["sg-0123456789abcdef0"],
  });

const [vpcId, subnetId] = ["vpc-0123456789abcdef1", "subnet-0123456789abcdef1"];
const besideOthers = deployment({
  existingVpc: { vpcId, privateSubnetIds: [subnetId] },
  classicElb: { internal: true },
});
function accountWithVpc() {
  const account = newAccount();
  addVpc(account, { id: vpcId, region: "eu-west-1", subnets: [{ id: subnetId, zone: "eu-west-1a" }] });
  return account;
}

/** Every function of the provider that the library calls, and a program that does. */
const lookups: [token: string, program: () => unknown][] = [
  ["aws:index/getAvailabilityZones:getAvailabilityZones", everything],
  ["aws:index/getCallerIdentity:getCallerIdentity", everything],
  ["aws:index/getDefaultTags:getDefaultTags", everything],
  ["aws:index/getPartition:getPartition", everything],
  ["aws:index/getRegion:getRegion", everything],
  ["aws:ec2/getInstanceType:getInstanceType", everything],
  ["aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings", everything],
  ["aws:iam/getServerCertificate:getServerCertificate", everything],
  ["aws:route53/getZone:getZone", everything],
  ["aws:ssm/getParameter:getParameter", everything],
  ["aws:ec2/getAmi:getAmi", deployment({ instance: { amiId } })],
  ["aws:ec2/getSubnet:getSubnet", inSubnetOfAnother],
  ["aws:ec2/getNetworkInterfaces:getNetworkInterfaces", besideOthers],
];

describe.each([true, false])("preview: %s", (preview) => {
  test.each(lookups)(
    "%s",
    async (token, program) => {
      const { invoke } = Cloud.prototype;
      jest.spyOn(Cloud.prototype, "invoke").mockImplementation(function (this: Cloud, ...args) {
        if (args[0] === token) throw new AwsError("UnauthorizedOperation", `no ${token}`);
        return invoke.apply(this, args);
      });
      await expect(run(program, { preview, account: accountWithVpc() })).rejects.toThrow(
        `UnauthorizedOperation: no ${token}`,
      );
    },
    20_000,
  );
});

test("these are all", async () => {
  const asked = jest.spyOn(Cloud.prototype, "invoke");
  for (const program of new Set(lookups.map(([, one]) => one))) {
    await run(program, { preview: true, account: accountWithVpc() }).catch(() => undefined);
  }
  const tokens = new Set(asked.mock.calls.map(([token]) => token));
  expect([...tokens].sort()).toEqual(lookups.map(([token]) => token).sort());
});

test("an image that the account does not have", async () => {
  await expect(run(deployment({ instance: { amiId } }), { preview: true })).rejects.toThrow(
    `instance.amiId: this account has no image ${amiId} in the provider's region`,
  );
});
