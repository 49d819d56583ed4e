import { clusterNodesInputs } from "../../../components/nodes/settings";
import { inputProblems } from "../../../components/shared/inputs";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { extraConfigProblems, extraConfigWarnings } from "../../../components/emqx/extraConfig";
import { HoconError, readHocon } from "../../../components/emqx/hocon";
import { renderConfiguration } from "../../../components/emqx/configuration";
import { nodeArgs } from "./arguments";
import { parseHocon } from "./parseHocon";

test.each([
  [""],
  ["# only a comment"],
  ["mqtt.max_packet_size = 2MB"],
  ["mqtt { max_packet_size = 2MB, keepalive_multiplier = 2 }\nlog.console.level = warning"],
  ['listeners.tcp.internal { bind = "0.0.0.0:11883", max_connections = 10 }'],
  ["listeners { tcp { default { max_conn_rate = 500 } } }"],
  ["listeners.ws.default.websocket.compress = true"],
  ["cluster_name_is_not_cluster = 1\nnode.dist_net_ticktime = 60s\nnode_x { name = 1 }"],
  ['rule_engine.rules.r1 { sql = "SELECT payload.${x} FROM \\"t/#\\"", actions = [{ function = console }] }'],
  ['rule_engine.rules.r1.sql = """\nSELECT *\nFROM "t/#" """'],
  ["authorization { sources = [{ type = file, path = acl.conf }], deny_action = disconnect, }"],
  ["a = [1, 2\n 3,]\nb = x // comment\nc : 1 # comment"],
  ["a = 1.5\r\nb = -2, c = +3, d = .5, e = 1.5e-3, f = 70%, g = 15s, h = null, i = true"],
  ['"quoted" = 1, "with space" { x = "\ttab" }'],
  ['license.connection_low_watermark = "70%"'],
  ['"ä" = "ö"'],
  [
    'cluster.links = [{ name = "other", server = "other.example.com:1883", topics = ["t/#"] }]\ncluster.core_nodes = []',
  ],
])("%j is accepted", (hocon) => expect(extraConfigProblems(hocon)).toEqual([]));

test.each([
  ["mqtt {", `line 1: "{" is never closed`],
  ["mqtt }", `line 1: after mqtt there must be =, : or {, not "}"`],
  ["a = 1\n}", `line 2: "}" without a "{"`],
  ["a = [1, 2", `line 1: "[" is never closed`],
  ["\n\na = ", `line 3: the value of a is missing`],
  [
    "a = 1 b = 2",
    `line 1: "b" does not belong here: put a text inside double quotes, the next setting in a new`,
  ],
  ["a = {} b = 1", `line 1: "b" does not belong here`],
  ["a = x y z", `line 1: "y" does not belong here`],
  ['a = "x" "y"', `line 1: """ does not belong here`],
  ['a = "x" ]', `line 1: "]" does not belong here`],
  ["a = {b = 1} {c = 2}", `line 1: "{" does not belong here`],
  ["a", `line 1: after a there must be =, : or {, not the end`],
  ["a\n= 1", `line 1: after a there must be =, : or {, not the end of the line`],
  ['a = "x', `line 1: a quoted string is never closed`],
  ['a = """x', `line 1: """ is never closed`],
  ['a = """x""""', `line 1: a text in """ cannot end in a quote or backslash`],
  ['a = "x\\\\"', `line 1: the string "x\\\\" must not end in a backslash`],
  ["a = 0.0.0.0:1883", `line 1: the value of a must be inside double quotes`],
  ["a = t/#", `line 1: "/" does not belong here: put a text inside double quotes`],
  ["a = 10x", `line 1: the value of a must be inside double quotes`],
  ["a = 1,, b = 2", "line 1: two commas in a row"],
  ["a = 1,\n# end", "line 2: nothing comes after the last comma"],
  ["a += 1", "line 1: EMQX does not know +=: write the whole value"],
  ["{ a = 1 }", "line 1: write the settings without braces around them"],
  ['include "other.conf"', "line 1: include is not possible: write the settings themselves"],
  ['include required(file("x"))', "line 1: include is not possible"],
  ['mqtt { include "http://example.com/x" }', "line 1: include is not possible"],
  ["a = ${node.cookie}", "line 1: substitutions are not possible: write the value itself"],
  ["a = ${?HOME}", "line 1: substitutions are not possible"],
  ["${a} = 1", `line 1: here the name of a setting must begin, not "$"`],
  ["a = x ${b}", `line 1: "$" does not belong here`],
  ["a = @file", `line 1: the value of a must be inside double quotes`],
  ["a = include", `line 1: the value of a must be inside double quotes`],
  ["a = 'x'", `line 1: the value of a must be inside double quotes`],
  ['a = "\\u12"', `line 1: the string "\\u12" has a \\u without four digits after it`],
  [".a = 1", `line 1: here the name of a setting must begin, not "."`],
  ["1a = 1", `line 1: here the name of a setting must begin, not "1"`],
  ["a. = 1", `line 1: "a." is not the name of a setting`],
  ['"" = 1', `line 1: "" is not the name of a setting`],
  ["true = 1", `line 1: "true" is not the name of a setting`],
  ['"a".b = 1', `line 1: after a there must be =, : or {, not "."`],
])("%j is not HOCON: %s", (hocon, problem) => {
  const problems = extraConfigProblems(hocon);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`extraConfig is not HOCON that can be appended to emqx.conf: ${problem}`);
});

test.each(["a = 1\u0000", "a = \u001b[0m", "\ufeffa = 1", "a = 1\rb = 2", "# x\u2028a = 1"])(
  "%j has a control character",
  (hocon) => {
    expect(extraConfigProblems(hocon)).toEqual([
      expect.stringMatching(/^extraConfig contains the control character U\+/),
    ]);
  },
);

test.each([
  ['node.cookie = "x"', "line 1 sets node.cookie, but node.cookie is set by the component"],
  ["node { cookie = x }", "line 1 sets node.cookie,"],
  ['"node" { "cookie" = x }', "line 1 sets node.cookie,"],
  ['"node.cookie" = x', "line 1 sets node.cookie,"],
  ["node : { name : x }", "line 1 sets node.name,"],
  ["node = null", "line 1 sets node, but node.name is set by the component"],
  ["node = [1]", "line 1 sets node, but node.name"],
  [
    "mqtt { a = 1 }\n\ncluster.static.seeds = []",
    "line 3 sets cluster.static.seeds, but cluster.static is set",
  ],
  ["cluster = 1", "line 1 sets cluster, but cluster.name is set by the component: use clusterName"],
  ["rpc { server_port = 1 }", "use clusterPorts"],
  ["rpc.tcp_server_port = 1", "use clusterPorts"],
  ["listeners.tcp { default { bind = 1 } }", "sets listeners.tcp.default.bind, but"],
  ['listeners { "tcp" { "default" { bind = 1 } } }', "sets listeners.tcp.default.bind, but"],
  [
    "listeners.tcp.default = disabled_tombstone",
    "sets listeners.tcp.default, but listeners.tcp.default.enable",
  ],
  ["listeners = {}\nlisteners.ssl.default { enable = true }", "line 2 sets listeners.ssl.default, but"],
  ["listeners.tcp.default.proxy_protocol = true", "use classicElb.proxyProtocol"],
  ["dashboard.listeners.http.bind = 8080", "but dashboard.listeners.http.bind is set"],
  ["dashboard.listeners.http.proxy_header = true", "the health check comes without a PROXY header"],
  ['dashboard.default_password = "x"', "but dashboard.default_password is set"],
  ["authentication = []", "name EMQX's own users in it"],
  ["listeners.tcp.default.enable_authn = false", "use anonymousAccess"],
  ["license.key = evaluation", "use licenseKey"],
  ["license = evaluation", "line 1 sets license, but license.key is set by the component: use licenseKey"],
])("%j sets what the component owns", (hocon, problem) => {
  const problems = extraConfigProblems(hocon);
  expect(problems.join("\n")).toContain(problem);
  for (const line of problems) expect(line).toMatch(/^extraConfig line \d+ sets .*Remove it\.$/);
});

test("all collisions are told at once", () => {
  expect(extraConfigProblems("node.name = a\ncluster.name = b\nlicense.key = c")).toHaveLength(3);
});

test("with anonymous access, authentication is free", () => {
  const hocon = "authentication = [{ mechanism = jwt }]\nlisteners.tcp.default.enable_authn = false";
  expect(extraConfigProblems(hocon)).toHaveLength(2);
  expect(extraConfigProblems(hocon, { anonymousAccess: true })).toEqual([]);
  expect(extraConfigProblems("node.name = x", { anonymousAccess: true })).toHaveLength(1);
});

test.each([
  [
    'cluster.links = [{ name = b, servr = "b:1883", topics = [] }]',
    /did you mean cluster\.links\.1\.server\?/,
  ],
  [
    "authentication { mechanism = password_based, backend = built_in_database, user_id_typ = clientid }",
    /did you mean authentication\.user_id_type\?/,
  ],
  ["authentication { mechanism = scram, backend = built_in_database }", undefined],
  [
    "authentication = [{ mechanism = jwt, use_jwks = false, algorithm = hmac-based, verify_claims = [{ name = sub, value = x }], secret = s }]",
    undefined,
  ],
  ["cluster { prevent_overlapping_partitions = true, quic_lb_mode = 0 }", undefined],
  [
    "cluster { heartbeat_interval = 5s, missed_heartbeats = 4, durable_timers {}, description = x }",
    undefined,
  ],
  ["dashboard.listeners.http { num_acceptors = 8, max_connections = 1024, backlog = 512 }", undefined],
  [
    'message_transformation.transformations = [{ name = a, topics = ["#"], failure_action = drop, operations = [], ' +
      "payload_decoder { type = none }, payload_encoder { type = none } }]",
    undefined,
  ],
])("6.2.2: %j", (hocon, problem) => {
  const problems = extraConfigProblems(hocon, { version: "6.2.2", anonymousAccess: true });
  expect(problems).toEqual(
    problem === undefined ? [] : expect.arrayContaining([expect.stringMatching(problem)]),
  );
});

test("a backslash before another sign is one, as EMQX's own page of rewritten topics has it", () => {
  expect(readHocon(String.raw`re = "^x/(\d+)\.\\\/\"\t$"`)[0]!.value).toBe('^x/(\\d+)\\.\\\\/"\t$');
});

test("links to other clusters, as docs/authentication.md has them", () => {
  const [, page = ""] = /```hocon\n([^]*?)```/.exec(readFileSync("docs/authentication.md", "utf8")) ?? [];
  const options = { version: "5.8.10", secretPaths: ["cluster.links.1.password"] };
  expect(extraConfigProblems(page, options)).toEqual([]);
  expect(extraConfigProblems(page, { ...options, version: "5.8.9" }).join()).toMatch(
    /no setting of EMQX 5\.8\.9/,
  );
  expect(extraConfigWarnings(page.replace("ssl.", "password = abc, ssl."), "5.8.10", options)).toHaveLength(
    1,
  );
});

// ---- properties ----

const segment = fc
  .stringMatching(/^[a-z][a-z0-9_]{0,6}$/)
  .filter((word) => !["include", "null", "true", "false"].includes(word));
const scalar = fc.oneof(
  fc.integer({ min: 0, max: 1e6 }).map((n) => ({ text: String(n), value: n })),
  fc.boolean().map((b) => ({ text: String(b), value: b })),
  fc
    .string({ unit: "grapheme-ascii" })
    .filter((s) => !s.endsWith("\\"))
    .map((s) => ({ text: JSON.stringify(s), value: s })),
);

/** A tree of settings together with one of its spellings. */
const { tree } = fc.letrec<{ tree: { text: string; value: Record<string, unknown> } }>((tie) => ({
  tree: fc
    .uniqueArray(
      fc.tuple(
        segment,
        fc.boolean(),
        fc.constantFrom(" = ", ": ", "="),
        fc.constantFrom("\n", " # comment\n", "\r\n", "\n\n"),
        fc.oneof({ maxDepth: 3 }, scalar, tie("tree"), fc.array(scalar, { maxLength: 3 })),
      ),
      { selector: ([key]) => key, maxLength: 4 },
    )
    .map((fields) => {
      let text = "";
      const value: Record<string, unknown> = {};
      for (const [key, quoted, sign, end, content] of fields) {
        const name = quoted ? `"${key}"` : key;
        if (Array.isArray(content)) {
          text += `${name}${sign}[${content.map((item) => item.text).join(", ")}]${end}`;
          value[key] = content.map((item) => item.value);
        } else if (typeof content.value === "object") {
          text += `${name}${sign === "=" ? " " : sign}{\n${content.text}}${end}`;
          value[key] = content.value;
        } else {
          text += `${name}${sign}${content.text}${end}`;
          value[key] = content.value;
        }
      }
      return { text, value };
    }),
}));

function paths(value: Record<string, unknown>, parent: string[] = []): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...parent, key];
    const below =
      typeof inner === "object" && !Array.isArray(inner) ? paths(inner as Record<string, unknown>, path) : [];
    return [path.join("."), ...below];
  });
}

test("the reader finds exactly the keys that another HOCON parser finds", async () => {
  await fc.assert(
    fc.asyncProperty(tree, async ({ text, value }) => {
      expect(readHocon(text).map(({ path }) => path.join("."))).toEqual(paths(value));
      expect(paths((await parseHocon(text)) ?? {}).sort()).toEqual(paths(value).sort());
    }),
    { numRuns: 200 },
  );
});

test("any text is judged and nothing else happens", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-c={}[\]",.$#+: \n\\]{0,40}$/));
  fc.assert(
    fc.property(text, (hocon) => {
      expect(Array.isArray(extraConfigProblems(hocon))).toBe(true);
      try {
        readHocon(hocon);
      } catch (error) {
        expect(error).toBeInstanceOf(HoconError);
      }
    }),
    { numRuns: 2000 },
  );
});

test("whatever is accepted leaves the component's own settings as they were", async () => {
  const own = await parseHocon(renderConfiguration(nodeArgs()));
  // Settings beside the component's: everything in it under names that emqx.conf has as well.
  const beside = fc
    .tuple(
      fc.constantFrom("node", "listeners", "dashboard", "rpc", "license", "mqtt", "listeners.tcp.default"),
      tree,
    )
    .map(([key, { text }]) => `${key} {\n${text}}`);
  await fc.assert(
    fc.asyncProperty(beside, async (extraConfig) => {
      fc.pre(extraConfigProblems(extraConfig).length === 0);
      const merged = await parseHocon(renderConfiguration(nodeArgs({ extraConfig })));
      expect(merged).toMatchObject(own);
    }),
    { numRuns: 100 },
  );
});

test("a value of another resource is told where it may stand", () => {
  const later = inputProblems("extraConfig", clusterNodesInputs.extraConfig, Promise.resolve("a.b = 1"), {});
  expect(later).toEqual([
    expect.stringMatching(
      /^extraConfig: is an output of another resource, .*; write the text without it, and give the value, .* by secretConfig/,
    ),
  ]);
});
