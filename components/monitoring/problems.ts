import { arn, arnPattern } from "../shared/arn";
import { instanceId, loadBalancerName, nodeName, parameterPrefix, roleName } from "../shared/awsNames";
import { certificateInput, isServerCertificate } from "../certificate/arn";
import { backupIntervalInput } from "../backup/plan";
import { instanceTypeInput } from "../nodes/instanceTypes";
import type { EmqxMonitoredNodeArgs, EmqxMonitoringArgs } from "./emqxMonitoring";
import { list, problemsOf, text, type Shapes } from "../shared/inputs";
import { kmsKeyInput } from "../shared/kmsKey";
import { logRetentionInput } from "../shared/logRetention";
import { nameProblems } from "../shared/names";
import { tagsInput } from "../shared/tags";

/** As many as a deployment has at most. */
const mostNodes = 100;

/** A standard topic: alarms cannot tell a FIFO one (CloudWatch user guide, "Notifying users on alarm changes"). */
const topicInput = text(
  arn([arnPattern("sns", "[\\w-]{1,256}")], "arn:aws:sns:<region>:<account>:<topic>, of a standard topic"),
  { later: true, regional: true },
);

const monitoredNode = {
  kind: "object",
  fields: {
    instanceId: { ...instanceId, needed: "give the id of the node's instance" },
    nodeName,
  } satisfies Shapes<EmqxMonitoredNodeArgs>,
} as const;

export const monitoringInputs = {
  loadBalancerName: { ...loadBalancerName, needed: "give loadBalancerName of EmqxClassicElb" },
  nodes: list(monitoredNode, {
    needed: "name at least one",
    least: "name at least one",
    check: (input, nodes) =>
      nodes.length > mostNodes
        ? [`${input}: ${nodes.length} given; one dashboard shows ${mostNodes} at most`]
        : [],
  }),
  parameterPrefix,
  roleName: { ...roleName, needed: "give roleName of EmqxClusterNodes" },
  instanceType: instanceTypeInput,
  alarmTopicArn: topicInput,
  certificateArn: certificateInput,
  backupIntervalHours: backupIntervalInput,
  logRetentionDays: logRetentionInput,
  kmsKeyId: kmsKeyInput,
  tags: tagsInput(),
} satisfies Shapes<EmqxMonitoringArgs>;

/** Everything that is wrong with the input, one line each. */
export function monitoringProblems(name: string, args: EmqxMonitoringArgs, region?: string): string[] {
  const where = region === undefined ? {} : { region };
  return problemsOf<EmqxMonitoringArgs>(monitoringInputs, args, where, [() => monitoringNameProblems(name)]);
}

/** SNS takes fewer characters than IAM and SSM do (SNS API reference, CreateTopic). */
export function monitoringNameProblems(name: string, part?: string): string[] {
  return nameProblems(
    name,
    {
      pattern: /^[A-Za-z0-9][\w-]*$/,
      characters: "letters, digits, _ and hyphens, a letter or digit first",
      made: [
        { suffix: "-agent", of: "an IAM policy", longest: 128 },
        { suffix: "-alarms", of: "an SNS topic", longest: 256 },
      ],
    },
    part,
  );
}

/** What works but leaves something unwatched. */
export function monitoringWarnings(certificateArn: string | undefined): string[] {
  return certificateArn !== undefined && isServerCertificate(certificateArn)
    ? [
        `certificateArn: ${certificateArn} is a certificate of IAM, of which CloudWatch has no metrics: no alarm tells ` +
          `when it expires. Import it into ACM, or watch its date yourself`,
      ]
    : [];
}
