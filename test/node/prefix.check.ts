/**
 * The region's machines run the node's scripts below a folder each. Here these have this computer's disk for themselves: what
 * a script writes outside of its machine's folder is found.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backupCalendar, backupParameterText } from "../../components/backup/plan";
import { testMachines } from "../components/emqx/machine";

const folder = mkdtempSync(join(tmpdir(), "emqx-prefix-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** All that is newer than the mark: on the disk (test/node/enter), and in the file systems that are made anew with every boot. */
function touched(mark: string): string[] {
  const places = [
    "/mnt",
    "/run",
    "/dev",
    "/proc/sys/fs",
    "/proc/sys/net",
    "/sys/kernel/mm/transparent_hugepage",
  ];
  const args = [...places, "-cnewer", mark, "-not", "-type", "c"];
  return execFileSync("find", args, { encoding: "utf8" }).split("\n").filter(Boolean);
}

describe("a boot and every operation, as the region's machines run them", () => {
  const { fresh } = testMachines();

  test("write nothing outside of the machine's folder", async () => {
    const machine = fresh({ readinessTimeoutSeconds: 300 });
    const mark = join(folder, "mark");
    writeFileSync(mark, "");
    const done = async (run: Promise<{ code: number }>) => expect(await run).toMatchObject({ code: 0 });
    await done(machine.boot());
    machine.change("backup", backupParameterText("emqx-backup-1", backupCalendar(6)));
    machine.change("monitoring", '{"node": "{NODE_NAME}"}');
    machine.change("dashboard-password", "Dashboard-Secret-2");
    for (const operation of ["sync", "join", "backup", "restore latest", "drain"])
      await done(machine.operate(...operation.split(" ")));
    expect(touched(mark)).toEqual([]);
  });

  test("(and what would be written there is found)", () => {
    const mark = join(folder, "mark");
    writeFileSync("/etc/emqx-node.strange", "");
    expect(touched(mark)).toEqual(expect.arrayContaining(["/mnt/etc/emqx-node.strange"]));
  });
});
