import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { bootScript } from "../../../components/emqx/bootstrap";
import { existing, operations as always } from "../../../components/emqx/operations";
import { commonFunctions } from "../../../components/emqx/operations/common";
import { calls, instanceId, type Machine, refused, saying, testMachines } from "./machine";
import { testWith } from "./tools";

const { booted: node } = testMachines();
const operations = { ...always, ...existing };
const [first, second, third] = ["emqx@192.168.0.10", "emqx@192.168.0.11", "emqx@192.168.0.12"];

test.each(Object.keys(operations))("%s fits a parameter of the standard tier", (name) => {
  expect(Buffer.byteLength(operations[name]!)).toBeLessThanOrEqual(3800);
});

test("what EMQX is asked is in the table of its commands", () => {
  const lines = [...Object.values(operations), bootScript].join("\n").match(/^(?! *(die|say|echo|#) ).*$/gm)!;
  const words = (pattern: RegExp) => [...lines.join("\n").matchAll(pattern)].map(([, found]) => found!);
  const asked = [
    ...words(/\bemqx ctl ([a-z_-]+(?: -?-?[a-z]\S+)*)/g),
    ...words(/\btold '.*?' ([a-z]+(?: [a-z][a-z-]*)*)/g),
    ...words(/\bemqx (eval) /g),
    ...words(/:18083(\/status)/g),
    ...words(/\bapi ([A-Z]+ [^"\s]+|[A-Z]+ "[^"]+")/g).map((call) =>
      call.replace(/"/g, "").replace(" ", " …/api/v5/").replace(/\$\w+/, "NAME"),
    ),
  ];
  expect(asked).toEqual(
    expect.arrayContaining(["conf reload", "rebalance stop", "eval", "POST …/api/v5/login"]),
  );
  const page = readFileSync("docs/emqx-commands.md", "utf8").replaceAll(":18083/", "…/");
  const rows = [...page.matchAll(/^\| `(?:GET …)?([^`]+)`/gm)].map(([, row]) => `${row} `);
  expect(asked.filter((call) => !rows.some((row) => row.startsWith(`${call} `)))).toEqual([]);
});

testWith("shellcheck").each(Object.entries(operations))("shellcheck finds nothing in %s", (_name, script) => {
  // In the place where the boot script runs it, with what "sync" gives its part.
  const given =
    "seen='' taken=''\nnote() { :; }\nforget() { :; }\nnews() { :; }\ninstall_text() { :; }\ndeclare -A now=() said=()\n";
  const head = bootScript.slice(0, bootScript.indexOf("if (($# > 0))"));
  const whole = `${head}\n${commonFunctions}\n${given}\nservice() {\n${script}\n}\nservice "$@"\n`;
  // What the boot script defines and this one does not use is no finding.
  const result = spawnSync("shellcheck", ["--severity=style", "--exclude=SC2034,SC2317,SC2329,SC2153", "-"], {
    input: whole,
    encoding: "utf8",
  });
  expect(result.stdout + result.stderr).toBe("");
});

describe("sync", () => {
  test("is kept running by a timer, and leaves a drain for the shutdown", async () => {
    const machine = await node();
    expect(machine.read("etc/systemd/system/emqx-node-sync.timer")).toMatch(/OnUnitInactiveSec=60/);
    expect(machine.read("etc/systemd/system/emqx-node-sync.service")).toMatch(
      /ExecStart=\/var\/lib\/cloud\/scripts\/per-boot\/emqx-node sync$/m,
    );
    const drain = machine.read("etc/systemd/system/emqx-node-drain.service");
    expect(drain).toMatch(/^After=emqx\.service/m);
    expect(drain).toMatch(/ExecStop=\/var\/lib\/cloud\/scripts\/per-boot\/emqx-node drain$/m);
    expect(machine.readParameter("nodes/0/applied")).toBe(
      "dashboard-password=1 mqtt-password=1 license-key=1",
    );
  });

  test("decrypts nothing and changes nothing when nothing is new", async () => {
    const machine = await node();
    await machine.operate("sync");
    machine.watchTools();
    const before = machine.files(true);
    const run = await machine.operate("sync");
    expect(run).toMatchObject({ code: 0, console: "" });
    // Each is a process, and a node does this every minute.
    expect(machine.read("tools").match(/^[a-z]\w+$/gm)).toEqual([
      "mkdir",
      "flock",
      "grep",
      "sha256sum",
      "rm",
    ]);
    rmSync(machine.root.at("/tools"));
    expect(machine.files(true)).toEqual(before);
    // AWS's command line and EMQX's are dear.
    expect(run.calls.map((call) => call.replace(/ .* /, " "))).toEqual([
      "curl https://ssm.eu-west-1.amazonaws.com/",
      "curl http://127.0.0.1:18083/status",
    ]);
  });

  test("leaves to AWS's command line what curl gets no answer to, and fetches new credentials then", async () => {
    const machine = await node();
    const asked = async () => {
      const run = await machine.operate("sync");
      expect(run.code).toBe(0);
      expect(run.calls.join()).not.toMatch(/ASIA|Secret-of|Session-of/);
      return `${calls(run, "aws ssm get-parameters").length} aws, ${calls(run, "curl").length} curl`;
    };
    machine.change("cluster", "MEMBERS='192.168.0.10 192.168.0.11'\nDRAIN_SECONDS='7'");
    expect([await asked(), await asked()]).toEqual(["0 aws, 6 curl", "0 aws, 2 curl"]);
    expect(machine.read("etc/emqx-node/cluster.env")).toContain("DRAIN_SECONDS='7'");
    const role = machine.read("run/emqx-node.role");
    writeFileSync(machine.root.at("/run/emqx-node.role"), role.replace("Session", "Old-session"));
    expect([await asked(), await asked()]).toEqual(["1 aws, 2 curl", "0 aws, 6 curl"]);
    expect(machine.mode("run/emqx-node.role")).toBe("root:root 600");
    machine.disturb("curl", /ssm/, "cut");
    expect(await asked()).toBe("1 aws, 2 curl");
  });

  test("asks for ten parameters in a call at most", async () => {
    const run = await (await node()).operate("sync");
    const [names, ...others] = run.calls.flatMap((call) => /"Names":\[.*\]/.exec(call) ?? []);
    expect(others).toEqual([]);
    expect(names!.split(",").length).toBeLessThanOrEqual(10);
  });

  test("gives the dashboard a new password, and the MQTT user his, without a restart", async () => {
    const machine = await node();
    machine.change("dashboard-password", "Dashboard-Secret-2");
    machine.change("mqtt-password", "Mqtt-Secret-2");
    const run = await machine.operate("sync");
    expect(run.code).toBe(0);
    expect(machine.emqx!.logsIn("Dashboard-Secret-2")).toBe(true);
    expect(machine.letsIn("Mqtt-Secret-2")).toBe(true);
    expect(machine.readParameter("nodes/0/applied")).toBe(
      "dashboard-password=2 mqtt-password=2 license-key=1",
    );
    expect(calls(run, "systemctl")).toEqual([]);
    expect(run.console).not.toMatch(/Secret-2/);
    expect(run.calls.filter((call) => call.includes("Secret-2"))).toEqual([]);
    expect(calls(run, "emqx eval emqx_dashboard_cli:admins")).toHaveLength(1);
    expect(machine.has("run/emqx-node.password")).toBe(false);
    expect(calls(await machine.operate("sync"), "aws ssm put-parameter")).toEqual([]);
  });

  test("does not touch a dashboard that knows the password", async () => {
    const machine = await node();
    machine.change("mqtt-password", "Mqtt-Secret-2");
    expect(calls(await machine.operate("sync"), "emqx")).toEqual([]);
  });

  test("does not report what EMQX refuses, says why, and tries again", async () => {
    const machine = await node();
    const mend = machine.disturb("emqx", /admins/, saying("Error: username_not_found\nok"));
    machine.change("dashboard-password", "Dashboard-Secret-2");
    const run = await machine.operate("sync");
    expect(run.code).not.toBe(0);
    expect(run.console).toMatch(
      /FAILED while taking up the passwords: dashboard user admin: Error: username_not_found/,
    );
    expect(machine.readParameter("nodes/0/applied")).toMatch(/^dashboard-password=1 /);
    mend();
    expect((await machine.operate("sync")).code).toBe(0);
    expect(machine.readParameter("nodes/0/applied")).toMatch(/^dashboard-password=2 /);
  });

  test("keeps a new instance from setting passwords again that the volume's cluster has", async () => {
    const machine = await node();
    machine.change("dashboard-password", "Dashboard-Secret-2");
    await machine.operate("sync");
    // Somebody changed it by hand; then the instance is replaced: a new root disk, the old volume.
    await machine.emqx!.setDashboardPassword("By-Hand-1");
    machine.write("etc/emqx-node/seen", "");
    const run = await machine.operate("sync");
    expect(run.code).toBe(0);
    expect(machine.emqx!.logsIn("By-Hand-1")).toBe(true);
  });

  test("gives EMQX the users of the parameter, and takes only those away again that it gave", async () => {
    const machine = await node();
    await machine.emqx!.addUser("by-hand", "By-Hand-1", false);
    const users = async (version: number, text?: string) => {
      machine.parameter("mqtt-users", text);
      const versions = text === undefined ? "" : `\nVERSIONS='mqtt-users=${version}'`;
      machine.change(
        "cluster",
        `${machine.readParameter("cluster").split("\nVERSIONS")[0]!.trim()}${versions}`,
      );
      const run = await machine.operate("sync");
      expect(run).toMatchObject({ code: 0 });
      expect([run.console, ...run.calls].join()).not.toMatch(/User-Secret/);
      return machine.mqttUsers();
    };
    expect(await users(1, "a@b.c,User-Secret-a,true\nd.e,User-Secret-d,false")).toEqual([
      "a@b.c*",
      "by-hand",
      "d.e",
      "mqtt",
    ]);
    expect(machine.letsIn("User-Secret-a", "a@b.c")).toBe(true);
    expect(machine.readParameter("nodes/0/applied")).toMatch(/ mqtt-users=1$/);
    const idle = async () =>
      (await machine.operate("sync")).calls.filter((call) => call.includes("/api/v5/"));
    expect(await idle()).toEqual([]);
    expect(await users(2, "d.e,User-Secret-2,true")).toEqual(["by-hand", "d.e*", "mqtt"]);
    expect(machine.letsIn("User-Secret-2", "d.e")).toBe(true);
    // A user that another node has deleted already is no failure.
    await machine.emqx!.deleteUser("d.e");
    expect(await users(3)).toEqual(["by-hand", "mqtt"]);
    expect(await idle()).toEqual([]);
  });

  test("renews the licence in its file, which EMQX reads again by itself", async () => {
    const machine = await node({ version: "6.2.3", hasLicense: true });
    machine.change("license-key", "NEW.KEY");
    const run = await machine.operate("sync");
    expect(run.code).toBe(0);
    expect(machine.read("etc/emqx-node/license.key").trim()).toBe("NEW.KEY");
    expect(machine.mode("etc/emqx-node/license.key")).toBe("root:emqx 640");
    expect(machine.readParameter("nodes/0/applied")).toMatch(/license-key=2$/);
    expect(calls(run, "systemctl")).toEqual([]);
  });

  test("strikes off who has left the deployment, not who is only down", async () => {
    const machine = await node();
    // Not looked for while the deployment's members are the same.
    machine.cluster = { running: [first], stopped: [second, third] };
    expect(calls(await machine.operate("sync"), "emqx")).toEqual([]);
    machine.members(["192.168.0.10", "192.168.0.11"], 5);
    // It is asked again until nobody else is left.
    for (const words of ["Ignore.", "Failed to remove the node from cluster: timeout", undefined]) {
      const mend = machine.disturb("emqx", /force-leave/, saying(words ?? ""), words === undefined ? 0 : 1);
      const run = await machine.operate("sync");
      mend();
      expect(run.code).toBe(0);
      expect(calls(run, "emqx ctl cluster force-leave")).toEqual([`emqx ctl cluster force-leave ${third}`]);
      if (words !== undefined) expect(run.console).toContain(`${third}: ${words}`);
    }
    await machine.operate("sync");
    expect(calls(await machine.operate("sync"), "emqx")).toEqual([]);
  });

  test("strikes nobody off when EMQX does not tell who there is", async () => {
    const machine = await node();
    machine.members(["192.168.0.10"], 5);
    for (const answer of ["", "Command table is initializing.", '{"running_nodes":[],"stopped_nodes":[]}']) {
      const mend = machine.disturb("emqx", /cluster status/, saying(answer));
      const run = await machine.operate("sync");
      mend();
      expect(run.console).toMatch(/FAILED while asking EMQX: emqx ctl cluster status: \S/);
      expect(run.code).toBe(1);
      expect(calls(run, "emqx ctl cluster force-leave")).toEqual([]);
    }
  });

  test("reports again what is true when a parameter says something else", async () => {
    const machine = await node();
    machine.change("nodes/0/ready", "never");
    machine.change("nodes/0/applied", "never");
    const run = await machine.operate("sync");
    expect(run.code).toBe(0);
    expect(machine.readParameter("nodes/0/ready")).toBe(instanceId);
    expect(machine.readParameter("nodes/0/applied")).toBe(
      "dashboard-password=1 mqtt-password=1 license-key=1",
    );
    expect(calls(await machine.operate("sync"), "aws ssm put-parameter")).toEqual([]);
    // Not what it does not know: after a reboot the boot script says so, and not while EMQX is down.
    machine.change("nodes/0/ready", "never");
    await machine.stopEmqx();
    const { code, console } = await machine.operate("sync");
    expect(code).toBe(1);
    expect(console).toMatch(/FAILED while asking EMQX: EMQX does not answer: curl: \(7\)/);
    expect(machine.readParameter("nodes/0/ready")).toBe("never");
  });

  test("switches nothing off because SSM said nothing", async () => {
    const machine = await node();
    machine.change("monitoring", "{}");
    await machine.operate("sync");
    machine.disturb("curl", /ssm/, "nothing");
    machine.disturb("aws", /get-parameters /, "nothing");
    const run = await machine.operate("sync");
    expect([run.code, run.console]).toEqual([
      1,
      expect.stringMatching(/: no parameter cluster in the answer$/m),
    ]);
    expect(machine.has("etc/emqx-node/monitoring.json")).toBe(true);
  });

  test("fetches an operation again that is damaged", async () => {
    const machine = await node();
    const drain = machine.read("etc/emqx-node/operations/drain");
    machine.write("etc/emqx-node/operations/drain", "");
    expect((await machine.operate("sync")).code).toBe(0);
    expect(machine.read("etc/emqx-node/operations/drain")).toBe(drain);
  });

  test("takes no operation that is not the one of the cluster's list", async () => {
    const machine = await node();
    machine.change("operations/drain", "half of a dra");
    expect((await machine.operate("sync")).code).toBe(0);
    machine.write("etc/emqx-node/operations/drain", "");
    expect((await machine.operate("sync")).console).toMatch(/operations\/drain: not the one of operations/);
    expect(machine.read("etc/emqx-node/operations/drain")).toBe("");
  });

  test("takes up a changed operation and the present members", async () => {
    const machine = await node();
    machine.members(["192.168.0.10"], 9);
    machine.operations({ ...operations, drain: "echo another drain" });
    expect((await machine.operate("sync")).code).toBe(0);
    expect(machine.read("etc/emqx-node/operations/drain")).toMatch(/another drain/);
    expect(machine.read("etc/emqx-node/cluster.env")).toMatch(/DRAIN_SECONDS='9'/);
    expect((await machine.operate("drain")).console).toBe("another drain\n");
  });

  test("starts the CloudWatch agent, and stops it", async () => {
    const machine = await node();
    machine.change("monitoring", '{"node": "{NODE_NAME}"}');
    const on = await machine.operate("sync");
    expect(on.code).toBe(0);
    expect(machine.read("etc/emqx-node/monitoring.json").trim()).toBe('{"node": "emqx@192.168.0.10"}');
    expect(calls(on, "amazon-cloudwatch-agent-ctl")).toEqual([
      expect.stringMatching(/-a fetch-config -m ec2 -s -c file:\S+\/monitoring\.json$/),
    ]);
    expect(calls(await machine.operate("sync"), "amazon-cloudwatch-agent-ctl")).toEqual([]);
    machine.parameter("monitoring", undefined);
    const off = await machine.operate("sync");
    expect(calls(off, "amazon-cloudwatch-agent-ctl")).toEqual([
      "amazon-cloudwatch-agent-ctl -m ec2 -a stop",
      "amazon-cloudwatch-agent-ctl -m ec2 -a remove-config -c all",
    ]);
    expect(calls(off, "systemctl")).toEqual(["systemctl disable --quiet --now amazon-cloudwatch-agent"]);
    expect(machine.has("etc/emqx-node/monitoring.json")).toBe(false);
    expect(calls(await machine.operate("sync"), "amazon-cloudwatch-agent-ctl")).toEqual([]);
  });

  test("goes on without an agent that cannot be had, and tries again", async () => {
    const machine = await node();
    const mend = machine.disturb("dnf", /amazon-cloudwatch-agent/, {
      fail: 1,
      words: "Error: Unable to find a match: amazon-cloudwatch-agent",
    });
    machine.change("monitoring", "{}");
    machine.change("mqtt-password", "Mqtt-Secret-2");
    const run = await machine.operate("sync");
    expect(run.code).toBe(0);
    expect(run.console).toMatch(/no agent yet: Error: Unable to find a match: amazon-cloudwatch-agent/);
    expect(machine.readParameter("nodes/0/applied")).toMatch(/mqtt-password=2/);
    mend();
    expect(calls(await machine.operate("sync"), "amazon-cloudwatch-agent-ctl")).toHaveLength(1);
  });

  test("does not believe the agent's control program that the agent runs", async () => {
    const machine = await node();
    machine.agentRuns = false;
    machine.change("monitoring", "{}");
    expect((await machine.operate("sync")).console).toMatch(/no agent yet: (inactive|activating)/);
    machine.agentRuns = true;
    expect((await machine.operate("sync")).console).toMatch(/starting the CloudWatch agent\n$/);
  });

  test("keeps the timer of the backups, and ends it", async () => {
    const machine = await node();
    machine.change("backup", "BACKUP_BUCKET='b'\nBACKUP_CALENDAR='*-*-* 00/6:00:00'");
    const on = await machine.operate("sync");
    expect(on.code).toBe(0);
    expect(machine.read("etc/systemd/system/emqx-backup.timer")).toMatch(
      /^OnCalendar=\*-\*-\* 00\/6:00:00$/m,
    );
    expect(calls(on, "systemctl enable")).toEqual(["systemctl enable --quiet --now emqx-backup.timer"]);
    machine.parameter("backup", undefined);
    const off = await machine.operate("sync");
    expect(calls(off, "systemctl disable")).toEqual(["systemctl disable --quiet --now emqx-backup.timer"]);
    expect(machine.has("etc/systemd/system/emqx-backup.timer")).toBe(false);
    expect(machine.has("etc/emqx-node/backup.env")).toBe(false);
  });

  test("waits for its next minute while something else works on the node", async () => {
    const machine = await node();
    const holder = spawn(
      "flock",
      [`${machine.root.path}/run/emqx-node.lock`, "sh", "-c", "echo locked; sleep 30"],
      {
        detached: true,
      },
    );
    await once(holder.stdout, "data");
    const run = await machine.operate("sync");
    process.kill(-holder.pid!, "SIGKILL");
    expect(run).toMatchObject({ code: 75, calls: [] });
    expect(run.console).toMatch(/^emqx-node: nothing done: another run has the lock: \S+, process \d+\n$/);
  });

  test("ends an evacuation that a power cut left behind", async () => {
    const machine = await node({ version: "6.2.3", hasLicense: true });
    machine.write("var/lib/emqx/emqx-node.evacuating", "");
    machine.emqx!.startEvacuation({ waitHealthCheck: 1, waitTakeover: 1 });
    const mend = machine.disturb("emqx", /rebalance stop/, saying("Failed to stop: busy"));
    const stuck = await machine.operate("sync");
    expect([stuck.code, stuck.console]).toEqual([
      1,
      expect.stringMatching(/ending an evacuation that was cut off: Failed to stop: busy\n$/),
    ]);
    mend();
    expect(calls(await machine.operate("sync"), "emqx ctl rebalance")).toEqual(["emqx ctl rebalance stop"]);
    expect(calls(await machine.operate("sync"), "emqx ctl rebalance")).toEqual([]);
  });
});

describe("drain", () => {
  /** Seconds that this computer may take for what costs the machine no time. */
  const busy = 20;
  /** So many clients, one of which leaves at each question. */
  function count(machine: Machine, clients: number): void {
    machine.connections = () => clients;
    machine.disturb("emqx", /broker stats/, async (_call, act) => {
      const answer = await act();
      clients = Math.max(0, clients - 1);
      return answer;
    });
  }

  test("waits for clients to leave where EMQX cannot evacuate, no longer than it may", async () => {
    const machine = await node();
    count(machine, 3);
    machine.members(["192.168.0.10", "192.168.0.11"], 20);
    const run = await machine.operate("drain");
    expect(run.code).toBe(0);
    expect(run.console).toMatch(/waiting for 3 connections to end[^]*\n\S+ 0 connections left\n/);
    expect(calls(run, "emqx ctl rebalance")).toEqual([]);
    machine.members(["192.168.0.10", "192.168.0.11"], 10);
    count(machine, 100000);
    const start = machine.uptime();
    expect((await machine.operate("drain")).console).toMatch(/\d{5} connections left/);
    expect(machine.uptime() - start).toBeLessThanOrEqual(10 + busy);
  });

  test("evacuates where EMQX can, at a rate that fits the time, and ends that before EMQX stops", async () => {
    const machine = await node({ version: "6.2.3", hasLicense: true });
    count(machine, 3);
    const run = await machine.operate("drain");
    expect(run.code).toBe(0);
    expect(calls(run, "emqx ctl rebalance")).toEqual([
      "emqx ctl rebalance start --evacuation --wait-health-check 1 --wait-takeover 1 " +
        "--conn-evict-rate 101 --sess-evict-rate 101",
      "emqx ctl rebalance stop",
    ]);
    expect(machine.has("var/lib/emqx/emqx-node.evacuating")).toBe(false);
  });

  const both = ["192.168.0.10", "192.168.0.11"];

  test("makes the health check of target groups fail before it moves anybody, until a sync finds the node still there", async () => {
    const machine = await node({ version: "6.2.3", hasLicense: true });
    machine.members(both, 4, ["emqx-1883", "emqx-8083"]);
    count(machine, 3);
    const run = await machine.operate("drain");
    expect(run.code).toBe(0);
    const steps = run.calls.flatMap(
      (call) => /^(ip|aws elbv2|sleep 40|emqx ctl rebalance \w+)/.exec(call)?.[1] ?? [],
    );
    expect(steps).toEqual([
      ...["ip", "aws elbv2", "aws elbv2", "sleep 40"],
      ...["emqx ctl rebalance start", "emqx ctl rebalance stop"],
    ]);
    const again = await machine.operate("sync");
    expect([again.code, calls(again, "ip")]).toEqual([0, ["ip rule del pref 1"]]);
    expect(calls(await machine.operate("sync"), "ip")).toEqual([]);
  });

  test("is in time where target groups go on calling the node healthy, and says so", async () => {
    const machine = await node();
    machine.members(both, 150, ["emqx-1883"]);
    machine.disturb("aws", /elbv2/, saying("healthy"));
    count(machine, 100000);
    const start = machine.uptime();
    const run = await machine.operate("drain");
    expect(run.console).toMatch(/targetgroup\/emqx-1883\/\S+: healthy\n/);
    expect(machine.uptime() - start).toBeLessThanOrEqual(150 + busy);
    expect(calls(run, "sleep 40")).toEqual([]);
  });

  test("waits for two minutes where it was deregistered before", async () => {
    const machine = await node();
    machine.members(both, 150, ["emqx-1883"]);
    machine.disturb("aws", /elbv2/, saying("draining"));
    const run = await machine.operate("drain");
    expect([run.code, calls(run, "sleep")[0]]).toEqual([0, "sleep 120"]);
  });

  test("has no target groups any more once the parameter has none", async () => {
    const machine = await node();
    machine.members(both, 4, ["emqx-1883"]);
    await machine.operate("sync");
    machine.members(both, 4);
    expect(calls(await machine.operate("drain"), "ip")).toEqual([]);
  });

  test("goes on at once where the kernel has no such rules", async () => {
    const machine = await node();
    machine.members(both, 4, ["emqx-1883"]);
    machine.disturb("ip", /./, { fail: 2, words: "RTNETLINK answers: Operation not supported" });
    const run = await machine.operate("drain");
    expect([run.code, run.console]).toEqual([
      0,
      expect.stringMatching(/health check\n.*Operation not supported\n/),
    ]);
    expect(calls(run, "aws elbv2")).toEqual([]);
  });

  test("has nowhere to send clients when it is alone", async () => {
    const machine = await node();
    machine.cluster = { running: [first], stopped: [second] };
    count(machine, 5);
    const run = await machine.operate("drain");
    expect(run.code).toBe(0);
    expect(run.console).toBe("emqx-node: draining\n");
  });

  test("leaves the cluster when the node does not belong to it any more, by the newest word on that", async () => {
    const machine = await node();
    expect(calls(await machine.operate("drain"), "emqx ctl cluster leave")).toEqual([]);
    machine.members(["192.168.0.11"], 4);
    expect(calls(await machine.operate("drain"), "emqx ctl cluster leave")).toHaveLength(1);
  });

  test("does not leave on hearsay: without the parameter it stays a member", async () => {
    const machine = await node();
    machine.disturb("aws", /./, refused("AccessDeniedException", "GetParameter"));
    const run = await machine.operate("drain");
    expect(run.code).toBe(0);
    expect(calls(run, "emqx ctl cluster leave")).toEqual([]);
  });

  test("is done at once when EMQX does not run", async () => {
    const machine = await node();
    await machine.units.stop("emqx.service");
    expect(await machine.operate("drain")).toMatchObject({
      code: 0,
      console: "emqx-node: EMQX does not run (inactive): nothing to drain\n",
    });
  });

  test("asks EMQX for a while, and says that no client was moved", async () => {
    const machine = await node();
    machine.members(["192.168.0.10", "192.168.0.11"], 30);
    await machine.operate("sync");
    await machine.stopEmqx();
    const start = machine.uptime();
    const run = await machine.operate("drain");
    expect([run.code, run.console]).toEqual([
      1,
      expect.stringMatching(
        /FAILED while draining: EMQX does not answer, so no client was moved: curl: \(7\)/,
      ),
    ]);
    expect(machine.uptime() - start).toBeGreaterThanOrEqual(20);
    expect(machine.uptime() - start).toBeLessThanOrEqual(26 + busy);
  });

  test.each([
    ["Failed to leave the cluster: node_not_in_cluster", /Failed to leave the cluster: node_not_in_cluster/],
    ["", /leaving the cluster: exit code \d+ without a word/],
  ])("says that the node did not leave where EMQX says %j and exits with 0", async (words, line) => {
    const machine = await node();
    machine.members(["192.168.0.11"], 4);
    machine.disturb("emqx", /cluster leave/, saying(words));
    const run = await machine.operate("drain");
    expect([run.code, run.console]).toEqual([1, expect.stringMatching(line)]);
  });

  test("moves the shards of durable storage before the node leaves", async () => {
    const machine = await node({ version: "6.2.3", hasLicense: true });
    machine.members(["192.168.0.11"], 4);
    // Durable storage is off in the region: EMQX's words about it.
    let shards = true;
    machine.disturb("emqx", /cluster leave/, (_call, act) =>
      shards
        ? {
            code: 1,
            out: "\x1b[31mOperation is unsafe: Node is still responsible for one or more DS shard replicas. Consult `emqx ctl ds info' for details.\n\x1b[0m",
          }
        : act(),
    );
    machine.disturb("emqx", /ds info/, saying("THIS SITE:\n5A36C1D2E3F40516\n\nSITES:\n\nSHARDS:"));
    const stuck = machine.disturb("emqx", /ds leave/, saying("ok"));
    const failed = await machine.operate("drain");
    expect([failed.code, failed.console]).toEqual([
      1,
      expect.stringMatching(/responsible for one or more DS shard/),
    ]);
    stuck();
    machine.disturb("emqx", /ds leave/, () => {
      shards = false;
      return { out: "ok\n" };
    });
    const run = await machine.operate("drain");
    expect(run.console).toMatch(/leaving the cluster\n.*moving its shards of durable storage first\n$/);
    expect(run.code).toBe(0);
    expect(calls(run, "emqx ctl ds leave")).toEqual(["emqx ctl ds leave all 5A36C1D2E3F40516"]);
    expect(calls(run, "emqx ctl cluster leave")).toHaveLength(2);
  });
});

test("an operation that is not there names those that are", async () => {
  const machine = await node();
  const run = await machine.operate("dance");
  expect(run.code).toBe(1);
  expect(run.console).toMatch(/no such operation: .*drain.*services.*sync/);
});
