import { clusterNodesInputs, type EmqxClusterNodesArgs } from "../../components/nodes/settings";
import { withDefaults } from "../../components/shared/inputs";
/** What `up`, the warnings at preview and the policies say of who may connect: the same, whatever authenticates. */
import { userOf } from "../local/endpoints";
import { Listener } from "../../components";
import { clusterNodesWarnings } from "../../components/nodes/problems";
import { renderUserData } from "../../components/emqx/userData";
import { nodeArgs } from "../../test/components/emqx/arguments";
import { violationsOf } from "../../test/policies/fake";

const http = '{ mechanism = password_based, backend = http, url = "https://a.example.com" }';
const anybody = "anybody; nothing authenticates";
const byHttp = "as extraConfig has it: password_based by http";
const open = { anonymousAccess: true };

const rows: [
  what: string,
  args: { anonymousAccess?: boolean },
  extraConfig: string,
  user: string,
  open: string[],
][] = [
  ["the built-in users", {}, "", "mqtt; its password: npm run -s region -- password", []],
  [
    "them and a chain of its own",
    {},
    `authentication = [{ mechanism = password_based, backend = built_in_database }, ${http}]`,
    "mqtt; its password: npm run -s region -- password",
    [],
  ],
  ["nothing", open, "", anybody, ["tcp.default", "ws.default"]],
  ["an authentication of its own", open, `authentication = [${http}]`, byHttp, []],
  ["one authenticator, without a list", open, `authentication = ${http}`, byHttp, []],
  [
    "one that is off",
    open,
    `authentication = [${http.replace("{", "{ enable = false,")}]`,
    anybody,
    ["tcp.default", "ws.default"],
  ],
  [
    "a listener that does not ask",
    open,
    `authentication = [${http}]\nlisteners.ws.default.enable_authn = false`,
    `${byHttp} (listener tcp.default); ${anybody} (listener ws.default)`,
    ["ws.default"],
  ],
  [
    "chains of the listeners' own",
    open,
    `listeners.tcp.default.authentication = [${http}]\nlisteners.ws.default.authentication = [${http}]`,
    byHttp,
    [],
  ],
  [
    "a further listener that does not ask",
    {},
    `listeners.tcp.inside { bind = 1884, enable_authn = false }`,
    "mqtt; its password: npm run -s region -- password",
    ["tcp.inside"],
  ],
];

test.each(rows)("%s", async (_what, args, extraConfig, user, openTo) => {
  const userData = renderUserData(nodeArgs({ ...args, extraConfig, listeners: { ws: true } }));
  const type = "aws:ec2/instance:Instance";
  const outputs = args.anonymousAccess ? {} : { mqttUsername: "mqtt" };
  const resources = [{ urn: "node", type, outputs: { userData } }];
  expect(userOf("local", { outputs, resources, pendingOperations: [] })).toBe(user);

  const nodes = ["192.168.0.10"].map((privateIp) => ({
    subnetId: "s",
    availabilityZone: "eu-west-1a",
    privateIp,
  }));
  const listeners = [Listener.Mqtts, Listener.Wss];
  const warnings = clusterNodesWarnings(
    withDefaults<EmqxClusterNodesArgs, typeof clusterNodesInputs>(clusterNodesInputs, {
      ...args,
      extraConfig,
      listeners,
      nodes,
      securityGroupIds: [],
    }),
  );
  expect(warnings.filter((text) => text.includes("without saying who they are"))).toHaveLength(
    Math.min(1, openTo.length),
  );

  const violations = await violationsOf("clients-authenticate", { type, props: { userData } });
  expect(violations.map((text) => /on at (.*), so anybody/.exec(text)?.[1]?.split(", "))).toEqual(
    openTo.length === 0 ? [] : [openTo],
  );
});

test("of nodes whose configuration cannot be read, no more is said than is known", () => {
  const resources = [{ urn: "node", type: "aws:ec2/instance:Instance", outputs: {} }];
  expect(userOf("local", { outputs: {}, resources, pendingOperations: [] })).toBe(
    "whom the nodes' own configuration lets in",
  );
});

test("users beside the first one are told where they are", () => {
  const outputs = { mqttUsername: "mqtt", mqttUsersParameter: "/emqx/p/s/n/mqtt-users" };
  expect(userOf("local", { outputs, resources: [] } as never)).toMatch(
    / password; more users: parameter \/emqx\/p\/s\/n\/mqtt-users$/,
  );
});
