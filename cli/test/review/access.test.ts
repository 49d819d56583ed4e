/** Every change that lets more people do more shows: in the verdict, in what is told, and in the exposure gate. */
import { describeUsers } from "../../../components/emqx/users";
import type { DigestStep } from "../../review/preview/engine";
import { headlineOf, markdownOf } from "../../review/report/markdown";
import { types } from "../../review/types";
import { create, remove, replace, reviewed, same, step, type Resource } from "./previews";

const userData = (configuration: string, files: Record<string, string> = {}) =>
  `#cloud-config\n${JSON.stringify({
    write_files: Object.entries({ "/etc/emqx/emqx.conf": configuration, ...files }).map(
      ([path, content]) => ({
        path,
        content,
      }),
    ),
  })}`;

const builtIn = "{mechanism = password_based, backend = built_in_database}";
const jwt = "{mechanism = jwt, use_jwks = false}";
const chain = (...authenticators: string[]) => `authentication = [${authenticators.join(", ")}]`;
const safe = `${chain(builtIn)}\nauthorization { no_match = deny, deny_action = disconnect, sources = [{type = file}] }`;

const node = (configuration: string, inputs = {}): Resource => ({
  type: types.instance,
  name: "n-0",
  inputs: {
    userData: userData(configuration),
    metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
    rootBlockDevice: { encrypted: true },
    ...inputs,
  },
});
const configured = (before: string, after: string) => [replace(node(before), node(after))];
const machine = (inputs: object) => [replace(node(safe), node(safe, inputs))];
const updated = (type: string, before: object, after: object, extra = {}): DigestStep =>
  step(
    "update",
    { type, name: "r", inputs: { ...before }, ...extra },
    { type, name: "r", inputs: { ...after }, ...extra },
  );

const parameter = (name: string, inputs: object): Resource => ({
  type: types.parameter,
  name: `n-${name}`,
  inputs: { name: `/emqx/test/n/${name}`, ...inputs },
});
const cluster = same(parameter("cluster", {}));
const acl = (...rules: string[]) =>
  parameter("acl", { insecureValue: rules.map((rule) => `${rule}\n`).join("") });
const rules = (before: string[], after: string[]) => [cluster, step("update", acl(...before), acl(...after))];
const users = (...names: string[]) =>
  parameter("mqtt-users", {
    value: "[secret]",
    type: "SecureString",
    description: describeUsers(names.map((username) => ({ username, superuser: username === "root" }))),
  });
const [allowA, allowB, denyC] = ["a", "b", "c"].map(
  (topic) => `{${topic === "c" ? "deny" : "allow"}, all, all, ["${topic}/#"]}.`,
) as [string, string, string];

const balancer = (inputs: object): Resource => ({
  type: types.loadBalancer,
  name: "lb",
  id: "lb",
  inputs: {
    name: "lb",
    listeners: [{ lbPort: 8883, lbProtocol: "ssl", instancePort: 1883, instanceProtocol: "tcp" }],
    accessLogs: { bucket: "logs" },
    ...inputs,
  },
});
const plainListener = { lbPort: 1883, lbProtocol: "tcp", instancePort: 1883, instanceProtocol: "tcp" };
const tlsPolicy = (reference: string): Resource => ({
  type: types.loadBalancerPolicy,
  name: "tls",
  inputs: {
    loadBalancerName: "lb",
    policyName: "tls",
    policyTypeName: "SSLNegotiationPolicyType",
    policyAttributes: [{ name: "Reference-Security-Policy", value: reference }],
  },
});
const onListener: Resource = {
  type: types.listenerPolicy,
  name: "on",
  inputs: { loadBalancerName: "lb", loadBalancerPort: 8883, policyNames: ["tls"] },
};
const tls = (before: string, after: string) => [
  same(balancer({})),
  same(onListener),
  replace(tlsPolicy(before), tlsPolicy(after)),
];
const proxyPolicy: Resource = {
  type: types.loadBalancerPolicy,
  name: "proxy",
  inputs: {
    loadBalancerName: "lb",
    policyName: "proxy",
    policyTypeName: "ProxyProtocolPolicyType",
    policyAttributes: [{ name: "ProxyProtocol", value: "true" }],
  },
};
const onNodes: Resource = {
  type: types.backendPolicy,
  name: "back",
  inputs: { loadBalancerName: "lb", instancePort: 1883, policyNames: ["proxy"] },
};
const trusting = `${safe}\nlisteners.tcp.default.proxy_protocol = true`;

const role: Resource = { type: "aws:iam/role:Role", name: "role", id: "role", inputs: {} };
const statement = (...statements: object[]) => JSON.stringify({ Statement: statements });
const allow = (action: unknown, resource: unknown, more = {}) => ({
  ...{ Effect: "Allow", Action: action, Resource: resource },
  ...more,
});
const permission = (policy: string): Resource => ({
  type: "aws:iam/rolePolicy:RolePolicy",
  name: "own",
  inputs: { role: "role", policy },
});
const permitted = (before: string, after: string) => [
  same(role),
  step("update", permission(before), permission(after)),
];
const bucket: Resource = { type: types.bucket, name: "b", id: "b", inputs: {} };
const blockOf = (restrictPublicBuckets: boolean): Resource => ({
  type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  name: "block",
  inputs: {
    bucket: "b",
    ...{ blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets },
  },
});
const parameterType = types.parameter;
const flowLog: Resource = { type: types.flowLog, name: "flow", inputs: { vpcId: "vpc" } };

const loosening: [what: string, steps: DigestStep[]][] = [
  ["authentication taken away", configured(safe, safe.replace(chain(builtIn), ""))],
  ["authentication emptied at the end", configured(safe, `${safe}\n${chain()}`)],
  ["authentication switched off", configured(safe, safe.replace("}]", ", enable = false}]"))],
  ["a way to authenticate more", configured(safe, `${safe}\n${chain(builtIn, jwt)}`)],
  [
    "authentication in another order",
    configured(`${safe}\n${chain(builtIn, jwt)}`, `${safe}\n${chain(jwt, builtIn)}`),
  ],
  [
    "an authenticator with other settings",
    configured(`${safe}\n${chain(jwt)}`, `${safe}\n${chain(jwt.replace("jwt,", "jwt, from = username,"))}`),
  ],
  [
    "a listener without authentication",
    configured(safe, `${safe}\nlisteners.tcp.default.enable_authn = false`),
  ],
  [
    "a listener whose own chain is off",
    configured(safe, `${safe}\nlisteners.tcp.default.authentication = [{mechanism = jwt, enable = false}]`),
  ],
  ["a listener more", configured(safe, `${safe}\nlisteners.tcp.other.bind = "0.0.0.0:1885"`)],
  [
    "a wider access rule of a listener",
    configured(`${safe}\nlisteners.tcp.default.access_rules = ["allow 10.0.0.0/8"]`, safe),
  ],
  ["no_match = allow", configured(safe, `${safe}\nauthorization.no_match = allow`)],
  ["no_match left to EMQX", configured(safe, safe.replace("no_match = deny, ", ""))],
  ["deny_action = ignore", configured(safe, `${safe}\nauthorization.deny_action = ignore`)],
  ["no ACL sources", configured(safe, `${safe}\nauthorization.sources = []`)],
  ["other ACL sources", configured(safe, `${safe}\nauthorization.sources = [{type = http}]`)],
  ["keys for the REST API", configured(safe, `${safe}\napi_key.bootstrap_file = "/etc/keys"`)],
  ["a gateway", configured(safe, `${safe}\ngateway.stomp.enable = true`)],
  ["a configuration that cannot be read", configured(safe, "authentication += []")],
  ["PROXY believed, written by nobody", [same(balancer({})), ...configured(safe, trusting)]],
  [
    "PROXY switched off",
    [same(balancer({})), remove(proxyPolicy), remove(onNodes), ...configured(trusting, safe)],
  ],
  ["IMDSv1", machine({ metadataOptions: { httpTokens: "optional" } })],
  [
    "metadata for containers",
    machine({ metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 2 } }),
  ],
  ["an SSH key", machine({ keyName: "mine" })],
  ["a plain root disk", machine({ rootBlockDevice: {} })],
  [
    "a plain data volume",
    [
      replace(
        { type: types.volume, name: "r", inputs: { encrypted: true } },
        { type: types.volume, name: "r", inputs: {} },
      ),
    ],
  ],
  ["older TLS", tls("ELBSecurityPolicy-TLS-1-2-2017-01", "ELBSecurityPolicy-2016-08")],
  ["a TLS policy that is not known", tls("ELBSecurityPolicy-TLS-1-2-2017-01", "ELBSecurityPolicy-2031-01")],
  [
    "no TLS policy",
    [same(balancer({})), same(tlsPolicy("ELBSecurityPolicy-TLS-1-2-2017-01")), remove(onListener)],
  ],
  [
    "a plain listener",
    [
      step(
        "update",
        balancer({}),
        balancer({ listeners: [...(balancer({}).inputs!.listeners as object[]), plainListener] }),
      ),
    ],
  ],
  [
    "plain text on the port of TLS",
    [step("update", balancer({}), balancer({ listeners: [{ ...plainListener, lbPort: 8883 }] }))],
  ],
  ["a public load balancer", [replace(balancer({ internal: true }), balancer({ internal: false }))]],
  ["no access logs", [step("update", balancer({}), balancer({ accessLogs: undefined }))]],
  [
    "access logs switched off",
    [step("update", balancer({}), balancer({ accessLogs: { bucket: "logs", enabled: false } }))],
  ],
  ["no flow logs", [same({ type: types.vpc, name: "vpc", id: "vpc" }), remove(flowLog)]],
  ["logs for a shorter time", [updated(types.logGroup, { retentionInDays: 365 }, { retentionInDays: 1 })]],
  ["logs without a key of one's own", [updated(types.logGroup, { kmsKeyId: "arn:key" }, {})]],
  ["a parameter in the clear", [updated(parameterType, { type: "SecureString" }, { type: "String" })]],
  [
    "an action more",
    permitted(statement(allow("s3:GetObject", "a")), statement(allow(["s3:GetObject", "s3:PutObject"], "a"))),
  ],
  [
    "a resource more",
    permitted(statement(allow("s3:GetObject", "a/*")), statement(allow("s3:GetObject", "*"))),
  ],
  [
    "a condition less",
    permitted(
      statement(allow("s3:*", "*", { Condition: { Bool: { x: "true" } } })),
      statement(allow("s3:*", "*")),
    ),
  ],
  ["a denial less", permitted(statement({ Effect: "Deny", Action: "*", Resource: "*" }), statement())],
  [
    "all but one action",
    permitted(
      statement(allow("s3:GetObject", "*")),
      statement({ Effect: "Allow", NotAction: "iam:*", Resource: "*" }),
    ),
  ],
  ["a policy that is not known yet", permitted(statement(), "04da6b54-80e4-46f7-96ec-b56ff0331ba9")],
  ["a policy more", [same(role), create(permission(statement(allow("*", "*"))))]],
  [
    "AWS's own policy more",
    [
      same(role),
      create({
        type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        name: "a",
        inputs: { role: "role", policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" },
      }),
    ],
  ],
  [
    "others who may take the role",
    [
      step(
        "update",
        {
          ...role,
          inputs: {
            assumeRolePolicy: statement({
              Effect: "Allow",
              Action: "sts:AssumeRole",
              Principal: { Service: "ec2.amazonaws.com" },
            }),
          },
        },
        {
          ...role,
          inputs: {
            assumeRolePolicy: statement({ Effect: "Allow", Action: "sts:AssumeRole", Principal: "*" }),
          },
        },
      ),
    ],
  ],
  ["a public bucket", [same(bucket), step("update", blockOf(true), blockOf(false))]],
  ["a bucket without its block", [same(bucket), remove(blockOf(true))]],
  [
    "a bucket's policy for everybody",
    [
      same(bucket),
      create({
        type: "aws:s3/bucketPolicy:BucketPolicy",
        name: "p",
        inputs: { bucket: "b", policy: statement({ ...allow("s3:GetObject", "*"), Principal: "*" }) },
      }),
    ],
  ],
  [
    "a way out",
    [
      same({ type: types.securityGroup, name: "sg", id: "sg" }),
      create({
        type: types.egressRule,
        name: "out",
        inputs: { securityGroupId: "sg", ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" },
      }),
    ],
  ],
  ["a rule that allows", rules([allowA], [allowA, allowB])],
  ["a rule that denies is gone", rules([denyC, allowA], [allowA])],
  ["rules in another order", rules([denyC, allowA], [allowA, denyC])],
  ["an MQTT user", [cluster, create(users("device"))]],
  ["an MQTT user who is a superuser", [cluster, step("update", users("device"), users("device", "root"))]],
  ["protection taken away", [step("same", { ...bucket, extra: { protect: true } }, bucket)]],
];

test.each(loosening)("%s", (_what, steps) => {
  const review = reviewed(...steps);
  expect(review.gates).toContain("exposure");
  expect(headlineOf(review)).toMatch(/🔓|🚨/);
  expect(headlineOf(review)).not.toContain("✅");
  expect(markdownOf(review)).toMatch(/🔓 (may be )?(looser|opens)/);
});

/** The other way round nothing opens, unless it cannot be told which is which. */
const ranked = loosening.filter(
  ([what]) => !/other|order|more|not known|read|shorter|key of|wider|all but|sources/.test(what),
);
const reversed = ({ op, urn, oldState, newState }: DigestStep): DigestStep => ({
  op: op === "create" ? "delete" : op === "delete" ? "create" : op,
  urn,
  oldState: newState && { ...newState, id: newState.id || "x" },
  newState: oldState,
});
test.each(ranked)("not, taken back: %s", (_what, steps) => {
  expect(reviewed(...steps.map(reversed)).gates).not.toContain("exposure");
});

test.each([
  ["authentication that comes", configured(safe.replace(chain(builtIn), ""), safe)],
  ["a chain that changes", configured(safe, `${safe}\n${chain(jwt)}`)],
  ["a rule that allows is gone", rules([allowA, allowB], [allowA])],
  ["rules of one's own", [cluster, create(acl(allowA))]],
  ["an MQTT user who is gone", [cluster, remove(users("device"))]],
  ["an ACL that denies the rest", configured(`${safe}\nauthorization.no_match = allow`, safe)],
  [
    "PROXY on one side at a time",
    [same(balancer({})), create(proxyPolicy), create(onNodes), ...configured(safe, trusting)],
  ],
])("clients may be refused: %s", (_what, steps) => {
  const review = reviewed(same({ type: types.instance, name: "n-1", inputs: node(safe).inputs }), ...steps);
  expect(review.level).toBe("interrupts-service");
  expect(markdownOf(review)).toContain("Clients that are admitted today may be refused.");
});

test("rules and users that change are told by themselves", () => {
  const { access } = reviewed(
    ...rules([allowA, denyC], [allowA, allowB]),
    step("update", users("a", "b"), users("b", "root")),
  );
  expect(access.map(({ what, before, after, direction }) => [what, before, after, direction])).toEqual([
    ["What MQTT clients may do", `\`${denyC}\``, `\`${allowB}\``, "weaker"],
    ["MQTT users", "a", "root (superuser)", "other"],
  ]);
});

test("the nodes of a cluster are as open as the most open of them", () => {
  const other = { ...node(safe), name: "n-1" };
  const open = { ...node(safe.replace(chain(builtIn), "")), name: "n-1" };
  expect(reviewed(same(node(safe)), replace(other, open)).gates).toContain("exposure");
});

test("user data that is secret as a whole shows that it changes", () => {
  const hidden = node(safe, { userData: "[secret]" });
  const steps = [{ ...replace(hidden, hidden), replaceReasons: ["userData"] }];
  expect(reviewed(...steps).gates).toContain("exposure");
});

test("nothing is told of what does not change", () => {
  const review = reviewed(
    ...[
      node(safe),
      balancer({}),
      tlsPolicy("ELBSecurityPolicy-2016-08"),
      onListener,
      bucket,
      blockOf(false),
      role,
    ].map((resource) => same(resource)),
  );
  expect(review.access).toEqual([]);
});
