/** Who is in a cluster and whose data counts: the rules, apart from any connection. */
import {
  applyChange,
  bootstrapChange,
  dashboardPasswordProblem,
  databaseOn,
  emptyDisc,
  emptyDatabase,
  passwordFits,
  userRecord,
} from "../../dataplane/cluster/database";
import { exportOf, importProblem, retainedOf } from "../../dataplane/cluster/dataBackup";
import { evacuationProblems } from "../../dataplane/cluster/evacuation";
import {
  About,
  clusterStatus,
  membersAfter,
  membersToClean,
  nodeToJoin,
  statusJson,
} from "../../dataplane/cluster/membership";

const about = (startedAt: number, members: string[] = [], rest: Partial<About> = {}): About => ({
  startedAt,
  members,
  membersVersion: 0,
  clusterId: "one",
  version: 0,
  ...rest,
});

test("running is who lists this node too; a member that cannot be asked is stopped", () => {
  const reached = new Map([
    ["b", about(2, ["a"])],
    ["c", about(3)],
  ]);
  const status = clusterStatus("a", about(1, ["b", "c", "d"]), reached);
  expect(status).toEqual({ running: ["a", "b"], stopped: ["c", "d"] });
  expect(statusJson(status)).toBe('{"running_nodes":["a","b"],"stopped_nodes":["c","d"]}');
});

describe("a node joins", () => {
  const seeds = ["a", "b", "c"];

  test("the oldest seed that it reaches, and nobody when it is that itself", () => {
    const reached = new Map([
      ["b", about(2)],
      ["c", about(1)],
    ]);
    expect(nodeToJoin("a", about(3), seeds, reached)).toBe("c");
    expect(nodeToJoin("a", about(0), seeds, reached)).toBeUndefined();
    expect(nodeToJoin("a", about(3), ["a"], reached)).toBeUndefined();
  });

  test("the lower name of two that started at once", () => {
    expect(nodeToJoin("b", about(1), seeds, new Map([["a", about(1)]]))).toBe("a");
    expect(nodeToJoin("a", about(1), seeds, new Map([["b", about(1)]]))).toBeUndefined();
  });

  test("not who is in its cluster, but anew who has forgotten it", () => {
    const self = about(3, ["a"]);
    expect(nodeToJoin("b", self, seeds, new Map([["a", about(1, ["b"])]]))).toBeUndefined();
    expect(nodeToJoin("b", self, seeds, new Map([["a", about(1, ["c"])]]))).toBe("a");
  });

  test("not a member that came back with an empty disc: that one has to join", () => {
    const empty = about(1, [], { clusterId: "other" });
    expect(nodeToJoin("b", about(3, ["a"]), seeds, new Map([["a", empty]]))).toBeUndefined();
  });
});

describe("of two lists of members", () => {
  const list = (members: string[], membersVersion: number) => about(1, members, { membersVersion });

  test("the one that has changed more often counts", () => {
    expect(membersAfter("a", list(["b", "c"], 1), "b", list(["a"], 2))).toEqual({
      members: ["b"],
      membersVersion: 2,
    });
    expect(membersAfter("a", list(["b", "c"], 3), "b", list(["a"], 2))).toBeUndefined();
    expect(membersAfter("a", list(["b", "c"], 2), "b", list(["c", "a"], 2))).toBeUndefined();
  });

  test("both do when they have changed at once", () => {
    expect(membersAfter("a", list(["b", "c"], 2), "b", list(["a", "d"], 2))).toEqual({
      members: ["b", "c", "d"],
      membersVersion: 3,
    });
  });
});

test("members are cleaned away after the time that is set, or never", () => {
  const since = new Map([
    ["a", 0],
    ["b", 90],
  ]);
  expect(membersToClean(since, 101, 100)).toEqual(["a"]);
  expect(membersToClean(since, 1e9, undefined)).toEqual([]);
});

describe("the database", () => {
  const bootstrap = { users: new Map([["emqx", "secret-1"]]), dashboardPassword: "public" };

  test("takes users from the files only as long as it does not know them", () => {
    const database = emptyDatabase();
    applyChange(database, bootstrapChange(database, bootstrap));
    expect(passwordFits(database.users["emqx"]!, "secret-1")).toBe(true);
    expect(passwordFits(database.dashboardUsers["admin"]!, "public")).toBe(true);
    applyChange(database, { users: { emqx: userRecord("secret-2") } });
    const again = {
      users: new Map([
        ["emqx", "secret-1"],
        ["new", "x"],
      ]),
      dashboardPassword: "other",
    };
    const change = bootstrapChange(database, again);
    expect(Object.keys(change.users!)).toEqual(["new"]);
    expect(change.dashboardUsers).toBeUndefined();
  });

  test("holds no password, and knows none by another's hash or by none", () => {
    const record = userRecord("secret-1");
    expect(JSON.stringify(record)).not.toContain("secret");
    expect(userRecord("secret-1").passwordHash).not.toBe(record.passwordHash);
    expect([undefined, "", "secret-2"].map((password) => passwordFits(record, password))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("belongs to a node name", () => {
    const disc = emptyDisc();
    expect(databaseOn(disc, "emqx@a")).toBe(databaseOn(disc, "emqx@a"));
    expect(databaseOn(disc, "emqx@b")).not.toBe(databaseOn(disc, "emqx@a"));
  });

  test.each([
    ["short-1", /8~64/],
    ["x1".repeat(33), /8~64/],
    ["onlyletters", /two different kind/],
    ["12345678", /two different kind/],
    ["passwörd-1", /Only ascii/],
    ["letters-only", undefined],
    ["letters1", undefined],
  ])("asks of the dashboard password %s", (password, problem) => {
    const said = dashboardPasswordProblem(password);
    expect(said === undefined ? undefined : problem?.test(said)).toBe(problem && true);
  });
});

describe("an export", () => {
  const meta = { version: "5.8.9", edition: "ce" as const };
  const message = {
    topic: "t",
    payload: Buffer.from([0, 255]),
    qos: 1 as const,
    retain: true,
    properties: { correlationData: Buffer.from([1, 2]), userProperties: { a: "b" } },
    messageExpiry: 7,
    brokerId: "a",
    brokerCounter: 1,
  };

  test("survives JSON, buffers included", () => {
    const data = exportOf(meta, emptyDatabase(), [message]);
    const { brokerId, brokerCounter, ...kept } = message;
    expect([brokerId, brokerCounter]).toEqual(["a", 1]);
    expect(retainedOf(JSON.parse(JSON.stringify(data)))).toEqual([kept]);
  });

  test.each([
    ["5.8.9", "ce", "5.8.9", "ce", undefined],
    ["5.8.9", "ce", "6.2.3", "ee", undefined],
    ["5.10.4", "ee", "5.8.9", "ce", /Enterprise data backup to EMQX is not allowed/],
    ["6.2.3", "ee", "5.10.4", "ee", /newer than EMQX version/],
    ["6.2.3", "ee", "6.1.0", "ee", /newer than EMQX version/],
  ] as const)(
    "of %s (%s) may be imported by %s (%s) or not",
    (version, edition, ours, oursEdition, problem) => {
      const data = exportOf({ version, edition }, emptyDatabase(), []);
      const said = importProblem(data, { version: ours, edition: oursEdition });
      expect(said === undefined ? undefined : problem?.test(said)).toBe(problem && true);
    },
  );

  test.each([undefined, {}, { meta: { version: "5.8.9", edition: "?" } }])("is not %p", (data) => {
    expect(importProblem(data, meta)).toMatch(/missing META/);
  });
});

test("evacuation wants whole numbers above zero", () => {
  expect(evacuationProblems({ connEvictRate: 1, waitTakeover: 5 })).toEqual([]);
  expect(evacuationProblems({ connEvictRate: 0, sessEvictRate: 1.5 })).toEqual([
    "invalid --conn-evict-rate value",
    "invalid --sess-evict-rate value",
  ]);
});
