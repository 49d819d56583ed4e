/** The fragments "backup" and "restore", really run in the boot script's terms, around them what the simulated region answers. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { backupCalendar, backupParameterText, exportsPrefix } from "../../../components/backup/plan";
import { bootScript } from "../../../components/emqx/bootstrap";
import { backupOperation } from "../../../components/emqx/operations/backup";
import { commonFunctions } from "../../../components/emqx/operations/common";
import { restoreOperation } from "../../../components/emqx/operations/restore";
import type { Disturbance } from "@emqx-aws/simulator/machine/bash/outside";
import { nodeArgs } from "./arguments";
import { calls, type Machine, refused, Run, saying, secrets, testMachines } from "./machine";
import { testWith } from "./tools";

const name = "emqx-export-2026-01-01-05-59-00.000.tar.gz";
const bucket = "emqx-backup-1";
const place = `s3://${bucket}/${exportsPrefix}`;
const { booted } = testMachines();

/** A node that "sync" has told of the backups. */
const node = () =>
  booted({}, async (machine) => {
    machine.change("backup", backupParameterText(bucket, backupCalendar(6)));
    expect((await machine.operate("sync")).code).toBe(0);
  });

/** A call that takes half a minute to fail: what is tried again for minutes is not tried a hundred times. */
const failing =
  (machine: Machine, words: string, code = 1): Disturbance["how"] =>
  async ({ gone }) => {
    await machine.clock.sleep(25, gone);
    return { code, err: `${words}\n` };
  };

const told = (failed: 0 | 1) => [
  `aws cloudwatch put-metric-data --namespace EMQX --metric-name ExportFailed ` +
    `--dimensions Cluster=${nodeArgs().parameterPrefix} --value ${failed}`,
];
const lastLine = (run: Run) => run.console.trim().split("\n").at(-1);

/** What is left of exports on the node's disk. */
function leftovers(machine: Machine): string[] {
  const folder = machine.root.at("/var/lib/emqx/backup");
  return existsSync(folder) ? readdirSync(folder) : [];
}

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
    const machine = await node();
    rmSync(machine.root.at("/etc/emqx-node/backup.env"));
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
    const machine = await node();
    const run = await machine.operate("backup");
    expect(run.code).toBe(0);
    expect(run.console.split("\n")).toEqual([
      "emqx-node: asking which node exports",
      "emqx-node: exporting EMQX's data",
      `emqx-node: uploading ${name}`,
      expect.stringMatching(new RegExp(`^emqx-node: stored ${place}${name}, [1-9]\\d+ bytes$`)),
      "",
    ]);
    expect([...machine.role.objects.keys()]).toEqual([`${bucket}/exports/${name}`]);
    expect(leftovers(machine)).toEqual([]);
    expect(machine.mode("var/lib/emqx/backup")).toBe("emqx:emqx 700");
    expect(calls(run, "aws cloudwatch")).toEqual(told(0));
  });

  test("is another node's matter where one of a smaller name runs", async () => {
    const machine = await node();
    machine.cluster.running = ["emqx@192.168.0.10", "emqx@10.9.0.11"];
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
    const machine = await node();
    machine.disturb("aws", /s3 cp/, refused("SlowDown", "PutObject"), 1);
    const run = await machine.operate("backup");
    expect([run.code, calls(run, "aws s3 cp")]).toEqual([0, [expect.anything(), expect.anything()]]);
  });

  /** What EMQX has written stays, whatever it says then. */
  const ending =
    (words: string, code = 0): Disturbance["how"] =>
    async (_call, act) => ({ code, out: `${(await act()).out!.split("\n")[0]}\n${words}\n` });

  test.each<[string, string, RegExp, (machine: Machine) => Disturbance["how"], RegExp]>([
    [
      "EMQX refuses",
      "emqx",
      /data export/,
      () => ending('[error] Data export failed, reason: "disk is full".'),
      /disk is full/,
    ],
    [
      "EMQX goes down",
      "emqx",
      /data export/,
      () => ending("RPC to 'emqx@192.168.0.10' failed: nodedown", 1),
      /exporting EMQX's data: RPC to .* failed: nodedown$/,
    ],
    [
      "S3 refuses",
      "aws",
      /s3 cp/,
      (machine) => failing(machine, "fatal error: An error occurred (AccessDenied) when calling PutObject"),
      /uploading \S+: .*AccessDenied/,
    ],
    ["S3 has another size", "aws", /head-object/, () => saying("7"), /uploading \S+: S3 has 7 of \d+ bytes$/],
  ])("fails when %s, and leaves nothing on the disk", async (_what, program, args, how, line) => {
    const machine = await node();
    machine.disturb(program, args, how(machine));
    const run = await machine.operate("backup");
    expect(run.code).toBe(1);
    expect(lastLine(run)).toMatch(line);
    expect(lastLine(run)).toMatch(/^emqx-node: NODE 0 FAILED while /);
    expect(calls(run, "aws cloudwatch")).toEqual(told(1));
    expect(leftovers(machine)).toEqual([]);
  });

  test("is stored all the same when CloudWatch does not hear of it", async () => {
    const machine = await node();
    machine.disturb("aws", /put-metric-data/, refused("AccessDenied", "PutMetricData"));
    const run = await machine.operate("backup");
    expect(run.code).toBe(0);
    expect(run.console).toMatch(
      /stored s3:\S+, \d+ bytes\n\n.*PutMetricData.*\nemqx-node: CloudWatch was not told\n$/,
    );
  });

  test("fails when EMQX does not run", async () => {
    const machine = await node();
    machine.disturb("emqx", /./, failing(machine, "Node 'emqx@192.168.0.10' not responding to pings."));
    const run = await machine.operate("backup");
    expect([run.code, lastLine(run)]).toEqual([
      1,
      "emqx-node: NODE 0 FAILED while asking which node exports: EMQX does not answer: " +
        "Node 'emqx@192.168.0.10' not responding to pings.",
    ]);
  });
});

describe("restore", () => {
  /** A node whose bucket has three backups, the newest made when the cluster had other passwords. */
  async function withBackups(): Promise<Machine> {
    const machine = await node();
    await machine.emqx!.setDashboardPassword("Of-The-Backup-1");
    await machine.emqx!.setUserPassword("mqtt", "Of-The-Backup-1");
    expect((await machine.operate("backup")).code).toBe(0);
    for (const other of [
      "emqx-export-2025-12-31-20-00-00.123.tar.gz",
      "emqx-export-2025-12-30-20-00-00.001.tar.gz",
      "notes.txt",
    ])
      await machine.role.putObject(bucket, `exports/${other}`, Buffer.from("no archive"));
    return machine;
  }

  test.each(["latest", name, `${exportsPrefix}${name}`])(
    "of %s imports the newest and leaves nothing",
    async (key) => {
      const machine = await withBackups();
      let imported = "";
      machine.disturb("emqx", /data import/, ({ args }, act) => {
        imported = machine.mode(args.at(-1)!.slice(machine.root.path.length + 1));
        return act();
      });
      const run = await machine.operate("restore", key);
      expect(run.console.split("\n")).toEqual([
        "emqx-node: looking for backups",
        `emqx-node: downloading ${name}`,
        `emqx-node: looking into ${name}`,
        "emqx-node: made by EMQX 5.8.9",
        "emqx-node: it holds the configuration and emqx_admin emqx_authn_mnesia emqx_retainer_message ",
        `emqx-node: importing ${name}`,
        `emqx-node: imported ${name}`,
        "emqx-node: setting this cluster's own passwords again",
        "emqx-node: taking up the passwords",
        "",
      ]);
      expect(run.code).toBe(0);
      expect(imported).toBe("emqx:emqx 600");
      expect(leftovers(machine)).toEqual([]);
      expect(machine.emqx!.logsIn(secrets.dashboardPassword)).toBe(true);
      expect(machine.letsIn(secrets.mqttPassword)).toBe(true);
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
      "  emqx-export-2025-12-30-20-00-00.001.tar.gz",
      "  emqx-export-2025-12-31-20-00-00.123.tar.gz",
      `  ${name}`,
    ]);
    expect(lastLine(run)).toMatch(line);
    expect(calls(run, "emqx")).toEqual([]);
  });

  test("without a backup says where it looked", async () => {
    const run = await (await node()).operate("restore", "latest");
    expect([run.code, lastLine(run)]).toEqual([
      1,
      `emqx-node: NODE 0 FAILED while looking for backups: there is none in ${place}`,
    ]);
  });

  test("does not give a damaged archive to EMQX", async () => {
    const machine = await withBackups();
    const run = await machine.operate("restore", "emqx-export-2025-12-31-20-00-00.123.tar.gz");
    expect(run.code).toBe(1);
    expect(lastLine(run)).toMatch(/looking into \S+: it is no whole archive: /);
    expect(calls(run, "emqx")).toEqual([]);
    expect(leftovers(machine)).toEqual([]);
  });

  test.each([
    [
      'Failed to import the following config path: "mqtt", reason: {error,x}\n' +
        "Data has been imported, but some errors occurred, see the log above.",
      /importing \S+: .*Data has been imported, but some errors occurred/,
    ],
    [
      '[error] Data import failed, reason: "[warning] Backup version \\"5.9.0\\" is newer".',
      /importing \S+: \[error\] Data import failed, reason: .*5\.9\.0.* is newer/,
    ],
  ])("fails with EMQX's last words where it says %j", async (words, line) => {
    const machine = await withBackups();
    machine.disturb("emqx", /data import/, saying(words));
    const run = await machine.operate("restore", "latest");
    expect(run.code).toBe(1);
    expect(lastLine(run)).toMatch(line);
    expect(run.console).toContain(words.split("\n")[0]!);
    expect(leftovers(machine)).toEqual([]);
    // Once EMQX was told to import, nobody knows which passwords it has: "sync" sets them again.
    expect(machine.has("var/lib/emqx/emqx-node.applied")).toBe(false);
  });

  test("fails with S3's last words, and forgets nothing", async () => {
    const machine = await withBackups();
    machine.disturb(
      "aws",
      /list-objects/,
      failing(
        machine,
        "\nAn error occurred (AccessDenied) when calling the ListObjectsV2 operation: no",
        254,
      ),
    );
    const run = await machine.operate("restore", "latest");
    expect([run.code, lastLine(run)]).toEqual([
      1,
      expect.stringMatching(/looking for backups: .*AccessDenied/),
    ]);
    expect(machine.has("var/lib/emqx/emqx-node.applied")).toBe(true);
  });
});
