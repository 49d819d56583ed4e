/** What a change of inputs means: replaced or not, and what a reviewer reads. */
import { names } from "..";
import type { Props, Value } from "../values";
import { unknownValue } from "../values";
import { resourceTypes } from "../services";
import { propertiesOf, type Property } from "../schema";
import { balancerInputs, furnish, keyPair, listener, nodeInputs, trust, World, type Ids } from "./world";

const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const other = "arn:aws:acm:eu-west-1:123456789012:certificate/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02";
const secure = {
  lbPort: 8883,
  lbProtocol: "ssl",
  instancePort: 1883,
  instanceProtocol: "tcp",
  sslCertificateId: certificate,
};

let world: World;
let ids: Ids;
beforeEach(async () => {
  world = new World();
  ids = await furnish(world);
});

/** Creates with some inputs and compares with others. */
async function diff(type: string, inputs: Props, changes: Record<string, Value | undefined>) {
  const { outputs } = await world.create(type, "subject", inputs);
  const oldInputs = checked(type, inputs);
  const news = { ...inputs, ...changes } as Props;
  Object.keys(news).forEach((key) => news[key] === undefined && delete news[key]);
  const difference = world.cloud.diff(type, world.scope, outputs, checked(type, news, oldInputs), oldInputs);
  return {
    changed: difference.changed,
    replaces: difference.replaces,
    deleteBeforeReplace: difference.deleteBeforeReplace,
    detailed: Object.fromEntries(
      [...difference.detailed].map(([path, d]) => [path, d.kind + (d.replace ? " (replace)" : "")]),
    ),
  };
}

function checked(type: string, news: Props, olds?: Props): Props {
  const { inputs, problems } = world.cloud.check(type, {
    name: "subject",
    urn: `urn:pulumi:test::test::${type}::subject`,
    news,
    randomSeed: Buffer.from("subject"),
    ...(olds ? { olds } : {}),
  });
  expect(problems).toEqual([]);
  return inputs;
}

/** The properties whose change replaces the resource, by type. `…?` depends on other inputs. */
const replacing: Record<string, string[]> = {
  Vpc: ["cidrBlock"],
  InternetGateway: [],
  Subnet: ["availabilityZone", "cidrBlock", "vpcId"],
  Eip: ["domain"],
  NatGateway: ["allocationId", "privateIp", "subnetId"],
  RouteTable: ["vpcId"],
  Route: ["destinationCidrBlock", "routeTableId"],
  RouteTableAssociation: ["subnetId"],
  VpcEndpoint: ["serviceName", "vpcEndpointType", "vpcId"],
  VpcEndpointService: [],
  DefaultSecurityGroup: ["vpcId"],
  FlowLog: ["iamRoleArn", "logDestination", "logDestinationType", "trafficType", "vpcId"],
  LogGroup: ["name"],
  SecurityGroup: ["description", "name", "vpcId"],
  SecurityGroupIngressRule: ["securityGroupId"],
  SecurityGroupEgressRule: ["securityGroupId"],
  NetworkInterface: ["subnetId"],
  Instance: ["ami", "availabilityZone", "ebsOptimized", "primaryNetworkInterface", "userData?"],
  Volume: ["availabilityZone", "encrypted", "kmsKeyId"],
  VolumeAttachment: ["deviceName", "instanceId", "volumeId"],
  LoadBalancer: ["internal", "name", "subnets?"],
  Attachment: ["elb", "instance"],
  "lb LoadBalancer": [
    "internal",
    "loadBalancerType",
    "name",
    "secondaryIpsAutoAssignedPerSubnet?",
    "securityGroups?",
    "subnetMappings?",
    "subnets?",
  ],
  "lb TargetGroup": ["ipAddressType", "name", "port", "protocol", "targetType", "vpcId"],
  "lb Listener": ["loadBalancerArn"],
  "lb ListenerCertificate": ["certificateArn", "listenerArn"],
  "lb TargetGroupAttachment": ["availabilityZone", "port", "targetGroupArn", "targetId"],
  LoadBalancerPolicy: ["loadBalancerName", "policyName", "policyTypeName"],
  ListenerPolicy: ["loadBalancerName", "loadBalancerPort"],
  LoadBalancerBackendServerPolicy: ["instancePort", "loadBalancerName"],
  Certificate: [],
  Record: ["name", "zoneId"],
  Role: ["name", "path"],
  RolePolicy: ["name", "role"],
  InstanceProfile: ["name", "path"],
  Parameter: ["name"],
  MetricAlarm: ["name"],
  Dashboard: ["dashboardName"],
  Topic: ["name"],
  Bucket: ["bucket", "bucketPrefix"],
  BucketVersioning: ["bucket"],
  BucketServerSideEncryptionConfiguration: ["bucket"],
  BucketPublicAccessBlock: ["bucket"],
  BucketOwnershipControls: ["bucket"],
  BucketPolicy: ["bucket"],
  BucketLifecycleConfiguration: ["bucket"],
  LifecyclePolicy: [],
  RandomPassword: [
    "keepers",
    "length",
    "lower",
    "minLower",
    "minNumeric",
    "minSpecial",
    "minUpper",
    "number",
    "numeric",
    "overrideSpecial",
    "special",
    "upper",
  ],
  PrivateKey: ["algorithm", "ecdsaCurve", "rsaBits"],
  CertRequest: ["dnsNames", "privateKeyPem", "subject"],
  LocallySignedCert: [
    "allowedUses",
    "caCertPem",
    "caPrivateKeyPem",
    "certRequestPem",
    "isCaCertificate",
    "validityPeriodHours",
  ],
  SelfSignedCert: [
    "allowedUses",
    "dnsNames",
    "isCaCertificate",
    "privateKeyPem",
    "subject",
    "validityPeriodHours",
  ],
};

/** Two services have load balancers. */
const nameOf = (token: string) => (token.startsWith("aws:lb/") ? "lb " : "") + token.split(":").pop()!;

test.each([...resourceTypes.values()].map((t): [string, typeof t] => [nameOf(t.token), t]))(
  "what replaces a %s",
  (name, type) => {
    const force = (p: Property) => p.forceNew;
    const found = Object.entries(propertiesOf(type))
      .filter(([key, p]) => force(p) && key !== "region")
      .map(([key, p]) => (typeof force(p) === "function" ? `${key}?` : key));
    expect(found.sort()).toEqual(replacing[name]);
  },
);

test("every regional type is replaced in another region", async () => {
  const { outputs } = await world.create(names.vpc, "subject", { cidrBlock: "10.9.0.0/16" });
  const news = checked(names.vpc, { cidrBlock: "10.9.0.0/16" });
  const difference = world.cloud.diff(names.vpc, { region: "us-east-1" }, outputs, news, news);
  expect(difference.replaces).toEqual(["region"]);
});

test("the same inputs are no change, whatever AWS filled in", async () => {
  const { changed } = await diff(names.instance, nodeInputs(ids), {});
  expect(changed).toEqual([]);
});

test("tags change by key", async () => {
  const inputs = { cidrBlock: "10.9.0.0/16", tags: { Name: "a", stage: "dev", "a.b": "c" } };
  const { detailed, replaces } = await diff(names.vpc, inputs, { tags: { Name: "b", team: "iot" } });
  expect(replaces).toEqual([]);
  expect(detailed).toEqual({
    "tags.Name": "update",
    "tags.stage": "delete",
    "tags.team": "add",
    'tags["a.b"]': "delete",
  });
});

test("tags that are taken away are deleted", async () => {
  const { detailed } = await diff(
    names.vpc,
    { cidrBlock: "10.9.0.0/16", tags: { Name: "a" } },
    { tags: undefined },
  );
  expect(detailed).toEqual({ tags: "delete" });
});

test("a listener's certificate is shown at its listener", async () => {
  const inputs = { ...balancerInputs(ids), listeners: [listener, secure] };
  const { detailed, replaces } = await diff(names.loadBalancer, inputs, {
    listeners: [listener, { ...secure, sslCertificateId: other }],
  });
  expect(detailed).toEqual({ "listeners[1].sslCertificateId": "update" });
  expect(replaces).toEqual([]);
});

test("the order of a set does not count, nor does the case of a protocol", async () => {
  const inputs = { ...balancerInputs(ids), listeners: [listener, secure] };
  const { changed } = await diff(names.loadBalancer, inputs, {
    listeners: [secure, { ...listener, lbProtocol: "TCP" }],
  });
  expect(changed).toEqual([]);
});

test("a listener more, a listener fewer", async () => {
  const more = await diff(names.loadBalancer, balancerInputs(ids), { listeners: [listener, secure] });
  expect(more.detailed).toEqual({ "listeners[1]": "add" });
  await world.delete(names.loadBalancer, "balancer");
  const fewer = await diff(
    names.loadBalancer,
    { ...balancerInputs(ids), listeners: [listener, secure] },
    { listeners: [secure] },
  );
  expect(fewer.detailed).toEqual({ "listeners[0]": "delete" });
});

test("a load balancer is replaced when none of its subnets stays, and only then", async () => {
  const both = await diff(names.loadBalancer, balancerInputs(ids), {
    subnets: [ids["subnetA"]!, ids["subnetB"]!],
  });
  expect(both.replaces).toEqual([]);
  await world.delete(names.loadBalancer, "balancer");
  const moved = await diff(names.loadBalancer, balancerInputs(ids), { subnets: [ids["subnetB"]!] });
  expect(moved.replaces).toEqual(["subnets"]);
});

test("a fixed name cannot exist twice: delete before replace", async () => {
  const fixed = await diff(names.loadBalancer, balancerInputs(ids), { internal: true });
  expect(fixed).toMatchObject({ replaces: ["internal"], deleteBeforeReplace: true });
});

test("an automatic name is made anew: create before delete", async () => {
  const unnamed = balancerInputs(ids);
  delete unnamed["name"];
  const made = await diff(names.loadBalancer, unnamed, { internal: true });
  expect(made).toMatchObject({ replaces: ["internal"], deleteBeforeReplace: false });
});

test("user data replaces only where the program says so", async () => {
  const userData = "#cloud-config\n";
  const inPlace = await diff(names.instance, nodeInputs(ids), { userData });
  expect(inPlace).toMatchObject({ changed: ["userData"], replaces: [] });
  await world.delete(names.instance, world.cloud.account.list(names.instance)[0]!.id);
  const replace = await diff(
    names.instance,
    { ...nodeInputs(ids), userDataReplaceOnChange: true, userData: "#cloud-config\n# old\n" },
    { userData },
  );
  expect(replace.detailed).toEqual({ userData: "update (replace)" });
});

test("a value that is not known yet may be another: what it replaces is replaced", async () => {
  const { detailed } = await diff(names.instance, nodeInputs(ids), { ami: unknownValue });
  expect(detailed).toEqual({ ami: "update (replace)" });
});

test("policies are compared by meaning", async () => {
  const policy = JSON.parse(trust("ec2.amazonaws.com")) as Props;
  const inputs = { assumeRolePolicy: JSON.stringify(policy) };
  const { changed } = await diff(names.role, inputs, { assumeRolePolicy: JSON.stringify(policy, null, 2) });
  expect(changed).toEqual([]);
});

test("an imported certificate is imported again, never replaced", async () => {
  const [rsa, ec] = [await keyPair("rsa"), await keyPair("ec")];
  const inputs = { certificateBody: rsa.certificate, privateKey: rsa.key };
  const { replaces, changed } = await diff(names.certificate, inputs, {
    certificateBody: ec.certificate,
    privateKey: ec.key,
  });
  expect({ replaces, changed }).toEqual({ replaces: [], changed: ["certificateBody", "privateKey"] });
});

test("a self-signed certificate that runs out is replaced before it does", async () => {
  const type = "tls:index/selfSignedCert:SelfSignedCert";
  const inputs = {
    allowedUses: ["server_auth"],
    privateKeyPem: (await keyPair("rsa")).key,
    validityPeriodHours: 24,
  };
  expect((await diff(type, inputs, {})).changed).toEqual([]);
  expect((await diff(type, { ...inputs, earlyRenewalHours: 48 }, {})).replaces).toEqual(["readyForRenewal"]);
});

test("default tags are in tagsAll, and a change of them is a change", async () => {
  const tagged = new World({ region: "eu-west-1", defaultTags: { owner: "iot", Name: "default" } });
  const { outputs } = await tagged.create(names.vpc, "subject", {
    cidrBlock: "10.9.0.0/16",
    tags: { Name: "mine" },
  });
  expect(outputs).toMatchObject({ tags: { Name: "mine" }, tagsAll: { owner: "iot", Name: "mine" } });
  const scope = { region: "eu-west-1", defaultTags: { owner: "platform" } };
  const news = checked(names.vpc, { cidrBlock: "10.9.0.0/16", tags: { Name: "mine" } });
  const difference = tagged.cloud.diff(names.vpc, scope, outputs, news, news);
  expect([...difference.detailed.keys()]).toEqual(["tagsAll.owner"]);
  expect(difference.replaces).toEqual([]);
});

test("drift is told from a change of the program", async () => {
  const inputs = { cidrBlock: "10.9.0.0/16", tags: { Name: "mine" } };
  const { outputs } = await world.create(names.vpc, "subject", inputs);
  const known = checked(names.vpc, inputs);
  const drifted = { ...outputs, tags: { Name: "theirs" } };
  expect(world.cloud.diff(names.vpc, world.scope, drifted, known, known).detailed.get("tags.Name")).toEqual({
    kind: "update",
    replace: false,
    input: false,
  });
  const renamed = checked(names.vpc, { ...inputs, tags: { Name: "new" } });
  expect(
    world.cloud.diff(names.vpc, world.scope, outputs, renamed, known).detailed.get("tags.Name"),
  ).toMatchObject({
    input: true,
  });
});
