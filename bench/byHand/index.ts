/**
 * What the components make of the benchmark's settings, written as one would without them: the same resources under the
 * same names with the same inputs, deep imports, loops, no components, no memory of the stack's first deployment, no
 * waiting for nodes. The benchmark compares the two previews before it measures anything.
 */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as acm from "@pulumi/aws/acm";
import * as ebs from "@pulumi/aws/ebs";
import * as ec2 from "@pulumi/aws/ec2";
import * as elb from "@pulumi/aws/elb";
import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity";
import { getPartitionOutput } from "@pulumi/aws/getPartition";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as iam from "@pulumi/aws/iam";
import * as ssm from "@pulumi/aws/ssm";
import * as vpc from "@pulumi/aws/vpc";
import * as random from "@pulumi/random";

// Also measured with what the components' own program does (docs/benchmarks.md).
const format = Error.prepareStackTrace;
if (format !== undefined && process.env.BENCH_TUNED !== undefined) {
  Error.prepareStackTrace = (error, frames) =>
    frames[0]?.getFunctionName() === "debuggablePromise" ? String(error) : (format(error, frames) as unknown);
}

const nodeCount = Number(process.env.BENCH_NODES);
const certificateArn = process.env.BENCH_CERTIFICATE ?? "";
const userData = readFileSync(process.env.BENCH_USER_DATA ?? "", "utf8");
const operations = JSON.parse(readFileSync(process.env.BENCH_OPERATIONS ?? "", "utf8")) as {
  list: string;
  scripts: Record<string, string>;
};
const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const prefix = `/emqx/${pulumi.getProject()}/${pulumi.getStack()}/emqx-nodes`;
const { region } = getRegionOutput();
const tags = (name: string) => ({ Name: name });

// Network
const network = new ec2.Vpc("emqx-vpc", {
  cidrBlock: "192.168.0.0/16",
  enableDnsSupport: true,
  enableDnsHostnames: true,
  tags: tags("emqx-vpc"),
});
const gateway = new ec2.InternetGateway("emqx-vpc-igw", { vpcId: network.id, tags: tags("emqx-vpc-igw") });
const publicTable = new ec2.RouteTable("emqx-vpc-public", {
  vpcId: network.id,
  tags: tags("emqx-vpc-public"),
});
const publicRoute = new ec2.Route("emqx-vpc-public-internet", {
  routeTableId: publicTable.id,
  destinationCidrBlock: "0.0.0.0/0",
  gatewayId: gateway.id,
});
const publicSubnets = zones.map((availabilityZone, i) => {
  const name = `emqx-vpc-public-${availabilityZone}`;
  const subnet = new ec2.Subnet(name, {
    vpcId: network.id,
    availabilityZone,
    cidrBlock: `192.168.${128 + i}.0/24`,
    mapPublicIpOnLaunch: false,
    tags: tags(name),
  });
  const association = new ec2.RouteTableAssociation(name, {
    subnetId: subnet.id,
    routeTableId: publicTable.id,
  });
  return { subnet, association };
});
const natName = `emqx-vpc-nat-${zones[0]}`;
const address = new ec2.Eip(natName, { domain: "vpc", tags: tags(natName) }, { dependsOn: gateway });
const nat = new ec2.NatGateway(
  natName,
  { allocationId: address.id, subnetId: publicSubnets[0]!.subnet.id, tags: tags(natName) },
  { dependsOn: [publicRoute, publicSubnets[0]!.association] },
);
const privateSubnets = zones.map((availabilityZone, i) => {
  const name = `emqx-vpc-private-${availabilityZone}`;
  const subnet = new ec2.Subnet(name, {
    vpcId: network.id,
    availabilityZone,
    cidrBlock: `192.168.${i}.0/24`,
    mapPublicIpOnLaunch: false,
    tags: tags(name),
  });
  const table = new ec2.RouteTable(name, { vpcId: network.id, tags: tags(name) });
  const association = new ec2.RouteTableAssociation(name, { subnetId: subnet.id, routeTableId: table.id });
  const route = new ec2.Route(`${name}-internet`, {
    routeTableId: table.id,
    destinationCidrBlock: "0.0.0.0/0",
    natGatewayId: nat.id,
  });
  return { subnet, table, wayOut: [association, route] };
});
new ec2.VpcEndpoint("emqx-vpc-s3", {
  vpcId: network.id,
  vpcEndpointType: "Gateway",
  serviceName: pulumi.interpolate`com.amazonaws.${region}.s3`,
  routeTableIds: privateSubnets.map(({ table }) => table.id),
  tags: tags("emqx-vpc-s3"),
});
new ec2.DefaultSecurityGroup("emqx-vpc-default", {
  vpcId: network.id,
  ingress: [],
  egress: [],
  tags: tags("emqx-vpc-default"),
});

// Security groups
const balancerGroup = new ec2.SecurityGroup("emqx-sg-lb", {
  vpcId: network.id,
  description: "EMQX load balancer",
  tags: tags("emqx-sg-lb"),
});
const nodeGroup = new ec2.SecurityGroup("emqx-sg-nodes", {
  vpcId: network.id,
  description: "EMQX nodes",
  tags: tags("emqx-sg-nodes"),
});
type Peer = { cidrIpv4: string } | { referencedSecurityGroupId: pulumi.Output<string> };
const rule = (name: string, group: ec2.SecurityGroup, port: number, description: string, peer: Peer) => ({
  securityGroupId: group.id,
  ipProtocol: "tcp",
  fromPort: port,
  toPort: port,
  description,
  ...peer,
  tags: tags(name),
});
const allowIn = (name: string, ...rest: [ec2.SecurityGroup, number, string, Peer]) =>
  new vpc.SecurityGroupIngressRule(`emqx-sg-${name}`, rule(`emqx-sg-${name}`, ...rest));
const allowOut = (name: string, ...rest: [ec2.SecurityGroup, number, string, Peer]) =>
  new vpc.SecurityGroupEgressRule(`emqx-sg-${name}`, rule(`emqx-sg-${name}`, ...rest));
const anywhere = { cidrIpv4: "0.0.0.0/0" };
const nodes = { referencedSecurityGroupId: nodeGroup.id };
const balancerPeer = { referencedSecurityGroupId: balancerGroup.id };
allowIn("lb-from-0.0.0.0-0-mqtt", balancerGroup, 1883, "Mqtt from clients in 0.0.0.0/0", anywhere);
allowIn("lb-from-0.0.0.0-0-mqtts", balancerGroup, 8883, "Mqtts from clients in 0.0.0.0/0", anywhere);
for (const [port, purpose] of [
  [1883, "MQTT"],
  [18083, "health check"],
] as const) {
  allowOut(`lb-to-nodes-${port}`, balancerGroup, port, `${purpose} to the nodes`, nodes);
  allowIn(`nodes-from-lb-${port}`, nodeGroup, port, `${purpose} from the load balancer`, balancerPeer);
}
const clusterPorts = [
  [4369, "Erlang port mapper"],
  [5369, "RPC between nodes"],
  [6369, "Erlang distribution"],
] as const;
for (const [port, purpose] of clusterPorts) {
  allowOut(`nodes-to-nodes-${port}`, nodeGroup, port, `${purpose} to the other nodes`, nodes);
  allowIn(`nodes-from-nodes-${port}`, nodeGroup, port, `${purpose} from the other nodes`, nodes);
}
allowOut("nodes-to-internet-443", nodeGroup, 443, "HTTPS to package repositories and AWS APIs", anywhere);

// Load balancer
const balancer = new elb.LoadBalancer("emqx-elb", {
  subnets: publicSubnets.map(({ subnet, association }) =>
    pulumi.all([subnet.id, association.urn, publicRoute.urn]).apply(([id]) => id),
  ),
  securityGroups: [balancerGroup.id],
  internal: false,
  listeners: [
    { lbProtocol: "TCP", lbPort: 1883, instanceProtocol: "TCP", instancePort: 1883 },
    {
      lbProtocol: "SSL",
      lbPort: 8883,
      instanceProtocol: "TCP",
      instancePort: 1883,
      sslCertificateId: certificateArn,
    },
  ],
  healthCheck: {
    target: "HTTP:18083/status",
    interval: 10,
    timeout: 5,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
  },
  crossZoneLoadBalancing: true,
  idleTimeout: 480,
  connectionDraining: true,
  connectionDrainingTimeout: 300,
  tags: tags("emqx-elb"),
});
const tlsPolicy = new elb.LoadBalancerPolicy("emqx-elb-tls", {
  loadBalancerName: balancer.name,
  policyName: "emqx-ELBSecurityPolicy-TLS-1-2-2017-01",
  policyTypeName: "SSLNegotiationPolicyType",
  policyAttributes: [{ name: "Reference-Security-Policy", value: "ELBSecurityPolicy-TLS-1-2-2017-01" }],
});
new elb.ListenerPolicy("emqx-elb-tls-mqtts", {
  loadBalancerName: balancer.name,
  loadBalancerPort: 8883,
  policyNames: [tlsPolicy.policyName],
  triggers: { certificateArn },
});

export const certificateExpires = acm.Certificate.get("emqx-elb-certificate", certificateArn).notAfter;

// Secrets
const password = (name: string, length: number) =>
  new random.RandomPassword(`emqx-nodes-${name}`, {
    length,
    special: false,
    minLower: 1,
    minUpper: 1,
    minNumeric: 1,
  }).result;
const secret = (name: string, description: string, value: pulumi.Output<string>) =>
  new ssm.Parameter(`emqx-nodes-${name}`, {
    name: `${prefix}/${name}`,
    type: "SecureString",
    value: pulumi.secret(value),
    description,
    tags: tags(`emqx-nodes-${name}`),
  });
const secrets = [
  secret("cookie", "Erlang cookie of the EMQX cluster", pulumi.interpolate`c${password("cookie", 47)}`),
  secret(
    "dashboard-password",
    "Password of the EMQX dashboard's user admin",
    password("dashboard-password", 32),
  ),
  secret("mqtt-password", "Password of the first MQTT user", password("mqtt-password", 32)),
];
new ssm.Parameter("emqx-nodes-load-balancers", {
  name: `${prefix}/load-balancers`,
  type: "String",
  insecureValue: balancer.name,
  description: "Load balancers that the EMQX nodes register with",
  tags: tags("emqx-nodes-load-balancers"),
});

// What running nodes look for
const plain = (name: string, path: string, description: string, insecureValue: string) =>
  new ssm.Parameter(`emqx-nodes-${name}`, {
    name: `${prefix}/${path}`,
    type: "String",
    insecureValue,
    description,
    tags: tags(`emqx-nodes-${name}`),
  });
const addresses = Array.from({ length: nodeCount }, (_, n) => `192.168.${n % zones.length}.${10 + n}`);
const wanted = [
  plain(
    "cluster",
    "cluster",
    "Members of the EMQX cluster, and how a node leaves it",
    `MEMBERS='${addresses.join(" ")}'\nDRAIN_SECONDS='30'\n`,
  ),
  plain("operations", "operations/list", "Which operations EMQX nodes have", operations.list),
  ...Object.entries(operations.scripts).map(([name, script]) =>
    plain(`operation-${name}`, `operations/${name}`, `What EMQX nodes do for "${name}"`, script),
  ),
];

// Role
const role = new iam.Role("emqx-nodes", {
  description: "EMQX nodes: own parameters, readiness, load balancer health, Session Manager",
  assumeRolePolicy: JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
  }),
  tags: tags("emqx-nodes"),
});
const permissions = new iam.RolePolicy("emqx-nodes", {
  role: role.id,
  policy: pulumi
    .all([getPartitionOutput().partition, region, getCallerIdentityOutput().accountId])
    .apply(([partition, place, account]) => {
      const parameter = (name: string) => `arn:${partition}:ssm:${place}:${account}:parameter${name}`;
      const ready = `${prefix}/nodes/*/ready`;
      const applied = `${prefix}/nodes/*/applied`;
      const own = [
        "cookie",
        "dashboard-password",
        "mqtt-password",
        "license-key",
        "secret-config",
        "acl",
        "mqtt-users",
        "node-certificate",
        "client-authorities",
        "load-balancers",
      ];
      const later = ["cluster", "operations/*", "monitoring", "backup"];
      return JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "ReadOwnParameters",
            Effect: "Allow",
            Action: ["ssm:GetParameter", "ssm:GetParameters"],
            Resource: [...[...own, ...later].map((name) => `${prefix}/${name}`), ready, applied].map(
              parameter,
            ),
          },
          {
            Sid: "Report",
            Effect: "Allow",
            Action: "ssm:PutParameter",
            Resource: [ready, applied].map(parameter),
          },
          {
            Sid: "ReadLoadBalancerHealth",
            Effect: "Allow",
            Action: "elasticloadbalancing:DescribeInstanceHealth",
            Resource: "*",
          },
          {
            Sid: "RegisterWithSystemsManager",
            Effect: "Allow",
            Action: "ssm:UpdateInstanceInformation",
            Resource: `arn:${partition}:ec2:${place}:${account}:instance/*`,
          },
          {
            Sid: "OpenSessions",
            Effect: "Allow",
            Action: [
              "ssmmessages:CreateControlChannel",
              "ssmmessages:CreateDataChannel",
              "ssmmessages:OpenControlChannel",
              "ssmmessages:OpenDataChannel",
            ],
            Resource: "*",
          },
        ],
      });
    }),
});
const profile = new iam.InstanceProfile("emqx-nodes", { role: role.name, tags: tags("emqx-nodes") });

// Nodes, one after the other
const image = ssm.getParameterOutput({
  name: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
}).insecureValue;
const seeds = addresses.map((seed) => `      "emqx@${seed}",\n`).join("");
const instanceIds = addresses.map((privateIp, n) => {
  const name = `emqx-nodes-${n}`;
  const { subnet, wayOut } = privateSubnets[n % zones.length]!;
  const networkInterface = new ec2.NetworkInterface(
    name,
    {
      subnetId: subnet.id,
      privateIps: [privateIp],
      securityGroups: [nodeGroup.id],
      description: `EMQX node emqx@${privateIp}`,
      tags: tags(name),
    },
    { dependsOn: wayOut },
  );
  const volume = new ebs.Volume(`${name}-data`, {
    availabilityZone: zones[n % zones.length]!,
    size: 20,
    type: "gp3",
    encrypted: true,
    tags: { ...tags(`${name}-data`), "emqx:data": prefix },
  });
  const ready = new ssm.Parameter(
    `${name}-ready`,
    {
      name: `${prefix}/nodes/${n}/ready`,
      type: "String",
      insecureValue: "never",
      description: "Id of the instance that last became ready as this node",
      tags: tags(`${name}-ready`),
    },
    { ignoreChanges: ["insecureValue"] },
  );
  const applied = new ssm.Parameter(
    `${name}-applied`,
    {
      name: `${prefix}/nodes/${n}/applied`,
      type: "String",
      insecureValue: "never",
      description: "Versions of the secrets that this node has taken up",
      tags: tags(`${name}-applied`),
    },
    { ignoreChanges: ["insecureValue"] },
  );
  const instance = new ec2.Instance(
    name,
    {
      ami: image,
      instanceType: "m7g.large",
      primaryNetworkInterface: { networkInterfaceId: networkInterface.id },
      iamInstanceProfile: profile.name,
      userData: userData
        .replace(/{{number}}/g, String(n))
        .replace(/{{address}}/g, privateIp)
        .replace(/{{seeds}}/g, seeds),
      userDataReplaceOnChange: true,
      ebsOptimized: true,
      monitoring: false,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { volumeType: "gp3", volumeSize: 16, encrypted: true, tags: tags(`${name}-root`) },
      tags: tags(name),
    },
    {
      dependsOn: [permissions, ready, applied, ...secrets, ...wanted],
      deleteBeforeReplace: true,
      replaceOnChanges: ["instanceType"],
    },
  );
  const data = new ec2.VolumeAttachment(`${name}-data`, {
    deviceName: "/dev/sdf",
    instanceId: instance.id,
    volumeId: volume.id,
    stopInstanceBeforeDetaching: true,
  });
  new elb.Attachment(`${name}-lb-0`, { elb: balancer.name, instance: instance.id }, { dependsOn: data });
  return instance.id;
});

export const outputs = {
  mqttUrl: pulumi.interpolate`mqtt://${balancer.dnsName}:1883`,
  mqttsUrl: pulumi.interpolate`mqtts://${balancer.dnsName}:8883`,
  loadBalancerDnsName: balancer.dnsName,
  loadBalancerName: balancer.name,
  vpcId: network.id,
  loadBalancerSecurityGroupId: balancerGroup.id,
  nodeSecurityGroupId: nodeGroup.id,
  instanceIds,
  nodeNames: addresses.map((privateIp) => `emqx@${privateIp}`),
};
