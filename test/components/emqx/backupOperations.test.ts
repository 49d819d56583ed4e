/** The fragments "backup" and "restore", really run in the boot script's terms, with fakes around them. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { backupCalendar, backupParameterText, exportsPrefix } from "../../../components/emqx/backupPlan";
import { bootScript } from "../../../components/emqx/bootstrap";
import { operations } from "../../../components/emqx/operations";
import { backupOperation } from "../../../components/emqx/operations/backup";
import { commonFunctions } from "../../../components/emqx/operations/common";
import { restoreOperation } from "../../../components/emqx/operations/restore";
import { renderUserData } from "../../../components/emqx/userData";
import { nodeArgs } from "./arguments";
import { Machine, Run, secrets } from "./machine";
import { testWith } from "./tools";

const name = "emqx-export-2026-11-27-20-00-00.123.tar.gz";
const place = `s3://emqx-backup-1/${exportsPrefix}`;
const machines: Machine[] = [];
afterEach(() => machines.splice(0).forEach((machine) => machine.destroy()));

/** A node that "sync" has told of the backups. */
function node(readinessTimeoutSeconds = 1): Machine {
  const args = nodeArgs({ readinessTimeoutSeconds });
  const made = Machine.of(renderUserData(args), args.parameterPrefix);
  machines.push(made);
  for (const [operation, text] of Object.entries(operations))
    made.write(`etc/emqx-node/operations/${operation}`, text);
  const plan = backupParameterText("emqx-backup-1", backupCalendar(6));
  made.write("etc/emqx-node/backup.env", plan);
  made.parameter("backup", plan.trimEnd());
  made.state("started", "");
  made.write("var/lib/emqx/emqx-node.applied", "mqtt-password 1\n");
  made.state("tables", "retained: a b c");
  return made;
}

const calls = (run: Run, start: string) => run.calls.filter((call) => call.startsWith(start));
const told = (failed: 0 | 1) => [
  `aws cloudwatch put-metric-data --namespace EMQX --metric-name ExportFailed ` +
    `--dimensions Cluster=${nodeArgs().parameterPrefix} --value ${failed}`,
];
const lastLine = (run: Run) => run.console.trim().split("\n").at(-1);

/** What is left of exports on the node's disk. */
function leftovers(machine: Machine): string[] {
  const folder = join(machine.root, "var/lib/emqx/backup");
  return existsSync(folder) ? readdirSync(folder) : [];
}

const others = (names: string[]) => JSON.stringify({ stopped_nodes: [], running_nodes: names });

describe.each([
  ["backup", backupOperation],
  ["restore", restoreOperation],
])("operation %s", (_name, text) => {
  testWith("shellcheck")("is clean in the context of the boot script", () => {
    // Where the boot script sources it.
    const sourced = '  # shellcheck source=/dev/null\n  . "$conf/operations/$1"\n';
    expect(bootScript.split(sourced)).toHaveLength(2);
    const input = bootScript.replace(sourced, () => `${commonFunctions}\n${text.trimEnd()}\n`);
    // The boot script's own "finish" gives way to the operation's.
    const result = spawnSync("shellcheck", ["--severity=style", "--exclude=SC2317,SC2034", "-"], {
      input,
      encoding: "utf8",
    });
    expect(result.stdout + result.stderr).toBe("");
    expect(result.status).toBe(0);
  });

  test("fits into its parameter", () => {
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
  });

  test("says that backups are off where they are", async () => {
    const machine = node();
    machine.write("etc/emqx-node/backup.env.gone", machine.read("etc/emqx-node/backup.env"));
    spawnSync("rm", [join(machine.root, "etc/emqx-node/backup.env")]);
    const run = await machine.operate(_name);
    expect(lastLine(run)).toMatch(/NODE 0 FAILED while .*: backups are off: there is no \S+backup\.env$/);
    expect(run.code).toBe(1);
    expect(calls(run, "aws")).toEqual([]);
  });
});

describe.each([1, 2, 3, 4, 6, 8, 12, 24])("every %i hours", (hours) => {
  testWith("systemd-analyze")("is a calendar that systemd reads as that many hours", () => {
    const asked = ["calendar", "--iterations=3", backupCalendar(hours)];
    const { stdout, status } = spawnSync("systemd-analyze", asked, {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    expect(status).toBe(0);
    const times = [...stdout.matchAll(/(?:Next elapse|Iter(?:ation|\.) #\d+): \S+ (\S+) (\S+) UTC/g)].map(
      ([, date, time]) => Date.parse(`${date}T${time}Z`),
    );
    expect(times).toHaveLength(3);
    expect([times[1]! - times[0]!, times[2]! - times[1]!]).toEqual([hours * 3600_000, hours * 3600_000]);
  });
});

describe("backup", () => {
  test("exports, stores, checks, and leaves nothing on the disk", async () => {
    const machine = node();
    const run = await machine.operate("backup");
    expect(run.code).toBe(0);
    expect(run.console.split("\n")).toEqual([
      "emqx-node: asking which node exports",
      "emqx-node: exporting EMQX's data",
      `emqx-node: uploading ${name}`,
      expect.stringMatching(new RegExp(`^emqx-node: stored ${place}${name}, [1-9]\\d+ bytes$`)),
      "",
    ]);
    expect(machine.has(`fake/s3/emqx-backup-1/exports/${name}`)).toBe(true);
    expect(leftovers(machine)).toEqual([]);
    expect(machine.mode("var/lib/emqx/backup")).toBe("700");
    expect(calls(run, "aws cloudwatch")).toEqual(told(0));
    expect(calls(run, "chown")).toEqual([
      expect.stringMatching(/^chown emqx:emqx \S+\/var\/lib\/emqx\/backup$/),
    ]);
  });

  test("is another node's matter where one of a smaller name runs", async () => {
    const machine = node();
    machine.state("cluster", others(["emqx@192.168.0.10", "emqx@10.9.0.11"]));
    const run = await machine.operate("backup");
    expect([run.code, lastLine(run)]).toEqual([
      0,
      "emqx-node: emqx@10.9.0.11 does; nothing to do on this node",
    ]);
    expect(calls(run, "emqx ctl data")).toEqual([]);
    expect(calls(run, "aws cloudwatch")).toEqual([]);
    // Unless somebody wants it here.
    const here = await machine.operate("backup", "here");
    expect([here.code, calls(here, "emqx ctl data")]).toEqual([0, ["emqx ctl data export"]]);
  });

  test("goes on where S3 stumbles", async () => {
    const machine = node(60);
    machine.state("s3-fails", "1");
    const run = await machine.operate("backup");
    expect([run.code, calls(run, "aws s3 cp")]).toEqual([0, [expect.anything(), expect.anything()]]);
  });

  test.each([
    ["EMQX refuses", "export-fails", '[error] Data export failed, reason: "disk is full".', /disk is full/],
    ["EMQX goes down", "export-crashes", "", /exporting EMQX's data: RPC to .* failed: nodedown$/],
    ["S3 refuses", "s3-denied", "", /uploading \S+: .*AccessDenied/],
    ["S3 has another size", "stored-size", "7", /uploading \S+: S3 has 7 of \d+ bytes$/],
  ])("fails when %s, and leaves nothing on the disk", async (_what, state, content, line) => {
    const machine = node();
    machine.state(state, content);
    const run = await machine.operate("backup");
    expect(run.code).toBe(1);
    expect(lastLine(run)).toMatch(line);
    expect(lastLine(run)).toMatch(/^emqx-node: NODE 0 FAILED while /);
    expect(calls(run, "aws cloudwatch")).toEqual(told(1));
    expect(leftovers(machine)).toEqual([]);
  });

  test("is stored all the same when CloudWatch does not hear of it", async () => {
    const machine = node();
    machine.state("cloudwatch-denied", "");
    const run = await machine.operate("backup");
    expect(run.code).toBe(0);
    expect(run.console).toMatch(
      /stored s3:\S+, \d+ bytes\n\n.*PutMetricData.*\nemqx-node: CloudWatch was not told\n$/,
    );
  });

  test("fails when EMQX does not run", async () => {
    const machine = node();
    machine.state("broken", "emqx");
    const run = await machine.operate("backup");
    expect([run.code, lastLine(run)]).toEqual([
      1,
      "emqx-node: NODE 0 FAILED while asking which node exports: EMQX does not answer: emqx: broken",
    ]);
  });
});

describe("restore", () => {
  /** A node whose bucket has three backups, the newest made of these tables. */
  async function withBackups(): Promise<Machine> {
    const machine = node();
    expect((await machine.operate("sync")).code).toBe(0);
    expect((await machine.operate("backup")).code).toBe(0);
    const bucket = "fake/s3/emqx-backup-1/exports";
    machine.write(`${bucket}/emqx-export-2026-11-26-20-00-00.123.tar.gz`, "older");
    machine.write(`${bucket}/emqx-export-2025-12-31-20-00-00.001.tar.gz`, "oldest");
    machine.write(`${bucket}/notes.txt`, "somebody's");
    return machine;
  }

  test.each(["latest", name, `${exportsPrefix}${name}`])(
    "of %s imports the newest and leaves nothing",
    async (key) => {
      const machine = await withBackups();
      // What the backup brings along.
      machine.state("dashboard-password", "Of-The-Backup");
      const run = await machine.operate("restore", key);
      expect(run.console.split("\n")).toEqual([
        "emqx-node: looking for backups",
        `emqx-node: downloading ${name}`,
        `emqx-node: looking into ${name}`,
        "emqx-node: made by EMQX 5.8.9",
        "emqx-node: it holds the configuration and emqx_authn_mnesia emqx_retainer_message ",
        `emqx-node: importing ${name}`,
        `emqx-node: imported ${name}`,
        "emqx-node: setting this cluster's own passwords again",
        "emqx-node: taking up the passwords",
        "",
      ]);
      expect(run.code).toBe(0);
      expect(machine.read("fake/imported")).toBe("retained: a b c");
      expect(machine.read("fake/imported-mode").trim()).toBe("600");
      expect(calls(run, "chown emqx:emqx").at(-1)).toMatch(new RegExp(`/backup/${name}$`));
      expect(leftovers(machine)).toEqual([]);
      expect(machine.read("fake/dashboard-password").trim()).toBe(secrets.dashboardPassword);
      expect(machine.read("fake/user-mqtt").trim()).toBe(secrets.mqttPassword);
    },
  );

  test.each([
    [[], /: no name is none of them: name one, or latest$/],
    [["emqx-export-1.tar.gz"], /: emqx-export-1\.tar\.gz is none of them: name one, or latest$/],
    [["notes.txt"], /: notes\.txt is none of them/],
    [["../cookie"], /: \.\.\/cookie is none of them/],
  ])("of %j lists the backups and imports nothing", async (args, line) => {
    const machine = await withBackups();
    const run = await machine.operate("restore", ...args);
    expect(run.code).toBe(1);
    expect(run.console.split("\n").slice(1, -2)).toEqual([
      `emqx-node: the newest in ${place}:`,
      "  emqx-export-2025-12-31-20-00-00.001.tar.gz",
      "  emqx-export-2026-11-26-20-00-00.123.tar.gz",
      `  ${name}`,
    ]);
    expect(lastLine(run)).toMatch(line);
    expect(calls(run, "emqx")).toEqual([]);
  });

  test("without a backup says where it looked", async () => {
    const run = await node().operate("restore", "latest");
    expect([run.code, lastLine(run)]).toEqual([
      1,
      `emqx-node: NODE 0 FAILED while looking for backups: there is none in ${place}`,
    ]);
  });

  test("does not give a damaged archive to EMQX", async () => {
    const machine = await withBackups();
    const run = await machine.operate("restore", "emqx-export-2026-11-26-20-00-00.123.tar.gz");
    expect(run.code).toBe(1);
    expect(lastLine(run)).toMatch(/looking into \S+: it is no whole archive: /);
    expect(calls(run, "emqx")).toEqual([]);
    expect(leftovers(machine)).toEqual([]);
  });

  test.each([
    ["s3-denied", "", /looking for backups: .*AccessDenied/, true],
    [
      "import-fails",
      'Failed to import the following config path: "mqtt", reason: {error,x}\n' +
        "Data has been imported, but some errors occurred, see the log above.",
      /importing \S+: Data has been imported, but some errors occurred/,
      false,
    ],
    [
      "import-fails",
      '[error] Data import failed, reason: "[warning] Backup version \\"5.9.0\\" is newer".',
      /importing \S+: \[error\] Data import failed, reason: .*5\.9\.0.* is newer/,
      false,
    ],
  ])("fails with the last words of %s", async (state, content, line, keeps) => {
    const machine = await withBackups();
    machine.state(state, content);
    const run = await machine.operate("restore", "latest");
    expect(run.code).toBe(1);
    expect(lastLine(run)).toMatch(line);
    expect(run.console).toContain(content.split("\n")[0]!);
    expect(leftovers(machine)).toEqual([]);
    // Once EMQX was told to import, nobody knows which passwords it has: "sync" sets them again.
    expect(machine.has("var/lib/emqx/emqx-node.applied")).toBe(keeps);
  });
});
