/** Operation "restore", acted out: see components/emqx/operations/restore.ts for what it is. */
import type { DataExport } from "../../dataplane/cluster/dataBackup";
import type { Operation, OperationRun } from "../operations";
import { awsCall, until } from "../script";
import { backupPlan, isExportName, type BackupPlan } from "./backupPlan";
import { takenFile } from "./sync";

const mostNames = 20;

export const restore: Operation = () => {
  let plan: BackupPlan;
  let content = "";
  return [
    [
      "looking for backups",
      async (run) => {
        plan = backupPlan(run);
        run.variables["wanted"] = choose(run, plan, await exportsIn(run, plan));
      },
    ],
    [
      "downloading ",
      async (run) => {
        const key = `${plan.prefix}${run.variables["wanted"]}`;
        await until(run, 300, async () => {
          const { value, problem } = await awsCall(run, "s3", () =>
            run.machine.role.getObject(plan.bucket, key),
          );
          content = value ?? "";
          return problem;
        });
      },
    ],
    [
      "looking into ",
      async ({ machine }) => {
        const { meta, users, dashboardUsers, retained } = parse(content);
        machine.say(`emqx-node: made by EMQX ${meta.version}`);
        const [mqtt, dashboard] = [users, dashboardUsers].map((records) => Object.keys(records).length);
        machine.say(
          `emqx-node: it holds ${mqtt} MQTT users, ${dashboard} dashboard users, ${retained.length} retained messages`,
        );
      },
    ],
    [
      "importing ",
      async (run) => {
        const emqx = run.machine.emqx();
        if (emqx === undefined) {
          throw new Error("Node is not running!");
        }
        await emqx.importData(parse(content)).catch((error: Error) => {
          throw new Error(`[error] Data import failed, reason: ${error.message}.`, { cause: error });
        });
        // The database has other passwords now than those that "sync" has noted.
        run.machine.volumeFiles.delete(takenFile);
        run.machine.say(`emqx-node: imported ${run.variables["wanted"]}`);
      },
    ],
    ["setting this cluster's own passwords", ({ machine }) => machine.operate("sync")],
  ];
};

/** Names of the exports in the bucket, the oldest first. */
async function exportsIn(run: OperationRun, { bucket, prefix }: BackupPlan): Promise<string[]> {
  let found: string[] = [];
  await until(run, 60, async () => {
    const { value, problem } = await awsCall(run, "s3", () => run.machine.role.listObjects(bucket, prefix));
    found = (value ?? []).map(({ key }) => key.slice(prefix.length));
    return problem;
  });
  return found.filter(isExportName).sort();
}

function choose({ args, machine }: OperationRun, { bucket, prefix }: BackupPlan, names: string[]): string {
  const place = `s3://${bucket}/${prefix}`;
  if (names.length === 0) {
    throw new Error(`there is none in ${place}`);
  }
  const given = args[0] ?? "";
  const name = given.startsWith(prefix) ? given.slice(prefix.length) : given;
  const wanted = name === "latest" ? names.at(-1)! : name;
  if (!names.includes(wanted)) {
    machine.say(`emqx-node: the newest in ${place}:`);
    names.slice(-mostNames).forEach((each) => machine.say(`  ${each}`));
    throw new Error(`${wanted || "no name"} is none of them: name one, or latest`);
  }
  return wanted;
}

function parse(content: string): DataExport {
  try {
    return JSON.parse(content) as DataExport;
  } catch (error) {
    throw new Error(`it is no whole archive: ${(error as Error).message}`, { cause: error });
  }
}
