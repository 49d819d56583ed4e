/**
 * What the CloudWatch agent does on every node: memory and data volume as metrics, EMQX's log and the boot's log into
 * one log group. One configuration for all nodes; a node fills in its name.
 */

import { clusterDimensions, metricsNamespace } from "../emqx/metrics";

export const memoryMetric = "mem_used_percent";
export const dataVolumeMetric = "disk_used_percent";

/** Stands for the node's EMQX name until the node hands the configuration to its agent. */
export const nodeNamePlaceholder = "{NODE_NAME}";
/** Of the agent itself, which knows its instance. */
const instanceIdPlaceholder = "{instance_id}";

/** An SSM parameter of the standard tier holds 4,096 bytes (PutParameter, Value). */
export const maxAgentConfigurationBytes = 4096;

const dataVolumePath = "/var/lib/emqx";

/**
 * The dimensions of the memory metric, exactly. Neither the host's name nor the instance's id is among them, so that
 * they are known before the instance is and stay when it is replaced.
 */
export function memoryDimensions(cluster: string, nodeName: string): Record<string, string> {
  return { ...clusterDimensions(cluster), Node: nodeName };
}

/** The dimensions of the data volume's metric: the agent adds path and file system; `drop_device` leaves the disk out. */
export function dataVolumeDimensions(cluster: string, nodeName: string): Record<string, string> {
  return { ...memoryDimensions(cluster, nodeName), path: dataVolumePath, fstype: "xfs" };
}

/** The agent's configuration, by its own reference ("CloudWatch agent configuration file: details"). */
export function agentConfiguration(cluster: string, logGroupName: string): string {
  const own = memoryDimensions(cluster, nodeNamePlaceholder);
  const log = (path: string, stream: string) => ({
    file_path: path,
    log_group_name: logGroupName,
    log_stream_name: `${nodeNamePlaceholder}/${stream}`,
  });
  const configuration = {
    agent: {
      metrics_collection_interval: 60,
      // Cloud-init's log is root's alone.
      run_as_user: "root",
      // The host's name would be one more dimension, which no alarm knows.
      omit_hostname: true,
    },
    metrics: {
      namespace: metricsNamespace,
      metrics_collected: {
        mem: { measurement: ["used_percent"], append_dimensions: own },
        disk: {
          measurement: ["used_percent"],
          resources: [dataVolumePath],
          drop_device: true,
          append_dimensions: own,
        },
      },
    },
    logs: {
      logs_collected: {
        files: {
          collect_list: [
            // EMQX writes emqx.log.1, emqx.log.2, …, and the agent follows the newest that fits. Beside them lie
            // emqx.log.idx and emqx.log.siz, which are no text.
            log("/var/log/emqx/emqx.log.[0-9]*", "emqx"),
            // A stream per instance: each boots once, and the last one's failure must not hide in the next one's log.
            log("/var/log/cloud-init-output.log", `boot/${instanceIdPlaceholder}`),
          ],
        },
      },
    },
  };
  return JSON.stringify(configuration, null, 1);
}

/** What keeps a configuration out of its parameter. */
export function agentConfigurationProblems(configuration: string): string[] {
  const bytes = Buffer.byteLength(configuration);
  return bytes <= maxAgentConfigurationBytes
    ? []
    : [
        `parameterPrefix: the agent's configuration has ${bytes} bytes with it, and a parameter holds ` +
          `${maxAgentConfigurationBytes}; use shorter names of project, stack and component`,
      ];
}
