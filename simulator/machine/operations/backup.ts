/** Operation "backup", acted out: see components/emqx/operations/backup.ts for what it is. */
import type { Operation } from "../operations";
import { awsCall, until } from "../script";
import { backupPlan, exportName, type BackupPlan } from "./backupPlan";

export const backup: Operation = () => {
  let plan: BackupPlan;
  let content = "";
  return [
    [
      "asking which node exports",
      async (run) => {
        plan = backupPlan(run);
        const emqx = run.machine.emqx();
        if (emqx === undefined) {
          throw new Error("EMQX does not answer: Node is not running!");
        }
        const [first] = [...emqx.cluster().running].sort();
        if (run.args[0] !== "here" && first !== emqx.settings.nodeName) {
          run.machine.say(`emqx-node: ${first} does; nothing to do on this node`);
          return "finished";
        }
      },
    ],
    [
      "exporting EMQX's data",
      async (run) => {
        content = JSON.stringify(await run.machine.emqx()!.exportData());
        run.variables["name"] = exportName(new Date());
      },
    ],
    [
      "uploading ",
      async (run) => {
        const { role, say } = run.machine;
        const key = `${plan.prefix}${run.variables["name"]}`;
        await until(
          run,
          300,
          async () => (await awsCall(run, "s3", () => role.putObject(plan.bucket, key, content))).problem,
        );
        // head-object needs the same permission as get-object.
        const stored = await awsCall(run, "s3", () => role.getObject(plan.bucket, key));
        if (stored.value === undefined) {
          throw new Error(stored.problem);
        }
        say(`emqx-node: stored s3://${plan.bucket}/${key}, ${Buffer.byteLength(stored.value)} bytes`);
      },
    ],
  ];
};
