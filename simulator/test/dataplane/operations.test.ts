/** What years of operation do to a cluster: members go and come back, passwords change, data move. */
import { licenseKeyOf } from "../../../test/licenseKey";
import { statusJson } from "../../dataplane/cluster/membership";
import type { InstanceFacts } from "../../dataplane/regionView";
import {
  inbox,
  mqttPassword,
  openNodes,
  prefix,
  sharedRegion,
  TestRegion,
  TestRegionOptions,
} from "./testRegion";
import { eventually } from "../../../test/waiting";

let region: TestRegion | undefined;

afterEach(async () => {
  await region?.stop();
  region = undefined;
});

async function own(options: TestRegionOptions): Promise<TestRegion> {
  return (region = await TestRegion.start(options));
}

const shared = sharedRegion();

async function start(options: TestRegionOptions): Promise<TestRegion> {
  const started = await shared(options);
  await clustered(
    started,
    started.state.instances.map((_, node) => node),
  );
  await started.emqx(0).setUserPassword("emqx", mqttPassword);
  return started;
}

const nameOf = (started: TestRegion, node: number) => `emqx@${started.instance(node).privateIp}`;

async function clustered(started: TestRegion, nodes: number[], stopped: number[] = []): Promise<void> {
  const expected = {
    running: nodes.map((node) => nameOf(started, node)).sort(),
    stopped: stopped.map((node) => nameOf(started, node)).sort(),
  };
  await eventually(`running ${nodes.join()}, stopped ${stopped.join() || "none"}`, () =>
    nodes.every((node) => {
      const emqx = started.plane.emqx(started.instance(node).id);
      return JSON.stringify(emqx?.cluster()) === JSON.stringify(expected);
    }),
  );
}

const logsIn = (started: TestRegion, node: number, password: string) =>
  started.nodeClient(node, { password }).then(
    () => true,
    () => false,
  );

describe("membership", () => {
  test("a stopped node stays listed, over a restart of the others too, until it is removed", async () => {
    const started = await start({ nodes: 3 });
    const { faults } = started.plane;
    await faults.stopEmqx("i-2");
    await clustered(started, [0, 1], [2]);
    expect(statusJson(started.emqx(0).cluster())).toBe(
      `{"running_nodes":["${nameOf(started, 0)}","${nameOf(started, 1)}"],"stopped_nodes":["${nameOf(started, 2)}"]}`,
    );
    await faults.stopEmqx("i-1");
    await faults.startEmqx("i-1");
    await clustered(started, [0, 1], [2]);
    await expect(started.emqx(0).forceLeave("emqx@10.0.0.1")).rejects.toThrow("node_not_in_cluster");
    expect(await started.emqx(0).forceLeave(nameOf(started, 0))).toBe("ignored");
    expect(await started.emqx(0).forceLeave(nameOf(started, 2))).toBe("removed");
    await clustered(started, [0, 1]);
    // It comes back with its old disc, on which it is still a member.
    await started.emqx(1).setUserPassword("emqx", "while-away-1");
    await faults.startEmqx("i-2");
    await clustered(started, [0, 1, 2]);
  });

  test("nodes that start at once are one cluster in the end, with one that is late and one that fails at first", async () => {
    let failing: number | undefined = 1;
    const started = await own({
      nodes: 4,
      prepare: (test) => {
        test.instance(0).state = "stopped";
        Object.assign(test, { failsBoot: (_: string, node: number) => node === failing });
      },
    });
    await clustered(started, [2, 3]);
    await started.change((state) => (state.instances[0]!.state = "running"));
    await clustered(started, [0, 2, 3]);
    failing = undefined;
    await clustered(started, [0, 1, 2, 3]);
    await started.allReady();
  });

  test("a node without power is listed as stopped, and its replacement is a member from its disc", async () => {
    const started = await start({ nodes: 2 });
    await started.plane.faults.killMachine("i-1");
    await clustered(started, [0], [1]);
    await started.replace(1);
    await clustered(started, [0, 1]);
  });

  test("a node that leaves is forgotten and has its data reset; started again it joins", async () => {
    const started = await start({ nodes: 2, prepare: openNodes });
    await started.emqx(0).setUserPassword("emqx", "changed-1");
    await started.emqx(1).leaveCluster();
    await clustered(started, [0]);
    await clustered(started, [1]);
    await expect(started.emqx(1).leaveCluster()).rejects.toThrow("node_not_in_cluster");
    expect(await logsIn(started, 1, mqttPassword)).toBe(true);
    await started.plane.faults.stopEmqx("i-1");
    await started.plane.faults.startEmqx("i-1");
    await clustered(started, [0, 1]);
    expect(await logsIn(started, 1, mqttPassword)).toBe(false);
    expect(await logsIn(started, 1, "changed-1")).toBe(true);
  });

  test("a running node that is forced to leave joins again through its seeds", async () => {
    const started = await start({ nodes: 2 });
    await started.emqx(0).forceLeave(nameOf(started, 1));
    expect(started.console(1)).toContain("this node has left the cluster");
    await clustered(started, [0, 1]);
  });

  test("a node that is nobody's seed joins those that are its seeds, which are older", async () => {
    const later: InstanceFacts[] = [];
    const started = await start({
      nodes: 3,
      userData: (args, node) => (node < 2 ? { ...args, seeds: args.seeds.slice(0, 2) } : args),
      prepare: ({ state, loadBalancer }) => {
        later.push(state.instances.pop()!);
        loadBalancer.instanceIds.pop();
      },
    });
    await started.change((state) => {
      state.instances.push(...later);
      state.loadBalancers[0]!.instanceIds.push(later[0]!.id);
    });
    await started.allReady();
    await clustered(started, [0, 1, 2]);
    const subscribers = await Promise.all([started.client(), started.client(), started.client()]);
    expect([0, 1, 2].map((node) => started.emqx(node).connections)).toEqual([1, 1, 1]);
    await Promise.all(subscribers.map((client) => client.subscribeAsync("x", { qos: 1 })));
    await subscribers[2].publishAsync("x", "y", { qos: 1 });
    await eventually("all have it", () => subscribers.every((client) => inbox(client).length === 1));
  });

  test("autoclean removes a stopped node after its time", async () => {
    const started = await start({
      nodes: 2,
      userData: (args) => ({ ...args, extraConfig: "cluster.autoclean = 60s" }),
    });
    await started.plane.faults.stopEmqx("i-1");
    await clustered(started, [0]);
    expect(started.console(0)).toContain("removed from the cluster by cluster.autoclean");
  });
});

describe("passwords", () => {
  test("of an MQTT user change everywhere, for new connections, and stay changed", async () => {
    const started = await start({ nodes: 2, prepare: openNodes });
    const connected = await started.nodeClient(0);
    await started.emqx(1).setUserPassword("emqx", "rotated-1");
    expect(await logsIn(started, 0, mqttPassword)).toBe(false);
    expect(await logsIn(started, 0, "rotated-1")).toBe(true);
    await connected.publishAsync("still", "here", { qos: 1 });
    await expect(started.emqx(0).setUserPassword("nobody", "x")).rejects.toThrow("User not found");
    // The whole cluster stops; the file with the old password is still there.
    await started.plane.faults.stopEmqx("i-0");
    await started.plane.faults.stopEmqx("i-1");
    await started.plane.faults.startEmqx("i-0");
    expect(await logsIn(started, 0, mqttPassword)).toBe(false);
    expect(await logsIn(started, 0, "rotated-1")).toBe(true);
  });

  test("changed while a node was away are taken by it when it comes back, whatever its file says", async () => {
    const started = await start({ nodes: 2, prepare: openNodes });
    await started.plane.faults.stopEmqx("i-1");
    await started.emqx(0).setUserPassword("emqx", "rotated-1");
    await started.plane.faults.startEmqx("i-1");
    await clustered(started, [0, 1]);
    await eventually("node 1 has it", () => logsIn(started, 1, "rotated-1"));
    // A new file alone does nothing for a user who exists, and makes one who does not.
    const users = "user_id,password,is_superuser\nemqx,from-file-1,false\nlater,from-file-2,false\n";
    const file = { content: users, mode: 0o640, owner: "root:emqx" };
    started.plane.files("i-1")!.set("/etc/emqx-node/mqtt-users.csv", file);
    await started.plane.faults.stopEmqx("i-1");
    await started.plane.faults.startEmqx("i-1");
    await clustered(started, [0, 1]);
    expect(await logsIn(started, 1, "from-file-1")).toBe(false);
    expect(await logsIn(started, 1, "rotated-1")).toBe(true);
    await eventually("all nodes know the new user", () =>
      started.nodeClient(0, { username: "later", password: "from-file-2" }).then(
        () => true,
        () => false,
      ),
    );
  });

  test("of the dashboard open the REST API, which changes those of MQTT users", async () => {
    const started = await start({ nodes: 2, prepare: openNodes });
    const path = "/api/v5/authentication/password_based%3Abuilt_in_database/users";
    const logIn = (password: string) =>
      started.nodeRequest(0, "POST", "/api/v5/login", {
        body: JSON.stringify({ username: "admin", password }),
      });
    const put = (authorization: string, name = "emqx", body = '{"password":"by-api-1"}') =>
      started.nodeRequest(0, "PUT", `${path}/${name}`, { headers: { authorization }, body });
    const answer = await logIn("dashboard-1");
    expect(answer.status).toBe(200);
    const { token } = JSON.parse(answer.body) as { token: string };
    expect((await put("")).status).toBe(401);
    expect((await put("Bearer nonsense")).status).toBe(401);
    expect((await put(`Basic ${Buffer.from("key:secret").toString("base64")}`)).status).toBe(401);
    expect((await put(`Bearer ${token}`, "nobody")).status).toBe(404);
    expect((await put(`Bearer ${token}`, "emqx", "{}")).status).toBe(400);
    const changed = await put(`Bearer ${token}`);
    expect([changed.status, JSON.parse(changed.body)]).toEqual([
      200,
      { user_id: "emqx", is_superuser: false },
    ]);
    expect(await logsIn(started, 1, "by-api-1")).toBe(true);

    await expect(started.emqx(1).setDashboardPassword("short-1")).rejects.toThrow(/8~64/);
    await started.emqx(1).setDashboardPassword("dashboard-2");
    expect((await put(`Bearer ${token}`)).status).toBe(401);
    expect((await logIn("dashboard-1")).status).toBe(401);
    expect((await logIn("dashboard-2")).status).toBe(200);
    await started.plane.faults.stopEmqx("i-0");
    await started.plane.faults.startEmqx("i-0");
    expect((await logIn("dashboard-1")).status).toBe(401);
  });

  test("an API key of the bootstrap file opens the REST API too", async () => {
    const started = await start({
      nodes: 1,
      prepare: (test) => {
        openNodes(test);
        const { state } = test;
        const file =
          "- path: /etc/emqx/api_keys\n  content: |\n    ops:s3cret:administrator\n    eyes:s3cret:viewer\n";
        state.instances[0]!.userData = state.instances[0]!.userData.replace(
          "write_files:\n",
          `write_files:\n${file}`,
        );
      },
      userData: (args) => ({ ...args, extraConfig: `api_key.bootstrap_file = "/etc/emqx/api_keys"` }),
    });
    const put = async (key: string) => {
      const authorization = `Basic ${Buffer.from(`${key}:s3cret`).toString("base64")}`;
      const path = "/api/v5/authentication/password_based:built_in_database/users/emqx";
      const body = '{"password":"by-key-1"}';
      return (await started.nodeRequest(0, "PUT", path, { headers: { authorization }, body })).status;
    };
    expect([await put("eyes"), await put("ops")]).toEqual([401, 200]);
    expect(await logsIn(started, 0, "by-key-1")).toBe(true);
  });
});

test("messages deleted while a node was away do not come back with its disc", async () => {
  const started = await start({ nodes: 2, prepare: openNodes });
  const client = await started.nodeClient(0);
  await client.publishAsync("gone", "soon", { qos: 1, retain: true });
  await client.publishAsync("stays", "here", { qos: 1, retain: true });
  await started.plane.faults.stopEmqx("i-1");
  await client.publishAsync("gone", "", { qos: 1, retain: true });
  await started.plane.faults.startEmqx("i-1");
  await clustered(started, [0, 1]);
  await eventually("node 1 has what node 0 has", async () => {
    const retained = await started.emqx(1).exportData();
    return retained.retained.map(({ topic }) => topic).join() === "stays";
  });
});

test("data that were exported come back, over what has changed and beside what is new", async () => {
  const started = await start({ nodes: 2, prepare: openNodes });
  const client = await started.nodeClient(0);
  const options = { qos: 1 as const, retain: true };
  await client.publishAsync("kept", "first", options);
  const data: unknown = JSON.parse(JSON.stringify(await started.emqx(1).exportData()));
  await client.publishAsync("kept", "second", options);
  await client.publishAsync("new", "third", options);
  await started.emqx(0).setUserPassword("emqx", "rotated-1");
  await started.emqx(0).importData(data);
  for (const node of [0, 1]) {
    const reader = await started.nodeClient(node);
    await reader.subscribeAsync(["kept", "new"], { qos: 1 });
    await eventually("both are retained", () => inbox(reader).length === 2);
    expect(Object.fromEntries(inbox(reader).map(({ topic, text }) => [topic, text]))).toEqual({
      kept: "first",
      new: "third",
    });
    expect(await logsIn(started, node, "rotated-1")).toBe(false);
  }
  const enterprise = { ...(data as object), meta: { version: "5.10.4", edition: "ee" } };
  await expect(started.emqx(0).importData(enterprise)).rejects.toThrow(/is not allowed/);
});

test("a licence that appears in its file lets nodes join within two minutes, and one that goes changes nothing", async () => {
  const licensed: TestRegionOptions = {
    userData: (args) => ({ ...args, version: "6.2.3", hasLicense: true }),
    prepare: (test) => test.parameters.set(`${prefix}/license-key`, "default"),
  };
  const started = await own(licensed);
  await eventually("EMQX runs", () => [0, 1].every((node) => started.plane.emqx(`i-${node}`) !== undefined));
  expect(started.emqx(0).cluster().running).toHaveLength(1);
  const file = { content: licenseKeyOf("20260101"), mode: 0o640, owner: "root:emqx" };
  // A node that is through with its boot already writes there what the parameter says.
  started.parameters.set(`${prefix}/license-key`, file.content);
  for (const node of [0, 1]) {
    started.plane.files(`i-${node}`)!.set("/etc/emqx-node/license.key", file);
  }
  await clustered(started, [0, 1]);
  started.plane.files("i-0")!.set("/etc/emqx-node/license.key", { ...file, content: "a-key" });
  started.emqx(0).reloadLicense();
  expect(started.console(0)).toContain("failed_to_parse_license");
  started.plane.files("i-0")!.delete("/etc/emqx-node/license.key");
  started.emqx(0).reloadLicense();
  expect(started.console(0)).toContain("license_refresh_failed");
  await clustered(started, [0, 1]);
});

describe("the timer of the backups", () => {
  const exported = 'EMQX ExportFailed {"Cluster":"' + prefix + '"}';
  const plan = (calendar: string) =>
    `BACKUP_BUCKET='b'\nBACKUP_PREFIX='exports/'\nBACKUP_CALENDAR='${calendar}'\n`;

  test("exports from the first node at the plan's times, and tells CloudWatch", async () => {
    const started = await own({
      nodes: 2,
      prepare: ({ parameters }) => parameters.set(`${prefix}/backup`, plan("*-*-* 00/6:00:00 UTC")),
    });
    await started.allReady();
    started.timeOfDay = new Date("2026-01-01T06:00:00Z");
    await eventually("there is an export", () => started.metrics.get(exported) === 0);
    expect([...started.objects.keys()]).toEqual([expect.stringMatching(/^b\/exports\/emqx-export-/)]);
    const [first, other] = ["i-0", "i-1"].map((id) => started.plane.consoleLog(id).join("\n"));
    expect(first).toContain("emqx-node: exporting EMQX's data");
    expect(other).not.toContain("emqx-node: exporting EMQX's data");

    // At the next time the first node is away, and the other one's turn has come.
    await started.plane.faults.stopEmqx("i-0");
    await eventually("the first has stopped", () => started.emqx(1).cluster().stopped.length === 1);
    started.timeOfDay = new Date("2026-01-01T12:00:01Z");
    await eventually("there is another export", () => started.objects.size === 2);
    expect(started.plane.consoleLog("i-1").join("\n")).toContain("emqx-node: exporting EMQX's data");
  });

  test("says what it does not understand, once", async () => {
    const started = await own({
      nodes: 1,
      prepare: ({ parameters }) => parameters.set(`${prefix}/backup`, plan("weekly")),
    });
    await started.allReady();
    const complaint = /systemd: emqx-backup\.timer: .*calendar "weekly"$/;
    const complaints = () => started.plane.consoleLog("i-0").filter((line) => complaint.test(line));
    await eventually("the console says so", () => complaints().length === 1);
    expect(started.objects.size).toBe(0);
  });
});
