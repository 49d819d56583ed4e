import { ownRules, renderAcl } from "../../components/emqx/acl";
import { policies } from "../../policies/policies";
import { stackViolationsOf, violationsOf, type Given } from "./fake";

const ingress = (props: Record<string, unknown>): Given => ({
  type: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  props: { ipProtocol: "tcp", ...props },
});
const range = (fromPort: number, toPort = fromPort) => ({ fromPort, toPort });
const group = (props: Record<string, unknown>): Given => ({
  type: "aws:ec2/securityGroup:SecurityGroup",
  props,
});
const oldRule = (props: Record<string, unknown>): Given => ({
  type: "aws:ec2/securityGroupRule:SecurityGroupRule",
  props: { type: "ingress", protocol: "tcp", ...props },
});
const instance = (props: Record<string, unknown>): Given => ({ type: "aws:ec2/instance:Instance", props });
const volume = (props: Record<string, unknown>): Given => ({ type: "aws:ebs/volume:Volume", props });
const balancer = (props: Record<string, unknown>): Given => ({
  type: "aws:elb/loadBalancer:LoadBalancer",
  name: "lb",
  props,
});
const ssl = {
  lbPort: 8883,
  lbProtocol: "SSL",
  instancePort: 1883,
  instanceProtocol: "TCP",
  sslCertificateId: "arn",
};
const tlsPolicy = (...attributes: [string, string][]): Given => ({
  type: "aws:elb/loadBalancerPolicy:LoadBalancerPolicy",
  props: {
    policyTypeName: "SSLNegotiationPolicyType",
    policyAttributes: attributes.map(([name, value]) => ({ name, value })),
  },
});
const eip = (props: Record<string, unknown>): Given => ({ type: "aws:ec2/eip:Eip", props });

const builtIn = "authentication = [{mechanism = password_based, backend = built_in_database}]";
const configured = (policy: string, rows: [string, string, string | undefined][]) =>
  rows.map(([what, configuration, violation]): [string, string, Given, string | undefined] => [
    policy,
    what,
    instance({
      userData: `#cloud-config\n${JSON.stringify({ write_files: [{ path: "/etc/emqx/emqx.conf", content: configuration }] })}`,
    }),
    violation,
  ]);

/** Policy, what is looked at, and a part of the only violation; undefined where there is nothing to object to. */
const cases: [policy: string, what: string, given: Given, violation: string | undefined][] = [
  [
    "cluster-ports-from-nodes-only",
    "each port from a block",
    ingress({ ...range(4369), cidrIpv4: "10.0.0.0/8" }),
    "cluster ports 4369 are open to 10.0.0.0/8",
  ],
  [
    "cluster-ports-from-nodes-only",
    "EMQX's own ports",
    ingress({ ...range(5370), cidrIpv4: "10.0.0.0/8" }),
    "5370",
  ],
  [
    "cluster-ports-from-nodes-only",
    "a range across them",
    ingress({ ...range(4000, 7000), cidrIpv6: "::/0" }),
    "4369, 5369, 6369, 4370, 5370",
  ],
  [
    "cluster-ports-from-nodes-only",
    "all protocols",
    ingress({ ipProtocol: "-1", cidrIpv4: "192.168.0.0/16" }),
    "192.168.0.0/16",
  ],
  [
    "cluster-ports-from-nodes-only",
    "a prefix list",
    ingress({ ...range(6369), prefixListId: "pl-1" }),
    "pl-1",
  ],
  [
    "cluster-ports-from-nodes-only",
    "inline rules",
    group({ ingress: [{ protocol: "tcp", ...range(5369), cidrBlocks: ["0.0.0.0/0"] }] }),
    "0.0.0.0/0",
  ],
  [
    "cluster-ports-from-nodes-only",
    "the older resource",
    oldRule({ ...range(4369), cidrBlocks: ["10.0.0.0/8"] }),
    "10.0.0.0/8",
  ],
  [
    "cluster-ports-from-nodes-only",
    "the older resource, outward",
    oldRule({ type: "egress", ...range(4369), cidrBlocks: ["10.0.0.0/8"] }),
    undefined,
  ],
  [
    "cluster-ports-from-nodes-only",
    "from the nodes' group",
    ingress({ ...range(4369), referencedSecurityGroupId: "sg-1" }),
    undefined,
  ],
  [
    "cluster-ports-from-nodes-only",
    "UDP",
    ingress({ ipProtocol: "udp", ...range(4369), cidrIpv4: "10.0.0.0/8" }),
    undefined,
  ],
  [
    "cluster-ports-from-nodes-only",
    "another port",
    ingress({ ...range(1883), cidrIpv4: "0.0.0.0/0" }),
    undefined,
  ],
  ["dashboard-not-from-the-world", "the world", ingress({ ...range(18083), cidrIpv4: "0.0.0.0/0" }), "18083"],
  [
    "dashboard-not-from-the-world",
    "half of the world",
    ingress({ ...range(18083), cidrIpv4: "128.0.0.0/1" }),
    "128.0.0.0/1",
  ],
  ["dashboard-not-from-the-world", "IPv6", ingress({ ...range(18000, 19000), cidrIpv6: "::/0" }), "::/0"],
  [
    "dashboard-not-from-the-world",
    "an office",
    ingress({ ...range(18083), cidrIpv4: "198.51.100.0/24" }),
    undefined,
  ],
  [
    "one-rule-resource-per-permission",
    "inline rules",
    group({ egress: [{ protocol: "-1" }] }),
    "1 inline egress rule",
  ],
  ["one-rule-resource-per-permission", "no inline rules", group({ ingress: [], egress: [] }), undefined],
  [
    "one-rule-resource-per-permission",
    "the older resource",
    oldRule({ ...range(80) }),
    "is an ec2.SecurityGroupRule",
  ],
  ["disks-encrypted", "a plain volume", volume({ size: 8 }), "not encrypted"],
  ["disks-encrypted", "an encrypted volume", volume({ encrypted: true }), undefined],
  ["disks-encrypted", "a root disk by default", instance({}), "the root disk"],
  [
    "disks-encrypted",
    "one plain disk among others",
    instance({ rootBlockDevice: { encrypted: true }, ebsBlockDevices: [{ deviceName: "/dev/sdg" }] }),
    "disk /dev/sdg",
  ],
  ["disks-encrypted", "all encrypted", instance({ rootBlockDevice: { encrypted: true } }), undefined],
  ["metadata-by-session-only", "the default", instance({}), "IMDSv1"],
  [
    "metadata-by-session-only",
    "optional",
    instance({ metadataOptions: { httpTokens: "optional" } }),
    "IMDSv1",
  ],
  [
    "metadata-by-session-only",
    "required",
    instance({ metadataOptions: { httpTokens: "required" } }),
    undefined,
  ],
  [
    "metadata-by-session-only",
    "none at all",
    instance({ metadataOptions: { httpEndpoint: "disabled" } }),
    undefined,
  ],
  ["no-public-address", "asked for", instance({ associatePublicIpAddress: true }), "public address"],
  ["no-public-address", "not asked for", instance({}), undefined],
  [
    "no-public-address",
    "by the subnet",
    { type: "aws:ec2/subnet:Subnet", props: { mapPublicIpOnLaunch: true } },
    "every instance",
  ],
  ["no-public-address", "an address of an instance", eip({ instance: "i-1" }), "NAT gateways"],
  ["no-public-address", "an address of a NAT gateway", eip({ domain: "vpc" }), undefined],
  ["tls-ends-at-the-load-balancer", "the guide's listener", balancer({ listeners: [ssl] }), undefined],
  [
    "tls-ends-at-the-load-balancer",
    "plain 8883",
    balancer({ listeners: [{ ...ssl, lbProtocol: "TCP" }] }),
    "plain TCP on port 8883",
  ],
  [
    "tls-ends-at-the-load-balancer",
    "TLS to the nodes",
    balancer({ listeners: [{ ...ssl, instanceProtocol: "SSL" }] }),
    "speaks SSL to the nodes",
  ],
  ["listeners-lead-to-mqtt-only", "MQTT", balancer({ listeners: [ssl] }), undefined],
  [
    "listeners-lead-to-mqtt-only",
    "the dashboard",
    balancer({ listeners: [{ ...ssl, instancePort: 18083 }] }),
    "18083",
  ],
  [
    "listeners-lead-to-mqtt-only",
    "a cluster port",
    balancer({ listeners: [{ ...ssl, instancePort: 4369 }] }),
    "4369",
  ],
  [
    "tls-1-2-at-least",
    "TLS 1.2",
    tlsPolicy(["Reference-Security-Policy", "ELBSecurityPolicy-TLS-1-2-2017-01"]),
    undefined,
  ],
  [
    "tls-1-2-at-least",
    "TLS 1.1",
    tlsPolicy(["Reference-Security-Policy", "ELBSecurityPolicy-TLS-1-1-2017-01"]),
    "before 1.2",
  ],
  ["tls-1-2-at-least", "TLS 1.2 by hand", tlsPolicy(["Protocol-TLSv1.2", "true"]), undefined],
  [
    "tls-1-2-at-least",
    "TLS 1.0 by hand",
    tlsPolicy(["Protocol-TLSv1.2", "true"], ["Protocol-TLSv1", "true"]),
    "admits TLSv1",
  ],
  ["tls-1-2-at-least", "nothing", tlsPolicy(), "names no TLS version"],
  ["idle-timeout-outlasts-keep-alive", "AWS's default", balancer({}), "after 60 s"],
  [
    "idle-timeout-outlasts-keep-alive",
    "as long as the broker",
    balancer({ idleTimeout: 450 }),
    "more than 450",
  ],
  ["idle-timeout-outlasts-keep-alive", "longer", balancer({ idleTimeout: 480 }), undefined],
  ...configured("clients-authenticate", [
    ["the built-in users", builtIn, undefined],
    ["nothing", "", "anybody may connect"],
    ["an empty list at the end", `${builtIn}\nauthentication = []`, "anybody may connect"],
    ["one that is off", builtIn.replace("}]", ", enable = false}]"), "anybody may connect"],
  ]),
  ...configured("acl-denies-the-rest", [
    ["denied", "authorization.no_match = deny", undefined],
    ["EMQX's default", "", "no_match = deny"],
    ["allowed again", "authorization { no_match = deny }\nauthorization.no_match = allow", "no_match = deny"],
  ]),
  ...(
    [
      [
        "no rule fits, and it is allowed",
        renderAcl({ rules: [], noMatch: "allow" }),
        "end by allowing everybody",
      ],
      ["no rule fits", renderAcl({ rules: [{ permission: "allow", topics: ["a/#"] }] }), undefined],
      ["EMQX's own rules", ownRules, undefined],
      ["a file that EMQX refuses", "{allow", undefined],
    ] as const
  ).map(([what, insecureValue, violation]): (typeof cases)[number] => [
    "acl-denies-the-rest",
    what,
    { type: "aws:ssm/parameter:Parameter", props: { name: "/emqx/p/s/n/acl", insecureValue } },
    violation,
  ]),
  [
    "cookie-not-in-user-data",
    "none",
    instance({ userData: "secret cookie '^[A-Z]$'\nenv=\"EMQX_NODE__COOKIE=$value\"" }),
    undefined,
  ],
  [
    "cookie-not-in-user-data",
    "in the environment",
    instance({ userData: "EMQX_NODE__COOKIE=abcdefgh" }),
    "Erlang cookie",
  ],
  [
    "cookie-not-in-user-data",
    "in the configuration",
    instance({ userData: 'node {\n  cookie = "emqxsecretcookie"\n}' }),
    "Erlang cookie",
  ],
  [
    "cookie-not-in-user-data",
    "in Base64",
    instance({ userDataBase64: Buffer.from("-setcookie verysecret").toString("base64") }),
    "Erlang cookie",
  ],
];

test.each(cases)("%s: %s", async (policy, _what, given, violation) => {
  const found = await violationsOf(policy, given);
  expect(found).toEqual(violation === undefined ? [] : [expect.stringContaining(violation)]);
});

test("the keep-alive can be configured", async () => {
  const given = balancer({ idleTimeout: 60 });
  expect(await violationsOf("idle-timeout-outlasts-keep-alive", given, { keepAliveSeconds: 30 })).toEqual([]);
  expect(
    await violationsOf("idle-timeout-outlasts-keep-alive", given, { keepAliveSeconds: 40 }),
  ).toHaveLength(1);
});

test("a TLS listener needs its policy on its own port", async () => {
  const policy = (loadBalancerPort: number, of: string): Given => ({
    type: "aws:elb/listenerPolicy:ListenerPolicy",
    name: `policy-${loadBalancerPort}`,
    props: { loadBalancerPort },
    from: { loadBalancerName: [of] },
  });
  const stack = balancer({ listeners: [ssl] });
  const other: Given = { ...stack, name: "other", props: {} };
  const name = "tls-listeners-have-a-policy";
  expect(await stackViolationsOf(name, stack, policy(8883, "lb"))).toEqual([]);
  expect(await stackViolationsOf(name, stack)).toEqual([expect.stringContaining("port 8883 of lb")]);
  expect(await stackViolationsOf(name, stack, policy(8084, "lb"))).toHaveLength(1);
  expect(await stackViolationsOf(name, stack, other, policy(8883, "other"))).toHaveLength(1);
});

test("the cookie is generated and kept as a secret", async () => {
  const parameter = (type: string, ...sources: string[]): Given => ({
    type: "aws:ssm/parameter:Parameter",
    name: "nodes-cookie",
    props: { name: "/emqx/cookie", type },
    from: { value: sources },
  });
  const password: Given = { type: "random:index/randomPassword:RandomPassword", name: "password", props: {} };
  const name = "cookie-is-generated";
  expect(await stackViolationsOf(name, password, parameter("SecureString", "password"))).toEqual([]);
  expect(await stackViolationsOf(name, password, parameter("SecureString"))).toEqual([
    expect.stringContaining("written in the program"),
  ]);
  expect(await stackViolationsOf(name, password, parameter("String", "password"))).toEqual([
    expect.stringContaining("Make it a SecureString"),
  ]);
});

test("a bucket blocks public access, all of it", async () => {
  const bucket = (name: string): Given => ({ type: "aws:s3/bucket:Bucket", name, props: {} });
  const block = (of: string, restrictPublicBuckets = true): Given => ({
    type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    name: `${of}-block`,
    props: { blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets },
    from: { bucket: [of] },
  });
  const name = "buckets-are-private";
  expect(await stackViolationsOf(name, bucket("a"), block("a"))).toEqual([]);
  expect(await stackViolationsOf(name, bucket("a"))).toHaveLength(1);
  expect(await stackViolationsOf(name, bucket("a"), bucket("b"), block("b"))).toHaveLength(1);
  expect(await stackViolationsOf(name, bucket("a"), block("a", false))).toEqual([
    expect.stringContaining("Set restrictPublicBuckets"),
  ]);
});

test("every policy has a description that is a sentence", () => {
  expect(new Set(policies.map(({ name }) => name)).size).toBe(policies.length);
  for (const { description } of policies) expect(description).toMatch(/^[A-Z0-9].*\.$/);
});
