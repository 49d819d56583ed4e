import { extraConfigProblems, extraConfigWarnings } from "../../../../components/emqx/extraConfig";
import { structure } from "../../../../components/emqx/schema/table";

const open = (version: string) => ({ version, anonymousAccess: true });

/** One of each line of versions, open source and Enterprise. */
const versions = ["5.8.0", "5.8.9", "5.8.11", "5.9.2", "5.10.4", "6.0.3", "6.1.4", "6.2.2"];

interface Setting {
  path: string[];
  type: string;
  siblings: Set<string>;
}

/** Settings that can be written as a path, breadth first: structures inside structures and inside maps. */
function settings(version: string, deepest: number): Setting[] {
  const found: Setting[] = [];
  const seen = new Set<string>();
  let layer = [{ path: [] as string[], struct: "" }];
  for (let depth = 0; depth < deepest; depth += 1) {
    const next: typeof layer = [];
    for (const { path, struct } of layer) {
      const fields = structure(struct, version)?.fields ?? [];
      const siblings = new Set([...fields].map(([name]) => name));
      for (const [name, { type }] of fields) {
        found.push({ path: [...path, name], type, siblings });
        const [, open, inner] = /^([~{]*)&([^|{}[\]]+)}?$/.exec(type) ?? [];
        if (inner === undefined || seen.has(inner)) continue;
        seen.add(inner);
        next.push({ path: [...path, name, ...(open?.includes("{") ? ["x1"] : [])], struct: inner });
      }
    }
    layer = next;
  }
  return found;
}

const ownedByUs =
  /^(node|cluster|rpc|license|dashboard|listeners\.(ssl|wss)|listeners\.[a-z]+\.x1\.authentication)/;

/** Every way to misspell that a tired hand knows, a different one for each name. */
function misspelt(name: string, turn: number): string {
  const at = 1 + (turn % Math.max(1, name.length - 1));
  const ways = [
    `${name.slice(0, at)}x${name.slice(at)}`,
    name.slice(0, at) + name.slice(at + 1),
    `${name.slice(0, at)}${name.charAt(at) === "z" ? "y" : "z"}${name.slice(at + 1)}`,
    `${name}s`,
    name.replaceAll("_", "") + (name.includes("_") ? "" : "_"),
    name.charAt(0).toUpperCase() + name.slice(1),
  ];
  return ways[turn % ways.length]!;
}

test.each(versions)("EMQX %s: a misspelt setting is refused at every depth, with its path", (version) => {
  const byDepth = new Map<number, number>();
  settings(version, 6)
    .filter(({ path, type }) => !ownedByUs.test(path.join(".")) && type !== "deprecated")
    .forEach(({ path, siblings }, turn) => {
      const wrong = misspelt(path.at(-1)!, turn);
      // Every fifth one: seconds, not minutes.
      if (turn % 5 !== 0 || siblings.has(wrong) || !/^[A-Za-z][A-Za-z0-9_]*$/.test(wrong)) return;
      const written = [...path.slice(0, -1), wrong].join(".");
      const problems = extraConfigProblems(`\n${written} = 1`, open(version));
      const said = problems.find((problem) =>
        problem.startsWith(`extraConfig line 2: ${written} is no setting`),
      );
      expect([written, said]).toEqual([written, expect.stringContaining(`of EMQX ${version}`)]);
      byDepth.set(path.length, (byDepth.get(path.length) ?? 0) + 1);
    });
  expect([...byDepth.values()].reduce((sum, count) => sum + count)).toBeGreaterThan(100);
  expect(byDepth.size).toBeGreaterThanOrEqual(4);
});

test.each([
  [
    "mqtt.max_packet_sise = 2MB",
    "line 1: mqtt.max_packet_sise is no setting of EMQX 5.8.9: did you mean mqtt.max_packet_size?",
  ],
  ["mqqt.max_packet_size = 2MB", "line 1: mqqt is no setting of EMQX 5.8.9: did you mean mqtt?"],
  [
    "mqtt.max_qos_allowed = 3",
    "line 1: mqtt.max_qos_allowed cannot be 3: EMQX takes a whole number from 0 to 2.",
  ],
  [
    "\nmqtt { max_topic_levels = 0 }",
    "line 2: mqtt.max_topic_levels cannot be 0: EMQX takes a whole number from 1 to 65535.",
  ],
  [
    'mqtt.session_expiry_interval = "2hours"',
    'line 1: mqtt.session_expiry_interval cannot be "2hours": EMQX takes a duration',
  ],
  [
    'mqtt.max_packet_size = "1.5MB"',
    'line 1: mqtt.max_packet_size cannot be "1.5MB": EMQX takes a size such as',
  ],
  ["mqtt.retain_available = yes", 'line 1: mqtt.retain_available cannot be "yes": EMQX takes true or false.'],
  ["mqtt = 1", "line 1: mqtt cannot be 1: EMQX takes an object { … }."],
  ["log.console.level = warn", 'line 1: log.console.level cannot be "warn": EMQX takes'],
  ["listeners.tcp.inner.max_connections = many", "EMQX takes infinity, or a whole number from 1 on."],
  ['listeners.tcp.inner.bind = "localhost:1884"', 'EMQX takes a port, or "address:port" with an IP address.'],
  ["rule_engine.rules.r1 { actions = [] }", "line 1: rule_engine.rules.r1.sql is required"],
  [
    "authentication = [{ mechanism = password_based, backend = built_in_databas }]",
    'authentication.1.backend cannot be "built_in_databas": EMQX takes built_in_database',
  ],
  [
    "authentication = [{ mechanism = password_based, backend = http, methud = get }]",
    "authentication.1.methud is no setting",
  ],
  [
    "authorization.sources = [{ type = fil }]",
    'authorization.sources.1.type cannot be "fil": EMQX takes file',
  ],
  ["message_transformation {}", "message_transformation is no setting of EMQX 5.8.9"],
])("%s", (hocon, problem) => {
  expect(extraConfigProblems(hocon, open("5.8.9")).join("\n")).toContain(problem);
});

/** What users write, in the forms of EMQX's schema (5.8.9); written by hand, as nothing here runs EMQX's own checker on it. */
test.each([
  ["mqtt { max_packet_size = 2MB, max_inflight = 64, session_expiry_interval = 2h, idle_timeout = 15s }"],
  ['mqtt.server_keepalive = disabled\nmqtt.max_mqueue_len = infinity\nmqtt.mqueue_priorities { "t/1" = 10 }'],
  ["mqtt.max_packet_size = null"],
  ['listeners.tcp.inner { bind = "0.0.0.0:1884", max_connections = infinity, access_rules = ["allow all"] }'],
  ["listeners.tcp.inner { bind = 1884, tcp_options { active_n = 10, buffer = 4KB } }"],
  [
    'listeners.ssl.mine { bind = 9883, ssl_options { verify = verify_none, versions = ["tlsv1.3", "tlsv1.2"] } }',
  ],
  [
    'authentication = [{ mechanism = jwt, use_jwks = false, algorithm = hmac-based, secret = "x", verify_claims { username = "${username}" } }]',
  ],
  ["authentication.1 { mechanism = password_based, backend = built_in_database, user_id_type = clientid }"],
  [
    'authentication = [{ mechanism = password_based, backend = http, method = post, url = "http://127.0.0.1:8080/auth", body { username = "${username}" }, headers { "content-type" = "application/json" } }]',
  ],
  [
    "authorization { no_match = allow, sources = [{ type = built_in_database, enable = true }], cache { enable = true, ttl = 1m } }",
  ],
  [
    'rule_engine.rules.r1 { sql = "SELECT * FROM \\"t/#\\"", actions = [{ function = console }, { function = republish, args { topic = "a" } }] }',
  ],
  [
    'connectors.http.c1 { url = "http://127.0.0.1:8080", headers { accept = "x" } }\nactions.http.a1 { connector = c1, parameters { method = post, path = "/x" } }',
  ],
  [
    "log { console { enable = true, level = warning, formatter = json }, file { default { rotation_count = 5 } } }",
  ],
  ["log.file { enable = true, level = error }"],
  ["flapping_detect { enable = true, max_count = 15, window_time = 1m, ban_time = 5m }"],
  ["retainer { enable = true, msg_expiry_interval = 1h, max_payload_size = 1MB }"],
  ['sysmon.vm { long_gc = disabled, process_high_watermark = "80%" }\nsysmon.os.sysmem_high_watermark = 70%'],
  ["force_shutdown { max_heap_size = 64MB, max_mailbox_size = 1000 }"],
  [
    'delayed { enable = true, max_delayed_messages = 0 }\nsys_topics.sys_msg_interval = 1m\nauto_subscribe.topics = [{ topic = "c/${clientid}", qos = 1 }]',
  ],
  ['prometheus { enable = true, push_gateway_server = "http://127.0.0.1:9091", interval = 15s }'],
  ["gateway.stomp { enable = true, listeners.tcp.default.bind = 61613 }"],
  [
    "broker { shared_subscription_strategy = round_robin, routing.storage_schema = v2 }\nzones.z1.mqtt.max_inflight = 8",
  ],
  ["dashboard.token_expired_time = 60m\nbridges.mqtt {}"],
])("%j is not refused for 5.8.9", (hocon) => expect(extraConfigProblems(hocon, open("5.8.9"))).toEqual([]));

test.each(versions)("what the component itself writes is what EMQX %s takes", (version) => {
  expect(extraConfigProblems("", { version })).toEqual([]);
  expect(extraConfigProblems("", open(version))).toEqual([]);
});

test("settings that came or went with a version are known to the versions that have them", () => {
  expect(extraConfigProblems("mq.enable = true", open("6.2.2"))).toEqual([]);
  expect(extraConfigProblems("mq.enable = true", open("5.10.4"))).toHaveLength(1);
});

test("a version that is not known is compared with the newest before it, and only warned about", () => {
  expect(extraConfigProblems("mqtt.new_in_7 = 1", open("6.9.9"))).toEqual([]);
  expect(extraConfigWarnings("mqtt.new_in_7 = 1", "6.9.9", {})).toEqual([
    expect.stringMatching(/^extraConfig: the settings of EMQX 6\.9\.9 are not known here/),
    expect.stringContaining("mqtt.new_in_7 is no setting of EMQX"),
  ]);
  expect(extraConfigWarnings("mqtt.max_inflight = 1", "6.9.9", {})).toHaveLength(1);
  expect(extraConfigWarnings("mqtt.new = 1", "5.8.9", {})).toEqual([]);
});

test("the check takes less than 50 ms", () => {
  extraConfigProblems("", open("6.2.2"));
  const before = process.cpuUsage();
  extraConfigProblems("authentication = [{ mechanism = password_based, backend = wrong }]", open("6.2.2"));
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(50);
});
