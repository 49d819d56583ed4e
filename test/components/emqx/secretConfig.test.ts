/** Settings that are secret: from a map of paths to a file of the node's, by a parameter, and nowhere else. */
import { extraConfigProblems, extraConfigWarnings } from "../../../components/emqx/extraConfig";
import { renderSecretConfig, secretSizeProblems } from "../../../components/emqx/secretConfig";
import { readHocon } from "../../../components/emqx/hocon";
import { existing, operations } from "../../../components/emqx/operations";
import { ownRules } from "../../../components/emqx/acl";
import { safeguardsOfNode } from "../../../components/emqx/access";
import { renderUserData } from "../../../components/emqx/userData";
import { nodeArgs } from "./arguments";
import { calls, type Machine, secrets, testMachines } from "./machine";

const self = "emqx@192.168.0.10";
const chain = `authentication = [
  { mechanism = password_based, backend = http, method = post, url = "http://10.0.0.9/auth", body { a = "b" } }
  { mechanism = password_based, backend = postgresql, server = "10.0.0.9:5432", database = mqtt, username = emqx, query = "SELECT 1" }
]
`;
const problems = (extraConfig: string, ...secretPaths: string[]) =>
  extraConfigProblems(extraConfig, { anonymousAccess: true, version: "5.8.9", secretPaths });

test("what is written is read as it was given", () => {
  const given = { "authentication.2.password": `p"\\q\n\${HOME} # ä`, "authentication.1.headers.x-key": "a" };
  expect(readHocon(renderSecretConfig(given)).map(({ path, value }) => [path.join("."), value])).toEqual(
    Object.entries(given).sort(),
  );
});

test.each<[string, string[], string[]]>([
  [chain, ["authentication.2.password", "authentication.1.headers.authorization"], []],
  [
    chain,
    ["authentication.2.pasword"],
    [
      "secretConfig.authentication.2.pasword: authentication.2.pasword is no setting of EMQX 5.8.9: did you mean authentication.2.password?",
    ],
  ],
  [
    chain,
    ["authentication.3.password"],
    ["secretConfig.authentication.3.password: authentication has the items 1 to 2 in extraConfig"],
  ],
  [
    chain,
    ["authentication.2.pool_size"],
    [
      "secretConfig.authentication.2.pool_size: authentication.2.pool_size cannot be a secret text: EMQX takes a whole number from 1 on.",
    ],
  ],
  [
    "",
    ["node.cookie"],
    [
      "secretConfig sets node.cookie, but node.cookie is set by the component: it is generated and read from a parameter. Remove it.",
    ],
  ],
  // What EMQX requires may come by either.
  [chain.replace("database = mqtt, ", ""), ["authentication.2.database"], []],
])("%s with %j", (extraConfig, paths, expected) => {
  expect(problems(extraConfig, ...paths)).toEqual(expected);
});

test("beside the built-in users, nothing of the authentication is anybody's but theirs", () => {
  const options = { version: "5.8.9", secretPaths: ["authentication.1.password"] };
  expect(extraConfigProblems("", options)).toEqual([
    expect.stringMatching(/^secretConfig sets auth.*anonymousAccess/),
  ]);
});

test("more than a parameter holds", () => {
  expect(secretSizeProblems("secretConfig", { "a.b": "x".repeat(4000) })).toEqual([]);
  expect(secretSizeProblems("secretConfig", { "a.b": "x".repeat(5000) })).toEqual([
    "secretConfig: has 5009 bytes, and its parameter holds 4096; give fewer or shorter secrets",
  ]);
});

test.each([
  [
    "authentication = [{ mechanism = jwt, use_jwks = false, algorithm = hmac-based, secret = abc }]",
    "1: authentication.1.secret",
  ],
  [
    '\nconnectors.http.a { headers { Authorization = "Bearer x" } }',
    "2: connectors.http.a.headers.Authorization",
  ],
  ['a.password = "file:///etc/emqx/x"', undefined],
  ["dashboard.password_expired_time = 1d", undefined],
  ["a.use_secret = true", undefined],
])("%j: a credential that anybody can read is warned of", (extraConfig, line) => {
  const warnings = extraConfigWarnings(extraConfig, "5.8.9", { anonymousAccess: true });
  expect(warnings).toEqual(
    line === undefined
      ? []
      : [expect.stringMatching(new RegExp(`^extraConfig line ${line} looks like a credential`))],
  );
  expect(warnings.join()).not.toMatch(/abc|Bearer/);
});

test("what is in the user data can be judged as without them", () => {
  const args = { anonymousAccess: true, extraConfig: chain };
  expect(safeguardsOfNode(renderUserData(nodeArgs({ ...args, hasSecretConfig: true })))).toEqual(
    safeguardsOfNode(renderUserData(nodeArgs(args))),
  );
});

describe("on a node", () => {
  const { booted } = testMachines();
  const node = () =>
    booted({ anonymousAccess: true, extraConfig: chain, hasSecretConfig: true, hasAcl: true });
  const where = (machine: Machine, secret: string) =>
    Object.entries(machine.files()).flatMap(([name, content]) => (content.includes(secret) ? [name] : []));

  test("they are in one file, which root and EMQX read, and in no call", async () => {
    const machine = await node();
    expect(machine.read("etc/emqx-node/secret.conf")).toBe(
      `node.cookie = "${secrets.cookie}"\nauthentication.2.password = "Config-Secret-1"\n`,
    );
    expect(machine.mode("etc/emqx-node/secret.conf")).toBe("root:emqx 640");
    expect(where(machine, "Config-Secret-1")).toEqual(["root/etc/emqx-node/secret.conf"]);
    expect(machine.readParameter("nodes/0/applied")).toBe(
      "dashboard-password=1 mqtt-password=1 license-key=1 secret-config=1 acl=1",
    );
    const run = await machine.operate("sync");
    expect(calls(run, "emqx")).toEqual([]);
  });

  test("a changed one is taken up without a restart", async () => {
    const machine = await node();
    machine.change("secret-config", 'authentication.2.password = "Config-Secret-2"\n');
    const run = await machine.operate("sync");
    expect(run).toMatchObject({
      code: 0,
      console: expect.stringMatching(/^emqx-node: taking up the secret settings\n/) as string,
    });
    expect(calls(run, "emqx")).toEqual(["emqx ctl conf reload"]);
    expect(calls(run, "systemctl")).toEqual([]);
    expect(run.calls.filter((call) => call.includes("Config-Secret"))).toEqual([]);
    expect(where(machine, "Config-Secret-1")).toEqual([]);
    expect(where(machine, "Config-Secret-2")).toEqual(["root/etc/emqx-node/secret.conf"]);
    expect(machine.readParameter("nodes/0/applied")).toBe(
      "dashboard-password=1 mqtt-password=1 license-key=1 secret-config=2 acl=1",
    );
  });

  describe("that somebody else keeps", () => {
    const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:users-AbCdEf";
    const given = async () => {
      const machine = await node();
      machine.parameters.set("/prod/key", "Config-Secret-2\n");
      machine.role.secrets.set(
        arn,
        JSON.stringify({ port: 5432, password: String.raw`a"\\n\c/ä` }, null, 2).replace("/", "\\/"),
      );
      machine.operations({ ...operations, ...existing });
      const sources = {
        "authentication.1.headers.x-key": "/prod/key",
        "authentication.2.password": `${arn}:password`,
      };
      machine.change("secret-config", renderSecretConfig({ "authentication.2.database": "mqtt" }, sources));
      return machine;
    };
    const taken = (machine: Machine) =>
      readHocon(machine.read("etc/emqx-node/secret.conf"))
        .slice(1)
        .map(({ path, value }) => [path.join("."), value]);
    const both = [
      ["authentication.2.database", "mqtt"],
      ["authentication.1.headers.x-key", "Config-Secret-2"],
      ["authentication.2.password", String.raw`a"\\n\c/ä`],
    ];

    test.each([
      ["by curl", undefined],
      ["by its command line", /amazonaws/],
    ])("AWS is asked %s", async (_, curl) => {
      const machine = await given();
      if (curl !== undefined) machine.disturb("curl", curl, { fail: 22 });
      const run = await machine.operate("sync");
      expect([run.code, taken(machine)]).toEqual([0, both]);
      expect(calls(run, "emqx")).toEqual(["emqx ctl conf reload"]);
      expect(run.calls.join()).not.toContain("Config-Secret");
      expect(run.console).not.toContain("Config-Secret");
      expect(where(machine, "Config-Secret-2")).toEqual(["root/etc/emqx-node/secret.conf"]);
      expect(machine.readParameter("nodes/0/applied")).toContain(" secret-config=2");
    });

    test("a change of theirs is taken up, and nothing is done without one", async () => {
      const machine = await given();
      await machine.operate("sync");
      const quiet = await machine.operate("sync");
      expect([calls(quiet, "emqx"), quiet.calls.filter((call) => /secret-config --/.test(call))]).toEqual([
        [],
        [],
      ]);
      expect(quiet.console).not.toContain("settings");
      machine.parameters.set("/prod/key", "Config-Secret-3");
      const run = await machine.operate("sync");
      expect(run.console).toMatch(/^emqx-node: taking up the secret settings\n/);
      expect(calls(run, "emqx")).toEqual(["emqx ctl conf reload"]);
      expect(where(machine, "Config-Secret-2")).toEqual([]);
      const changed = both.with(1, ["authentication.1.headers.x-key", "Config-Secret-3"]);
      expect(taken(machine)).toEqual(changed);
      machine.parameters.delete("/prod/key");
      const without = await machine.operate("sync");
      expect(without).toMatchObject({
        code: 0,
        console: expect.stringMatching(/^emqx-node: going on with .*ParameterNotFound/) as string,
      });
      expect(taken(machine)).toEqual(changed);
    });

    test.each<[string, (machine: Machine) => unknown, RegExp]>([
      [
        "no parameter",
        (machine) => machine.parameters.delete("/prod/key"),
        /: \/prod\/key, from which authentication\.1\.headers\.x-key is taken: .*ParameterNotFound/,
      ],
      [
        "no secret",
        (machine) => machine.role.secrets.clear(),
        /: arn:\S+:secret:users-AbCdEf, from which authentication\.2\.password is taken: .*ResourceNotFoundException/,
      ],
      [
        "no such field",
        (machine) => machine.role.secrets.set(arn, '{"port":5432}'),
        /users-AbCdEf, from which authentication\.2\.password is taken, has no text password/,
      ],
      [
        "a backslash at the end",
        (machine) => machine.parameters.set("/prod/key", "x\\"),
        /\/prod\/key, from which \S+ is taken: EMQX takes no text that is empty, has control/,
      ],
    ])("%s: says so, and leaves what there is", async (_, change, words) => {
      const machine = await given();
      change(machine);
      const { code, console } = await machine.operate("sync");
      expect([code, console]).toEqual([1, expect.stringMatching(words)]);
      expect(console).not.toContain("5432");
      expect(taken(machine)).toEqual([["authentication.2.password", "Config-Secret-1"]]);
      expect(machine.readParameter("nodes/0/applied")).toContain(" secret-config=1");
    });
  });

  test("what EMQX refuses is not reported, nor repeated, and tried again", async () => {
    const machine = await node();
    for (const [refused, why] of [
      ['authentication.2.password = "Config-Secret-2', "bad_hocon_file"],
      [
        'authentication.2.pasword = "Config-Secret-2"',
        'check config failed path => "authentication.2" reason => unknown_fields',
      ],
      // And when nothing is new
      [undefined, 'check config failed path => "authentication.2" reason => unknown_fields'],
    ] as const) {
      if (refused !== undefined) machine.change("secret-config", `${refused}\n`);
      const { console } = await machine.operate("sync");
      expect(console).toContain(
        `FAILED while taking up the secret settings: emqx ctl conf reload: ${why} exit code 1\n`,
      );
      expect(console).not.toContain("Config-Secret");
    }
    machine.change("secret-config", 'authentication.2.password = "Config-Secret-3"\n');
    expect((await machine.operate("sync")).code).toBe(0);
    expect(machine.readParameter("nodes/0/applied")).toBe(
      "dashboard-password=1 mqtt-password=1 license-key=1 secret-config=4 acl=1",
    );
  });

  test("EMQX reads them as its own user, all that its schema requires among them, and says what it has read", async () => {
    const machine = await node();
    const reload = async () => {
      const { done } = machine.runs.start(["emqx", "ctl", "conf", "reload"], () => {});
      const { code, lines } = await done;
      return [code, ...lines];
    };
    const roots = ["authentication", "dashboard", "listeners"].map((name) => `load ${name} on ${self} ok`);
    expect(await reload()).toEqual(expect.arrayContaining([0, ...roots]));
    expect((await reload()).join()).not.toMatch(/load (node|rpc|cluster) /);
    const file = "etc/emqx-node/secret.conf";
    machine.write(file, machine.read(file).replace(/^node\.cookie.*\n/, ""));
    expect((await reload()).join()).toMatch(
      /^1,check config failed,.*path => "node\.cookie",reason => required/s,
    );
    machine.root.files.set(`/${file}`, { content: "", mode: 0o600, owner: "root:root" });
    expect(await reload()).toEqual([1, "bad_hocon_file", ` {eacces,"/${file}"}`]);
  });

  test("a changed ACL is taken up without a restart; one that EMQX cannot read changes nothing", async () => {
    const machine = await node();
    expect(machine.read("etc/emqx-node/acl.conf")).toBe(ownRules);
    expect(machine.mode("etc/emqx-node/acl.conf")).toBe("root:emqx 640");
    machine.changeAcl("{deny, all}.\n");
    const run = await machine.operate("sync");
    expect(run).toMatchObject({
      code: 0,
      console: expect.stringMatching(
        /^emqx-node: fetching cluster\nemqx-node: taking up the ACL\n/,
      ) as string,
    });
    expect(calls(run, "emqx")).toEqual(["emqx ctl cluster status --json", "emqx ctl conf reload"]);
    expect(calls(run, "systemctl")).toEqual([]);
    expect(machine.read("etc/emqx-node/acl.conf")).toBe("{deny, all}.\n");
    expect(machine.readParameter("nodes/0/applied")).toMatch(/ acl=2$/);
    machine.changeAcl("{deny, al}.\n");
    machine.change("cluster", machine.readParameter("cluster").replace("acl=2", "acl=3"));
    expect((await machine.operate("sync")).console).toMatch(
      /FAILED while taking up the ACL: emqx ctl conf reload: .*bad_acl_file_content.*exit code 1/,
    );
    expect(machine.readParameter("nodes/0/applied")).toMatch(/ acl=2$/);
  });
});
