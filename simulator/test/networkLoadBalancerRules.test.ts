/** What AWS and the provider refuse about Network Load Balancers, at both doors; what a change of one replaces. */
import { names } from "..";
import type { Props } from "../values";
import { askAtBothDoors, type Row } from "./rows";
import { furnish, keyPair, nodeInputs, World, type Door, type Ids } from "./world";

const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const elsewhere = "arn:aws:acm:us-east-1:123456789012:certificate/9d8c7b6a-5f4e-4d3c-9b2a-1f0e9d8c7b03";
const trustStore = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:truststore/fleet/0123456789abcdef";

const balancer = (ids: Ids): Props => ({
  name: "front",
  loadBalancerType: "network",
  subnets: [ids["subnetA"]!],
  securityGroups: [ids["group"]!],
});
const group = (ids: Ids): Props => ({ name: "mqtt", port: 1883, protocol: "TCP", vpcId: ids["vpc"]! });
const health = {
  protocol: "HTTP",
  port: "18083",
  path: "/status",
  interval: 10,
  timeout: 5,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
};
const listener = (ids: Ids): Props => ({
  loadBalancerArn: ids["nlb"]!,
  port: 1883,
  protocol: "TCP",
  defaultActions: [{ type: "forward", targetGroupArn: ids["targets"]! }],
});
const tls = (ids: Ids): Props => ({
  ...listener(ids),
  port: 8883,
  protocol: "TLS",
  certificateArn: certificate,
});

const add =
  (key: string, type: string, inputs: (ids: Ids) => Props, name = key) =>
  async (door: Door, ids: Ids) =>
    (ids[key] = (await door.create(type, name, inputs(ids))).id);
const nlb = add("nlb", names.networkLoadBalancer, balancer);
const targets = add("targets", names.targetGroup, group);
const front = async (door: Door, ids: Ids) => {
  await nlb(door, ids);
  await targets(door, ids);
};
const node = add("instance", names.instance, nodeInputs);

type Change = Props | ((ids: Ids) => Props);
const changed = (base: (ids: Ids) => Props, changes: Change) => (ids: Ids) => ({
  ...base(ids),
  ...(typeof changes === "function" ? changes(ids) : changes),
});
const ofBalancer = (rule: string, changes: Change, error: Row["error"], given?: Row["given"]): Row => ({
  rule,
  type: names.networkLoadBalancer,
  inputs: changed(balancer, changes),
  error,
  ...(given && { given }),
});
const ofGroup = (rule: string, changes: Change, error: Row["error"], given?: Row["given"]): Row => ({
  rule,
  type: names.targetGroup,
  inputs: changed(group, changes),
  error,
  ...(given && { given }),
});
const ofListener = (
  rule: string,
  base: (ids: Ids) => Props,
  changes: Change,
  error: Row["error"],
  given: Row["given"] = front,
): Row => ({ rule, type: names.networkListener, given, inputs: changed(base, changes), error });

const twins = async (door: Door, ids: Ids) => {
  await front(door, ids);
  await add("first", names.networkListener, listener)(door, ids);
};

askAtBothDoors([
  // Load balancers
  ofBalancer(
    "an Application Load Balancer",
    { loadBalancerType: "application" },
    /models Network Load Balancers/,
  ),
  ofBalancer("a name of 33 characters", { name: "n".repeat(33) }, /cannot be longer than 32 characters/),
  ofBalancer("a name with a dot", { name: "front.door" }, /only alphanumeric characters and hyphens/),
  ofBalancer("a name with a hyphen first", { name: "-front" }, /cannot begin with a hyphen/),
  ofBalancer("a name with a hyphen last", { name: "front-" }, /cannot end with a hyphen/),
  ofBalancer("a name that AWS keeps", { name: "internal-front" }, /cannot begin with "internal-"/),
  ofBalancer("a name that is taken", {}, "DuplicateLoadBalancerName", nlb),
  ofBalancer(
    "subnets and mappings",
    (ids) => ({ subnetMappings: [{ subnetId: ids["subnetA"]! }] }),
    /must be specified/,
  ),
  ofBalancer("no subnet", { subnets: [] }, "ValidationError"),
  ofBalancer("a subnet that is not", { subnets: ["subnet-0"] }, "InvalidSubnet"),
  ofBalancer(
    "subnets of two VPCs",
    (ids) => ({ subnets: [ids["subnetA"]!, ids["otherSubnet"]!] }),
    "InvalidSubnet",
  ),
  ofBalancer(
    "an internet-facing one without a gateway",
    (ids) => ({ subnets: [ids["otherSubnet"]!], securityGroups: [ids["otherGroup"]!] }),
    "has no internet gateway",
  ),
  ofBalancer(
    "two subnets of a zone",
    (ids) => ({ subnets: [ids["subnetA"]!, ids["twin"]!] }),
    "InvalidConfigurationRequest",
    add("twin", names.subnet, (ids) => ({
      vpcId: ids["vpc"]!,
      cidrBlock: "10.0.9.0/24",
      availabilityZone: "eu-west-1a",
    })),
  ),
  ofBalancer(
    "a security group of another VPC",
    (ids) => ({ securityGroups: [ids["otherGroup"]!] }),
    "InvalidSecurityGroup",
  ),
  ofBalancer(
    "an Elastic IP that is not",
    (ids) => ({
      subnets: null,
      subnetMappings: [{ subnetId: ids["subnetA"]!, allocationId: "eipalloc-0" }],
    }),
    "AllocationIdNotFound",
  ),
  ofBalancer(
    "an Elastic IP that a NAT gateway has",
    (ids) => ({
      subnets: null,
      subnetMappings: [{ subnetId: ids["subnetA"]!, allocationId: ids["eip"]! }],
    }),
    /AllocationIdNotFound: The allocation IDs are not available for use/,
    add("nat", names.natGateway, (ids) => ({ subnetId: ids["subnetB"]!, allocationId: ids["eip"]! })),
  ),
  ofBalancer(
    "an Elastic IP of an internal one",
    (ids) => ({
      internal: true,
      subnets: null,
      subnetMappings: [{ subnetId: ids["subnetA"]!, allocationId: ids["eip"]! }],
    }),
    "ValidationError",
  ),
  ofBalancer("IPv6 in subnets without", { ipAddressType: "dualstack" }, /associated IPv6 CIDR block/),
  ofBalancer(
    "IPv6 of an internal one",
    { ipAddressType: "dualstack", internal: true },
    /Internal load balancers/,
  ),
  ofBalancer(
    "eight more addresses",
    { secondaryIpsAutoAssignedPerSubnet: 8 },
    /expected a number from 0 to 7/,
  ),
  ofBalancer(
    "logs into a bucket that takes Classic ELBs' only",
    { accessLogs: { bucket: "emqx-private-example", enabled: true } },
    /delivery\.logs\.amazonaws\.com must be allowed/,
  ),
  ofBalancer(
    "logs into another region",
    { accessLogs: { bucket: "emqx-access-logs-example-us", enabled: true } },
    "InvalidConfigurationRequest",
  ),

  // Target groups
  ofGroup("a long name of a group", { name: "n".repeat(33) }, /cannot be longer than 32 characters/),
  ofGroup("a group's name that is taken", {}, "DuplicateTargetGroupName", targets),
  ofGroup("a group without a VPC", { vpcId: null as never }, /"vpcId" must be specified/),
  ofGroup("a group in a VPC that is not", { vpcId: "vpc-0" }, "InvalidVpcID.NotFound"),
  ofGroup("a group for HTTP", { protocol: "HTTP" }, /expected one of TCP, TLS/),
  ofGroup("a delay of 3,601 s", { deregistrationDelay: 3601 }, /from 0 to 3600/),
  ofGroup("a check every 4 s", { healthCheck: { ...health, interval: 4 } }, /from 5 to 300/),
  ofGroup("a check of one answer", { healthCheck: { ...health, healthyThreshold: 1 } }, /from 2 to 10/),
  ofGroup("a check that ends after the next", { healthCheck: { ...health, timeout: 11 } }, "ValidationError"),
  ofGroup(
    "a check of TCP with a path",
    { healthCheck: { protocol: "TCP", path: "/status" } },
    /not supported for health checks with protocol TCP/,
  ),
  ofGroup("a path without a slash", { healthCheck: { ...health, path: "status" } }, /must begin with a '\/'/),
  ofGroup("a check of answers 100", { healthCheck: { ...health, matcher: "100" } }, /within '200-599'/),
  ofGroup("a check of no port", { healthCheck: { ...health, port: "70000" } }, /traffic-port/),
  ofGroup(
    "connections that live on for longer than 100 hours",
    {
      targetHealthStates: [
        { enableUnhealthyConnectionTermination: false, unhealthyDrainingInterval: 360001 },
      ],
    },
    /from 0 to 360000/,
  ),

  // Listeners
  ofListener(
    "a listener of nothing",
    listener,
    { loadBalancerArn: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/x/0" },
    "LoadBalancerNotFound",
  ),
  ofListener("a listener without a port", listener, { port: null as never }, "ValidationError"),
  ofListener("a listener for UDP", listener, { protocol: "UDP" }, /expected one of TCP, TLS/),
  ofListener("a port that is taken", listener, {}, "DuplicateListener", twins),
  ofListener("an idle timeout of 59 s", listener, { tcpIdleTimeoutSeconds: 59 }, /from 60 to 6000/),
  ofListener("an idle timeout of 6,001 s", listener, { tcpIdleTimeoutSeconds: 6001 }, /from 60 to 6000/),
  ofListener(
    "a group that is not",
    listener,
    {
      defaultActions: [
        {
          type: "forward",
          targetGroupArn: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/x/0",
        },
      ],
    },
    "TargetGroupNotFound",
  ),
  ofListener(
    "a group of another VPC",
    listener,
    (ids) => ({ defaultActions: [{ type: "forward", targetGroupArn: ids["other"]! }] }),
    "InvalidConfigurationRequest",
    async (door, ids) => {
      await front(door, ids);
      await add("other", names.targetGroup, (all) => ({ ...group(all), name: "o", vpcId: all["otherVpc"]! }))(
        door,
        ids,
      );
    },
  ),
  ofListener(
    "a group of another load balancer",
    listener,
    (ids) => ({ loadBalancerArn: ids["second"]! }),
    "TargetGroupAssociationLimit",
    async (door, ids) => {
      await twins(door, ids);
      await add("second", names.networkLoadBalancer, (all) => ({ ...balancer(all), name: "second" }))(
        door,
        ids,
      );
    },
  ),
  ofListener("TLS without a certificate", tls, { certificateArn: null as never }, "CertificateNotFound"),
  ofListener("a certificate of another region", tls, { certificateArn: elsewhere }, "CertificateNotFound"),
  ofListener("a certificate without TLS", listener, { certificateArn: certificate }, /Only TLS listeners/),
  ofListener(
    "a policy that is not",
    tls,
    { sslPolicy: "ELBSecurityPolicy-TLS13-1-4-2030-01" },
    "SSLPolicyNotFound",
  ),
  ofListener(
    "clients' certificates without TLS",
    listener,
    { mutualAuthentication: { mode: "verify", trustStoreArn: trustStore } },
    /Mutual authentication is for TLS listeners/,
  ),
  ofListener(
    "clients' certificates of nobody",
    tls,
    { mutualAuthentication: { mode: "verify" } },
    "ValidationError",
  ),
  ofListener(
    "a trust store of another region",
    tls,
    {
      mutualAuthentication: { mode: "verify", trustStoreArn: trustStore.replace("eu-west-1", "us-east-1") },
    },
    "TrustStoreNotFound",
  ),
  {
    rule: "a further certificate without TLS",
    type: names.networkListenerCertificate,
    given: twins,
    inputs: (ids) => ({ listenerArn: ids["first"]!, certificateArn: certificate }),
    error: /Only TLS listeners have certificates/,
  },
  {
    rule: "a 26th further certificate",
    type: names.networkListenerCertificate,
    given: async (door, ids) => {
      await front(door, ids);
      await add("tls", names.networkListener, tls)(door, ids);
      const pem = await keyPair("ec");
      for (let i = 0; i < 26; i++) {
        const own = { certificateBody: pem.certificate, privateKey: pem.key };
        const { id } = await door.create(names.certificate, `certificate-${i}`, own);
        const further = { listenerArn: ids["tls"]!, certificateArn: (ids["last"] = id) };
        if (i < 25) await door.create(names.networkListenerCertificate, `further-${i}`, further);
      }
    },
    inputs: (ids) => ({ listenerArn: ids["tls"]!, certificateArn: ids["last"]! }),
    error: "TooManyCertificates",
  },
  {
    rule: "a 51st listener",
    type: names.networkListener,
    given: async (door, ids) => {
      await front(door, ids);
      for (let port = 2000; port < 2050; port++) {
        await door.create(names.networkListener, `listener-${port}`, { ...listener(ids), port });
      }
    },
    inputs: listener,
    error: "TooManyListeners",
  },

  // Targets
  {
    rule: "a target that is not",
    type: names.targetGroupAttachment,
    given: targets,
    inputs: (ids) => ({ targetGroupArn: ids["targets"]!, targetId: "i-0123456789abcdef0" }),
    error: "InvalidTarget",
  },
  {
    rule: "a target of a group that is not",
    type: names.targetGroupAttachment,
    given: node,
    inputs: (ids) => ({
      targetGroupArn: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/x/0",
      targetId: ids["instance"]!,
    }),
    error: "TargetGroupNotFound",
  },
]);

describe("a Network Load Balancer that is there", () => {
  let world: World;
  let ids: Ids;
  afterEach(() => jest.restoreAllMocks());
  beforeEach(async () => {
    world = new World();
    ids = await furnish(world);
    await front(world, ids);
  });
  const replaced = (type: string, key: string, news: Props, olds: Props) => {
    const check = (inputs: Props) => world.cloud.check(type, { name: key, urn: key, news: inputs }).inputs;
    return world.cloud.diff(type, world.scope, world.get(type, ids[key]!)!, check(news), check(olds))
      .replaces;
  };
  const at = (changes: Props) => ({ ...balancer(ids), ...changes });

  test("gives names, ARNs and the region's zone", () => {
    const outputs = world.get(names.networkLoadBalancer, ids["nlb"]!)!;
    expect(outputs["arn"]).toMatch(
      /^arn:aws:elasticloadbalancing:eu-west-1:\d{12}:loadbalancer\/net\/front\//,
    );
    expect(outputs["dnsName"]).toMatch(/^front-[0-9a-f]{16}\.elb\.eu-west-1\.amazonaws\.com$/);
    expect(outputs).toMatchObject({ zoneId: "Z2IFOLAFXWLO4F", vpcId: ids["vpc"], ipAddressType: "ipv4" });
    expect(world.get(names.targetGroup, ids["targets"]!)!["arnSuffix"]).toMatch(/^targetgroup\/mqtt\//);
  });

  test("is replaced when a zone goes, and not when one comes; leaving the groups out is no change", async () => {
    const both = at({ subnets: [ids["subnetA"]!, ids["subnetB"]!] });
    expect(replaced(names.networkLoadBalancer, "nlb", both, at({}))).toEqual([]);
    await world.update(names.networkLoadBalancer, ids["nlb"]!, {
      subnets: [ids["subnetA"]!, ids["subnetB"]!],
      subnetMappings: null,
    });
    expect(replaced(names.networkLoadBalancer, "nlb", at({}), both)).toEqual(["subnets"]);
    const { securityGroups, ...without } = both;
    expect(securityGroups).toHaveLength(1);
    expect(replaced(names.networkLoadBalancer, "nlb", without, both)).toEqual([]);
    expect(replaced(names.networkLoadBalancer, "nlb", { ...both, securityGroups: [] }, both)).toEqual([
      "securityGroups",
    ]);
  });

  test("hides another idle timeout of a TLS listener, and shows one of a TCP listener", async () => {
    await add("tls", names.networkListener, tls)(world, ids);
    await add("tcp", names.networkListener, listener)(world, ids);
    const changes = (key: string, inputs: Props) =>
      world.cloud.diff(
        names.networkListener,
        world.scope,
        world.get(names.networkListener, ids[key]!)!,
        inputs,
        undefined,
      ).changed;
    expect(changes("tls", { ...tls(ids), tcpIdleTimeoutSeconds: 600 })).toEqual([]);
    expect(changes("tcp", { ...listener(ids), tcpIdleTimeoutSeconds: 600 })).toEqual([
      "tcpIdleTimeoutSeconds",
    ]);
  });

  test("holds on to its group, its certificate and its Elastic IP", async () => {
    const pem = await keyPair("ec");
    const own = await world.create(names.certificate, "own", {
      certificateBody: pem.certificate,
      privateKey: pem.key,
    });
    await world.create(names.networkListener, "tls", { ...tls(ids), certificateArn: own.id });
    await world.create(names.networkLoadBalancer, "static", {
      ...balancer(ids),
      subnets: null,
      name: "static",
      subnetMappings: [{ subnetId: ids["subnetA"]!, allocationId: ids["eip"]! }],
    });
    await expect(world.delete(names.targetGroup, ids["targets"]!)).rejects.toThrow("ResourceInUse");
    await expect(world.delete(names.certificate, own.id)).rejects.toThrow("ResourceInUseException");
    await expect(world.delete(names.eip, ids["eip"]!)).rejects.toThrow("InvalidIPAddress.InUse");
  });

  test("takes no target that is stopped", async () => {
    await node(world, ids);
    const { account } = world.cloud;
    account.update(account.get(names.instance, "eu-west-1", ids["instance"]!)!, { instanceState: "stopped" });
    await expect(
      world.create(names.targetGroupAttachment, "target", {
        targetGroupArn: ids["targets"]!,
        targetId: ids["instance"]!,
      }),
    ).rejects.toThrow(/InvalidTarget.*not in a running state/);
  });

  test("counts an instance in each group that it is registered with", async () => {
    await node(world, ids);
    await world.create(names.networkListener, "tcp", listener(ids));
    const { quotas } = world.cloud.account.seeds;
    jest.replaceProperty(quotas, "targetsPerNetworkLoadBalancerZone", 1);
    const target = (targetGroupArn: string) => ({ targetGroupArn, targetId: ids["instance"]! });
    await world.create(names.targetGroupAttachment, "first", target(ids["targets"]!));
    const ws = await world.create(names.targetGroup, "ws", { ...group(ids), name: "ws", port: 8083 });
    await world.create(names.targetGroupAttachment, "second", target(ws.id));
    const second = { ...listener(ids), port: 8083 };
    await expect(
      world.create(names.networkListener, "ws", {
        ...second,
        defaultActions: [{ type: "forward", targetGroupArn: ws.id }],
      }),
    ).rejects.toThrow("TooManyTargets");
  });
});
