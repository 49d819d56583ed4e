/** Operation "backup", acted out: see components/emqx/operations/backup.ts for what it is. */
import { clusterDimensions, exportFailedMetric, metricsNamespace } from "../../../components/emqx/metrics";
import type { Operation, OperationRun } from "../operations";
import { awsCall, until, type Step } from "../script";
import { backupPlan, exportName, type BackupPlan } from "./backupPlan";

export const backup: Operation = () => {
  let plan: BackupPlan;
  let content = "";
  const steps: Step<OperationRun>[] = [
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
        await tellCloudWatch(run, 0);
      },
    ],
  ];
  const [election, ...exporting] = steps;
  return [election!, ...exporting.map(reported)];
};

/** The step, which tells CloudWatch when it fails. */
function reported([announcement, act]: Step<OperationRun>): Step<OperationRun> {
  return [
    announcement,
    async (run) => {
      try {
        return await act(run);
      } catch (error) {
        await tellCloudWatch(run, 1);
        throw error;
      }
    },
  ];
}

async function tellCloudWatch(run: OperationRun, failed: 0 | 1): Promise<void> {
  const dimensions = clusterDimensions(run.values["PARAMETER_PREFIX"] ?? "");
  const { problem } = await awsCall(run, "monitoring", () =>
    run.machine.role.putMetricData(metricsNamespace, exportFailedMetric, dimensions, failed),
  );
  if (problem !== undefined) {
    run.machine.say(problem);
    run.machine.say("emqx-node: CloudWatch was not told");
  }
}
