/** Operation "drain", acted out: see components/emqx/operations/drain.ts for what it is. */
import { hasEvacuation } from "../editions";
import { parseEnvironment } from "../fileSystem";
import type { Operation, OperationRun } from "../operations";
import { nodeFolder, parameter } from "../script";
import { membersOf } from "./clusterFile";

/** On the data volume while the node evacuates. */
export const evacuatingFile = "/var/lib/emqx/emqx-node.evacuating";
const pauseSeconds = 2;

export const drain: Operation = () => {
  const hasOthers = ({ machine }: OperationRun) => machine.cluster().running.length > 1;
  const evacuates = ({ machine }: OperationRun) => hasEvacuation(machine.emqx()?.settings.version ?? "0.0.0");
  const clusterFile = ({ machine }: OperationRun) => machine.files.get(`${nodeFolder}/cluster.env`)?.content;
  const count = ({ machine }: OperationRun) => machine.emqx()?.channels ?? 0;
  const drainSeconds = (run: OperationRun) =>
    Number(parseEnvironment(clusterFile(run) ?? "")["DRAIN_SECONDS"] ?? 0);
  const rate = (run: OperationRun) => Math.floor((count(run) * 2) / drainSeconds(run)) + 100;

  const untilEmpty = async (run: OperationRun) => {
    const end = run.machine.now() + drainSeconds(run);
    while (count(run) > 0 && run.machine.now() < end) {
      await run.machine.sleep(pauseSeconds);
    }
    run.machine.say(`emqx-node: ${count(run)} connections left`);
  };

  return [
    [
      "draining",
      async (run) => {
        const { value } = await parameter(run, "cluster");
        if (value !== undefined) {
          run.machine.files.set(`${nodeFolder}/cluster.env`, {
            content: value,
            mode: 0o644,
            owner: "root:root",
          });
        }
        run.variables["count"] = String(count(run));
        run.variables["rate"] = String(rate(run));
      },
      ({ machine }) => machine.emqx() !== undefined,
    ],
    [
      "evacuating ",
      async (run) => {
        run.machine.volumeFiles.set(evacuatingFile, { content: "", mode: 0o644, owner: "root:root" });
        run.machine.emqx()?.startEvacuation({
          waitHealthCheck: 1,
          waitTakeover: 1,
          connEvictRate: rate(run),
          sessEvictRate: rate(run),
        });
        await untilEmpty(run);
        run.machine.emqx()?.stopEvacuation();
        run.machine.volumeFiles.delete(evacuatingFile);
      },
      (run) => hasOthers(run) && evacuates(run),
    ],
    ["waiting for ", untilEmpty, (run) => hasOthers(run) && !evacuates(run)],
    [
      "leaving the cluster",
      async ({ machine }) => {
        await machine.emqx()?.leaveCluster();
      },
      (run) => hasOthers(run) && !membersOf(clusterFile(run)).includes(run.values["PRIVATE_IP"] ?? ""),
    ],
  ];
};
