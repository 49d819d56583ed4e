/**
 * The grammar of every text that a user gives: generated right values are accepted, by the region's door as well, and
 * generated wrong ones refused, many of them a hair's breadth beside a right one.
 */
import fc from "fast-check";
import { InstanceType } from "@pulumi/aws/types/enums/ec2";
import { backupInputs } from "../../components/backup/settings";
import { clusterNodesInputs } from "../../components/nodes/settings";
import { elbInputs } from "../../components/classicElb/settings";
import { deploymentInputs } from "../../components/deployment/settings";
import { NetworkTlsPolicy } from "../../components/networkLoadBalancer/settings";
import { groupInputs } from "../../components/access/settings";
import { vpcInputs } from "../../components/network/settings";
import { inputProblems, type Leaf, type Shape } from "../../components/shared/inputs";
import { monitoringInputs } from "../../components/monitoring/settings";
import { Cloud, newAccount } from "@emqx-aws/simulator";
import { unreadable } from "@emqx-aws/simulator/machine/licences";
import type { Props } from "@emqx-aws/simulator/values";
import { licenseKeyOf } from "../licenseKey";

const components: Record<string, Record<string, Shape>> = {
  vpc: vpcInputs,
  group: groupInputs,
  elb: elbInputs,
  nodes: clusterNodesInputs,
  monitoring: monitoringInputs,
  backup: backupInputs,
  deployment: deploymentInputs,
};

/** Every text of every component by its path, `nodes[].privateIp`; those that are one and the same under one name. */
function textsOf(path: string, shape: Shape): [string, Leaf][] {
  switch (shape.kind) {
    case "text":
      return [[path, shape]];
    case "list":
      return textsOf(`${path}[]`, shape.item);
    case "map":
      return textsOf(`${path}{}`, shape.item);
    case "object":
      return Object.entries(shape.fields).flatMap(([name, field]) => textsOf(`${path}.${name}`, field));
    case "flag":
    case "number":
      return [];
  }
}

/** By their own names: an input of a part has the same grammar in a group of the deployment. */
const texts = new Map<string, Leaf>();
for (const [name, shape] of Object.values(components).flatMap((shapes) => Object.entries(shapes))) {
  for (const [path, text] of textsOf(name, shape)) {
    const own = path.replace(/^(\w+\.)+/, "");
    texts.set((texts.get(own) ?? text).check === text.check ? own : path, text);
  }
}

/** The region's two answers: its check of single values, and what AWS says when the resource is made. */
const region = { region: "eu-west-1" };
const cloudOf = () => new Cloud(newAccount(), { cheapKeys: true });
const shared = cloudOf();
function checks(type: string, inputs: (value: string) => Props) {
  return (value: string) =>
    shared
      .check(type, { name: "x", urn: `x::${type}::x`, news: inputs(value) })
      .problems.map(({ reason }) => reason)
      .filter((reason) => !reason.startsWith("Missing required"));
}
function creates(type: string, inputs: (value: string) => Props) {
  return async (value: string): Promise<string[]> => {
    const cloud = cloudOf();
    const { inputs: checked, problems } = cloud.check(type, { name: "x", urn: "x", news: inputs(value) });
    if (problems.length > 0) return problems.map(({ reason }) => reason);
    return cloud.create(type, region, checked).then(
      () => [],
      (error: Error) => [error.message],
    );
  };
}
const trust =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}';

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const idOf = (prefix: string) => ({
  right: fc.oneof(hex(8), hex(17)).map((id) => `${prefix}-${id}`),
  wrong: fc.oneof(
    fc.oneof(hex(7), hex(9), hex(16), hex(18)).map((id) => `${prefix}-${id}`),
    hex(17).map((id) => `${prefix}x-${id}`),
    hex(17).map((id) => `${prefix}-${id.slice(1)}G`),
  ),
});
const octet = fc.nat(255);
const address = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join("."));
const wrongAddress = fc.oneof(
  fc.tuple(octet, octet, octet, fc.integer({ min: 256, max: 999 })).map((parts) => parts.join(".")),
  fc.tuple(octet, octet, octet).map((parts) => parts.join(".")),
  address.map((text) => `0${text}`),
  address.map((text) => `${text}.1`),
);
const blockOf = (prefixes: fc.Arbitrary<number>) =>
  fc.tuple(fc.nat(2 ** 32 - 1), prefixes).map(([n, prefix]) => {
    const base = prefix === 0 ? 0 : Math.floor(n / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
    return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join(".")}/${prefix}`;
  });
const block = {
  right: blockOf(fc.integer({ min: 0, max: 32 })),
  wrong: fc.oneof(
    address,
    wrongAddress.map((text) => `${text}/16`),
    fc.tuple(address, fc.integer({ min: 33, max: 99 })).map(([text, prefix]) => `${text}/${prefix}`),
    fc.nat(254).map((host) => `10.0.0.${host + 1}/24`),
    fc.constantFrom("::/0", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0 /8"),
  ),
};
const aclName = {
  right: fc.stringMatching(/^[ -~äß東]{1,60}$/),
  wrong: fc.constantFrom("", "a\u0000", "\n"),
};
const reservedFirst = fc.oneof(fc.constantFrom(0, 127), fc.integer({ min: 224, max: 255 }));
const arnOf = (service: string, resource: string) => {
  const account = fc.stringMatching(/^\d{12}$/);
  const write = (partition: string, place: string, id: string, rest: string) =>
    `arn:${partition}:${service}:${place}:${id}:${rest}`;
  return {
    right: account.map((id) => write("aws", "eu-west-1", id, resource)),
    wrong: fc.oneof(
      account.map((id) => write("aws", "eu-west-1", id.slice(1), resource)),
      account.map((id) => write("aws", "eu-west-1", `${id}1`, resource)),
      account.map((id) => write("aws", "us-east-1", id, resource)),
      account.map((id) => write("aws-cn", "eu-west-1", id, resource)),
      account.map((id) => write("aws-us-gov", "eu-west-1", id, resource)),
      account.map((id) => write("aws", "", id, resource)),
      account.map((id) => `arn:aws:s3:eu-west-1:${id}:${resource}`),
      account.map((id) => `${write("aws", "eu-west-1", id, resource)} `),
      account.map((id) => write("AWS", "eu-west-1", id, resource)),
    ),
  };
};
const word = (characters: string, min: number, max: number) =>
  fc.stringMatching(new RegExp(`^[${characters}]{${min},${max}}$`));
const label = word("a-z0-9", 1, 20);
const zones = shared.account.seeds.region("eu-west-1").zones;
const tooMany = (character: string, most: number) =>
  fc.integer({ min: 1, max: 50 }).map((n) => character.repeat(most + n));
const alarm = (dimensions: Props): Props => ({
  comparisonOperator: "GreaterThanThreshold",
  evaluationPeriods: 1,
  metricName: "m",
  namespace: "n",
  period: 60,
  statistic: "Sum",
  threshold: 1,
  dimensions,
});
const listener = { instancePort: 1883, instanceProtocol: "tcp", lbPort: 8883, lbProtocol: "ssl" };
const offered = (instanceType: string) =>
  (
    shared.invoke("aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings", region, {
      filters: [{ name: "instance-type", values: [instanceType] }],
    })["locations"] as string[]
  ).length > 0
    ? []
    : [`${instanceType} is not offered`];
const old = /^(t1|t2|m1|m2|m3|c1|c3|cc2|cg1|cr1|hi1|hs1|r3|i2|g2|mac[\w-]*)\./;
const types = Object.values<string>(InstanceType).filter((type) => !old.test(type));
const families = [...new Set(types.map((type) => type.split(".")[0]!))];
const sizes = [...new Set(types.map((type) => type.split(".")[1]!))];
const version = fc.constantFrom(
  "5.8.0",
  "5.8.9",
  "5.8.10",
  "5.8.11",
  "5.9.0",
  "5.9.3",
  "5.10.4",
  "6.0.3",
  "6.1.4",
  "6.2.3",
);

interface Row {
  right: fc.Arbitrary<string>;
  wrong: fc.Arbitrary<string>;
  /** What the region says against a value; absent where no resource gets it as it is. */
  door?: (value: string) => string[] | Promise<string[]>;
}
const choice = (values: string[]): Row => ({
  right: fc.constantFrom(...values),
  wrong: fc
    .constantFrom(...values)
    .chain((value) =>
      fc
        .constantFrom(value.toLowerCase(), ` ${value}`, `${value}x`, value.slice(1), `${value}\n`)
        .filter((text) => !values.includes(text)),
    ),
});
const listeners = choice(["Mqtt", "Mqtts", "Ws", "Wss"]);

const rows: Record<string, Row> = {
  "availabilityZones[]": {
    right: fc.constantFrom(...zones),
    wrong: fc.oneof(
      fc.constantFrom(
        "eu-west-1",
        "eu-west-1g",
        "eu-west-1h",
        "eu-west-1z",
        "us-west-2-lax-1a",
        "EU-WEST-1A",
        "eu-west-a",
      ),
      word("a-z", 1, 9),
      fc.constantFrom(...zones).map((zone) => `${zone}1`),
    ),
    door: (zone) =>
      (
        shared.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", region, {})["names"] as string[]
      ).includes(zone)
        ? []
        : ["no zone"],
  },
  cidrBlock: {
    right: fc
      .tuple(
        fc.integer({ min: 1, max: 223 }).filter((n) => n !== 127),
        octet,
        fc.integer({ min: 16, max: 23 }),
      )
      .filter(([a, b]) => !(a === 169 && b === 254))
      .map(([a, b, prefix]) => `${a}.${b}.0.0/${prefix}`),
    wrong: fc.oneof(
      block.wrong,
      fc
        .tuple(reservedFirst, octet, fc.integer({ min: 16, max: 23 }))
        .map(([a, b, prefix]) => `${a}.${b}.0.0/${prefix}`),
      fc.integer({ min: 16, max: 23 }).map((prefix) => `169.254.0.0/${prefix}`),
      blockOf(fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 24, max: 32 }))),
    ),
    door: creates("aws:ec2/vpc:Vpc", (cidrBlock) => ({ cidrBlock })),
  },
  natGateways: choice(["None", "Single", "PerAvailabilityZone"]),
  kmsKeyId: {
    ...arnOf("kms", "key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f"),
    door: checks("aws:cloudwatch/logGroup:LogGroup", (kmsKeyId) => ({ name: "x", kmsKeyId })),
  },
  "tags{}": {
    right: fc.oneof(
      fc.stringMatching(/^[A-Za-z0-9 _.:/=+@-]{0,256}$/),
      fc.constantFrom("", "ä".repeat(256), "東京"),
    ),
    wrong: fc.oneof(
      fc.stringMatching(/^[a-z]{0,5}[!"#$%&'()*,;<>?[\]^`{|}~\n\t][a-z]{0,5}$/),
      tooMany("x", 256),
      tooMany("東", 256),
    ),
    door: creates("aws:iam/role:Role", (value) => ({
      name: "x",
      assumeRolePolicy: trust,
      tags: { key: value },
    })),
  },
  vpcId: {
    ...idOf("vpc"),
    door: checks("aws:ec2/subnet:Subnet", (vpcId) => ({ vpcId, cidrBlock: "10.0.0.0/24" })),
  },
  "clientCidrBlocks[]": {
    ...block,
    door: checks("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", (cidrIpv4) => ({ cidrIpv4 })),
  },
  "adminCidrBlocks[]": {
    ...block,
    door: checks("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", (cidrIpv4) => ({ cidrIpv4 })),
  },
  "egress[].cidrBlock": {
    ...block,
    door: checks("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", (cidrIpv4) => ({ cidrIpv4 })),
  },
  "egress[].securityGroupId": idOf("sg"),
  "egress[].prefixListId": idOf("pl"),
  "egress[].description": {
    right: fc.stringMatching(/^[a-zA-Z0-9._\-:/()#,@[\]+=&;{}!$*]([a-zA-Z0-9. ]{0,253}[a-z])?$/),
    wrong: fc.oneof(fc.constantFrom("", "the users' own", 'a "b"', "ä", "a\nb", "a|b"), tooMany("x", 255)),
    door: checks("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", (description) => ({
      description,
    })),
  },
  "listeners[]": listeners,
  clusterPorts: choice(["Documented", "Package"]),
  tlsEnds: choice(["LoadBalancer", "Node"]),
  usernameFrom: choice(["None", "CommonName"]),
  certificateParameter: {
    right: fc.oneof(
      fc.stringMatching(/^(\/[xA.-][\w.-]{0,9}){1,15}$/),
      fc.stringMatching(/^\/aws\/reference\/secretsmanager\/[\w/+=.@-]{1,60}$/),
    ),
    wrong: fc.constantFrom(
      "",
      "x",
      "/",
      "/x/",
      "//x",
      "/aws/x",
      "/ssm/x",
      "/x y",
      "/aws/reference/secretsmanager/",
    ),
  },
  "subnetIds[]": {
    ...idOf("subnet"),
    door: checks("aws:ec2/natGateway:NatGateway", (subnetId) => ({ subnetId })),
  },
  "securityGroupIds[]": {
    ...idOf("sg"),
    door: checks("aws:ec2/networkInterface:NetworkInterface", (id) => ({ securityGroups: [id] })),
  },
  certificateArn: {
    right: fc.oneof(
      arnOf("acm", "certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01").right,
      word("\\w+=,.@-", 1, 128).map((name) => `arn:aws:iam::123456789012:server-certificate/${name}`),
    ),
    wrong: fc.oneof(
      arnOf("acm", "certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01").wrong,
      tooMany("x", 128).map((name) => `arn:aws:iam::123456789012:server-certificate/${name}`),
      fc.constantFrom(
        "arn:aws-cn:iam::123456789012:server-certificate/x",
        "arn:aws:acm:eu-west-1:123456789012:certificate",
      ),
    ),
    door: checks("aws:elb/loadBalancer:LoadBalancer", (sslCertificateId) => ({
      listeners: [{ ...listener, sslCertificateId }],
    })),
  },
  tlsPolicy: choice([
    "ELBSecurityPolicy-TLS-1-2-2017-01",
    "ELBSecurityPolicy-TLS-1-1-2017-01",
    "ELBSecurityPolicy-2016-08",
  ]),
  "targetGroupArns[]": {
    ...arnOf("elasticloadbalancing", "targetgroup/emqx-1883-0123456/0123456789abcdef"),
    door: checks("aws:lb/listener:Listener", (targetGroupArn) => ({
      defaultActions: [{ type: "forward", targetGroupArn }],
    })),
  },
  networkLoadBalancerArn: arnOf("elasticloadbalancing", "loadbalancer/net/emqx-nlb-0123456/0123456789abcdef"),
  clientTrustStoreArn: {
    ...arnOf("elasticloadbalancing", "truststore/fleet/0123456789abcdef"),
    door: checks("aws:lb/listener:Listener", (trustStoreArn) => ({
      mutualAuthentication: { mode: "verify", trustStoreArn },
    })),
  },
  "allowedPrincipalArns[]": {
    right: fc.constantFrom(
      "arn:aws:iam::123456789012:root",
      "arn:aws:iam::123456789012:role/a/b",
      "arn:aws:iam::123456789012:user/x",
    ),
    wrong: fc.constantFrom(
      "*",
      "123456789012",
      "arn:aws:iam::12345678901:root",
      "arn:aws:iam::123456789012:group/x",
    ),
    door: checks("aws:ec2/vpcEndpointService:VpcEndpointService", (arn) => ({ allowedPrincipals: [arn] })),
  },
  "networkLoadBalancer.tlsPolicy": choice(Object.values(NetworkTlsPolicy)),
  addressType: choice(["ipv4", "dualstack"]),
  bucket: {
    right: fc
      .stringMatching(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/)
      .filter((name) => !/^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$/.test(name)),
    wrong: fc.oneof(
      fc.constantFrom(
        "ab",
        "a..b",
        "-abc",
        "abc-",
        "Abc",
        "a_b",
        "1.2.3.4",
        "xn--abc",
        "sthree-abc",
        "abc-s3alias",
        "abc--ol-s3",
        "abc.mrap",
      ),
      tooMany("a", 63),
      label.map((name) => `${name}_x`),
    ),
    door: creates("aws:s3/bucket:Bucket", (bucket) => ({ bucket })),
  },
  bucketPrefix: {
    right: fc
      .stringMatching(/^[a-z0-9]{1,9}(\/[a-zA-Z0-9_.-]{1,9}){0,3}$/)
      .filter((text) => !text.includes("AWSLogs")),
    wrong: fc.oneof(
      label.map((text) => `/${text}`),
      label.map((text) => `${text}/`),
      label.map((text) => `${text}//x`),
      label.map((text) => `${text}/AWSLogs`),
      label.map((text) => `${text} x`),
      tooMany("x", 800),
    ),
    door: checks("aws:elb/loadBalancer:LoadBalancer", (bucketPrefix) => ({
      accessLogs: { bucket: "x", bucketPrefix },
    })),
  },
  hostedZoneId: {
    right: fc.stringMatching(/^Z[A-Z0-9]{1,31}$/),
    wrong: fc.oneof(
      fc.stringMatching(/^z[A-Z0-9]{1,31}$/),
      fc.stringMatching(/^Z[a-z0-9]{5}-$/),
      tooMany("Z", 32),
    ),
    door: checks("aws:route53/record:Record", (zoneId) => ({
      zoneId,
      name: "x.example.com",
      type: "A",
      ttl: 60,
      records: ["192.0.2.1"],
    })),
  },
  hostname: {
    right: fc.oneof(
      fc.tuple(label, label, word("a-z", 2, 9)).map((labels) => labels.join(".")),
      fc.constantFrom(`${"a".repeat(63)}.example.com`, `${`${"a".repeat(49)}.`.repeat(5)}com`),
    ),
    wrong: fc.oneof(
      label,
      fc.tuple(label, label).map(([a, b]) => `${a}_.${b}.com`),
      fc.tuple(label, label).map(([a, b]) => `-${a}.${b}`),
      fc.tuple(label, label).map(([a, b]) => `${a}-.${b}.com`),
      fc.tuple(label, label).map(([a, b]) => `${a}..${b}.com`),
      fc.tuple(label, label).map(([a, b]) => `${a}.${b}.com.`),
      address,
      tooMany("a", 63).map((text) => `${text}.example.com`),
      fc.integer({ min: 254, max: 300 }).map((n) => `${"a.".repeat(n)}com`.slice(-n)),
      fc.constantFrom(
        "MQTT.example.com",
        "mqtt.example.com:8883",
        "https://mqtt.example.com",
        "*.example.com",
      ),
    ),
    door: checks("aws:route53/record:Record", (name) => ({
      zoneId: "Z1",
      name,
      type: "A",
      ttl: 60,
      records: ["192.0.2.1"],
    })),
  },
  emqxVersion: {
    right: version,
    wrong: fc.oneof(
      version.map((text) => `v${text}`),
      version.map((text) => `${text}-rc.1`),
      version
        .map((text) => `${text}9`)
        .filter((text) => !/^5\.8\.1\d$|^\d\.\d+\.0?9$/.test(text) && Number(text.split(".")[2]) > 22),
      fc.integer({ min: 22, max: 999 }).map((patch) => `5.8.${patch}`),
      fc.integer({ min: 11, max: 99 }).map((minor) => `5.${minor}.0`),
      fc.integer({ min: 8, max: 99 }).map((minor) => `6.${minor}.0`),
      fc.tuple(fc.nat(4), fc.nat(9), fc.nat(9)).map((parts) => parts.join(".")),
      fc.constantFrom("latest", "5.8", "5", "7.0.0", "5.8.9.1", "5.08.9"),
    ),
  },
  "users[].username": {
    right: fc.stringMatching(/^[A-Za-z0-9._@-]{1,64}$/),
    wrong: fc.oneof(fc.constantFrom("", "a b", "a,b", "ä", "a/b", 'a"'), tooMany("x", 64)),
  },
  "users[].password": {
    right: fc.stringMatching(/^[A-Za-z0-9!#%&()*+./:;<=>?@^_{|}~-]{8,64}$/),
    wrong: fc.oneof(
      fc.constantFrom(
        "short-1",
        "with,comma1",
        'with"quote1',
        "with$dollar1",
        "with\\slash1",
        "with blank 1",
      ),
      tooMany("x", 64),
    ),
  },
  noMatch: choice(["allow", "deny"]),
  "rules[].permission": choice(["allow", "deny"]),
  "rules[].action": choice(["publish", "subscribe", "all"]),
  "rules[].cidrBlocks[]": block,
  "rules[].clientId": aclName,
  "rules[].username": aclName,
  "rules[].clientIdPattern": {
    right: fc.constantFrom("^a-\\d+$", "a|b", "(?i)x"),
    wrong: fc.constantFrom("(", "[a", ""),
  },
  "rules[].usernamePattern": {
    right: fc.constantFrom("^a-\\d+$", "a|b", "(?i)x"),
    wrong: fc.constantFrom("(", "[a", ""),
  },
  "rules[].topics[]": {
    right: fc.stringMatching(/^(eq )?([a-z]{1,3}\/|\+\/|\$\{clientid\}\/){0,3}(#|\+|x)$/),
    wrong: fc.constantFrom("", "eq ", "a/#/b", "a#", "+a/b", "$share/g/t", "${user}/x", "a\u0000"),
  },
  "secretConfig{}": {
    right: fc.stringMatching(/^[ -~äß東\n\t]{0,60}[a-z"'#$}]$/),
    wrong: fc.oneof(
      fc.constantFrom("", "\u0000", "x\u0007", "x\r", "\u007f"),
      fc.stringMatching(/^[a-z]{0,9}\\$/),
    ),
  },
  "secretConfigFrom{}": {
    right: fc.oneof(
      fc.stringMatching(/^(\/[b-rt-z][\w.-]{0,9}){1,6}$|^[b-rt-z][\w.-]{0,9}$/),
      fc.stringMatching(
        /^arn:aws:secretsmanager:eu-west-1:123456789012:secret:[a-z/+=.@!-]{1,9}-[A-Za-z0-9]{6}(:pass(::)?)?$/,
      ),
    ),
    wrong: fc.constantFrom(
      "",
      "a/b",
      "/a/",
      "/aws/reference/secretsmanager/x",
      "arn:aws:ssm:eu-west-1:123456789012:parameter/x",
      "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x",
    ),
  },
  licenseKey: {
    right: fc
      .tuple(
        fc.integer({ min: 2022, max: 2090 }),
        fc.constantFrom("0", "1", "2"),
        fc.constantFrom("\n", " ", "\r\n"),
        fc.nat(90),
      )
      .map(([year, type, gap, at]) => {
        const key = licenseKeyOf(`${year}0228`, type);
        return key.slice(0, at) + gap + key.slice(at);
      }),
    wrong: fc.oneof(
      fc.constantFrom(
        "",
        " ",
        "\n",
        "default",
        "evaluation",
        "file:///etc/emqx/emqx.lic",
        "FILE://x",
        "licence.key",
        "a.b",
        ".",
      ),
      fc
        .integer({ min: 1, max: 60 })
        .map((n) => licenseKeyOf("20260101").slice(n))
        .filter((key) => !key.startsWith("MjIwMTEx")),
      fc.integer({ min: 2000, max: 2021 }).map((year) => licenseKeyOf(`${year}0101`)),
      fc.constantFrom(
        licenseKeyOf("20260231"),
        licenseKeyOf("20260101", "1", "0"),
        licenseKeyOf("20260101", "1", "many"),
      ),
      fc
        .constant(licenseKeyOf("20260101"))
        .chain((key) => fc.constantFrom(key.split(".")[0]!, `${key}.x`, key.replace(".", ":"), `${key}!`)),
      fc.base64String({ minLength: 8 }).map((text) => `${text}.${text}`),
    ),
    door: (key) => [unreadable(key.replace(/\s/g, ""))].filter((problem) => problem !== undefined),
  },
  instanceType: {
    right: fc.constantFrom(...types),
    wrong: fc.oneof(
      fc
        .tuple(fc.constantFrom(...families), fc.constantFrom(...sizes))
        .map((parts) => parts.join("."))
        .filter((type) => !types.includes(type)),
      fc.constantFrom(
        "m9x.large",
        "m7g.3xlarge",
        "m99g.large",
        "q1.large",
        "m7g",
        "M7G.large",
        "m7g.large ",
        "t2.micro",
        "mac2.metal",
        "m7gq.large",
      ),
      fc.constantFrom(...families).map((family) => `${family}.huge`),
    ),
    door: offered,
  },
  clusterName: {
    right: fc
      .stringMatching(/^[a-z][a-zA-Z0-9_]{0,63}$/)
      .filter(
        (text) =>
          !/^(include|null|true|false|on|off|yes|no|required|url|file|classpath|undefined)$/.test(text),
      ),
    wrong: fc.oneof(
      fc.constantFrom(
        "include",
        "null",
        "true",
        "false",
        "on",
        "off",
        "yes",
        "no",
        "required",
        "url",
        "file",
        "classpath",
      ),
      fc.stringMatching(/^[A-Z0-9_][a-z]{0,9}$/),
      fc.stringMatching(/^[a-z]{1,9}[ .\-"'$#][a-z]{0,9}$/),
      tooMany("a", 64),
    ),
  },
  "loadBalancerNames[]": {
    right: fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/),
    wrong: fc.oneof(
      label.map((text) => `-${text}`),
      label.map((text) => `${text}-`),
      label.map((text) => `${text}_`),
      tooMany("a", 32),
    ),
    door: checks("aws:elb/loadBalancer:LoadBalancer", (name) => ({ name })),
  },
  amiId: {
    ...idOf("ami"),
    door: checks("aws:ec2/instance:Instance", (ami) => ({ ami, instanceType: "m7g.large" })),
  },
  url: {
    right: fc
      .tuple(label, label, word("a-zA-Z0-9._-", 1, 30), fc.integer({ min: 1, max: 65535 }))
      .map(([a, b, file, port]) => `https://${a}.${b}.com:${port}/${file}`),
    wrong: fc.oneof(
      label.map((text) => `http://${text}.com/x.rpm`),
      label.map((text) => `https://${text}.com`),
      label.map((text) => `https://${text}..com/x.rpm`),
      label.map((text) => `https://-${text}.com/x.rpm`),
      label.map((text) => `https://${text}.com:99999/x.rpm`),
      label.map((text) => `https://${text}.com:0/x.rpm`),
      label.map((text) => `https://${text}.com/x y.rpm`),
      label.map((text) => `https://${text}.com/$(id)`),
      label.map((text) => `https://user@${text}.com/x.rpm`),
      tooMany("a", 63).map((text) => `https://${text}.com/x.rpm`),
    ),
  },
  sha256: {
    right: hex(64),
    wrong: fc.oneof(
      hex(63),
      hex(65),
      hex(64).map((sum) => `${sum.slice(1)}G`),
      hex(64).map((sum) => `${sum} `),
    ),
  },
  "nodes[].subnetId": idOf("subnet"),
  "nodes[].availabilityZone": {
    right: fc.constantFrom(...zones),
    wrong: fc.oneof(word("a-z", 1, 9), fc.constantFrom("eu-west-1", "eu-west-1h", "EU-west-1a")),
  },
  "nodes[].privateIp": {
    right: address,
    wrong: fc.oneof(
      wrongAddress,
      address.map((text) => `${text}/32`),
    ),
  },
  "nodes[].instanceId": {
    ...idOf("i"),
    door: checks("aws:cloudwatch/metricAlarm:MetricAlarm", (InstanceId) => alarm({ InstanceId })),
  },
  "nodes[].nodeName": {
    right: address.map((text) => `emqx@${text}`),
    wrong: fc.oneof(
      wrongAddress
        .filter((text) => !/^0?\d{1,3}(\.\d{1,3}){3}$/.test(text) || /[3-9]\d\d|2[6-9]\d|25[6-9]/.test(text))
        .map((text) => `emqx@${text}`),
      address,
      address.map((text) => `mqtt@${text}`),
      label.map((text) => `emqx@${text}`),
    ),
  },
  loadBalancerName: {
    right: fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/),
    wrong: fc.oneof(
      label.map((text) => `-${text}`),
      label.map((text) => `${text}.x`),
      tooMany("a", 32),
    ),
    door: checks("aws:elb/loadBalancer:LoadBalancer", (name) => ({ name })),
  },
  parameterPrefix: {
    right: fc
      .array(word("a-z0-9_.-", 1, 14), { minLength: 1, maxLength: 12 })
      .map((levels) => `/${levels.join("/")}`)
      .filter((path) => !/^\/(aws|ssm)/.test(path)),
    wrong: fc.oneof(
      word("a-z", 1, 9),
      word("a-z", 1, 9).map((text) => `/${text}/`),
      word("a-z", 1, 9).map((text) => `/${text}//x`),
      word("a-z", 1, 9).map((text) => `/${text} x`),
      word("a-z", 0, 9).map((text) => `/aws${text}/x`),
      word("a-z", 0, 9).map((text) => `/SSM${text}/x`),
      tooMany("x", 199).map((text) => `/${text}`),
      fc.integer({ min: 13, max: 20 }).map((n) => "/x".repeat(n)),
    ),
    door: creates("aws:ssm/parameter:Parameter", (prefix) => ({
      name: `${prefix}/nodes/99/applied`,
      type: "String",
      value: "x",
    })),
  },
  roleName: {
    right: fc.stringMatching(/^[\w+=,.@-]{1,64}$/),
    wrong: fc.oneof(
      tooMany("x", 64),
      label.map((text) => `${text}/x`),
      label.map((text) => `${text} x`),
      fc.constant(""),
    ),
    door: creates("aws:iam/role:Role", (name) => ({ name, assumeRolePolicy: trust })),
  },
  alarmTopicArn: {
    right: fc
      .tuple(arnOf("sns", "x").right, word("A-Za-z0-9_-", 1, 200))
      .map(([arn, name]) => `${arn}${name}`),
    wrong: fc.oneof(
      arnOf("sns", "topic").wrong,
      word("a-z", 1, 9).map((name) => `arn:aws:sns:eu-west-1:123456789012:${name}.fifo`),
      tooMany("x", 256).map((name) => `arn:aws:sns:eu-west-1:123456789012:${name}`),
    ),
    door: checks("aws:cloudwatch/metricAlarm:MetricAlarm", (arn) => ({ ...alarm({}), alarmActions: [arn] })),
  },
};
rows["furtherCertificateArns[]"] = rows["certificateArn"]!;

/** The same under the names that they have in a group. */
Object.assign(rows, {
  ...{ arn: rows["certificateArn"], type: rows["instanceType"], "hostnames[]": rows["hostname"] },
  ...{ "privateSubnetIds[]": rows["subnetIds[]"], "publicSubnetIds[]": rows["subnetIds[]"] },
});

/** Whose grammar is a language of its own, with tests of its own. */
const elsewhere = ["extraConfig", "file", "clientCertificateAuthorities"];

test("every text of every component has a row here", () => {
  expect([...texts.keys()].filter((path) => !elsewhere.includes(path)).sort()).toEqual(
    Object.keys(rows).sort(),
  );
});

const places = Object.entries(rows).map(([path, row]): [string, Row] => [path, row]);
const problems = (path: string, value: unknown) => inputProblems("it", texts.get(path)!, value, region);
const runs = { numRuns: 60 };

test.each(places)("%s: right values are accepted here and by the region", async (path, { right, door }) => {
  await fc.assert(
    fc.asyncProperty(right, async (value) => {
      expect([value, problems(path, value)]).toEqual([value, []]);
      expect([value, (await door?.(value)) ?? []]).toEqual([value, []]);
    }),
    runs,
  );
});

test.each(places)("%s: wrong values are refused", (path, { right, wrong }) => {
  const garbage = fc.oneof(
    fc.constantFrom(" ", "\n", "\0", "…", "[object Object]", "${x}", "a".repeat(2000)),
    right.map((value) => `\t${value}\u00a0`),
    right.map((value) => `${value}'; rm -rf /`),
  );
  // A licence key and a tag's value may have blanks around them, and the words of a tag, a prefix, a description or a name in a rule are free.
  const free =
    /^rules\[\]\.(user|client|topics)/.test(path) ||
    ["licenseKey", "secretConfig{}", "tags{}", "bucketPrefix", "egress[].description"].includes(path);
  fc.assert(
    fc.property(free ? wrong : fc.oneof(wrong, wrong, garbage), (value) => {
      const found = problems(path, value).join();
      expect([value, found]).toEqual([value, expect.stringMatching(/^(it|emqxVersion)\b/)]);
      expect(found).not.toContain("undefined is not");
    }),
    runs,
  );
});
