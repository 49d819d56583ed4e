import { backupIntervalProblems } from "./emqx/backupPlan";
import type { EmqxMonitoredNodeArgs, EmqxMonitoringArgs } from "./emqxMonitoring";
import { kmsKeyProblems } from "./kmsKey";
import { logRetentionProblems } from "./logRetention";
import { arnProblems, plain } from "./problems";

/** Names of alarms end at 255 characters, and begin with the prefix. */
const longestPrefix = 200;
/** As many as a deployment has at most. */
const mostNodes = 100;

/** Everything that is wrong with the input, one line each; `region` is the deployment's, where it is known. */
export function monitoringProblems(args: Partial<EmqxMonitoringArgs>, region?: string): string[] {
  return [
    ...nodesProblems(args.nodes),
    ...prefixProblems(plain(args.parameterPrefix)),
    ...topicProblems(plain(args.alarmTopicArn), region),
    ...certificateProblems(plain(args.certificateArn), region),
    ...backupIntervalProblems("backupIntervalHours", args.backupIntervalHours),
    ...logRetentionProblems("logRetentionDays", args.logRetentionDays),
    ...kmsKeyProblems(plain(args.kmsKeyId), region),
  ];
}

function nodesProblems(nodes: EmqxMonitoredNodeArgs[] | undefined): string[] {
  if (nodes === undefined || (nodes.length > 0 && nodes.length <= mostNodes)) {
    return [];
  }
  return nodes.length === 0
    ? ["nodes: none given; name at least one"]
    : [`nodes: ${nodes.length} given; one dashboard shows ${mostNodes} at most`];
}

/** What is wrong with the path of the parameters. */
export function prefixProblems(prefix: string | undefined): string[] {
  if (prefix === undefined) {
    return [];
  }
  if (!/^(\/[\w.-]+)+$/.test(prefix)) {
    return [
      `parameterPrefix: ${JSON.stringify(prefix)} is not a path of SSM parameters; write it with a slash first and ` +
        `none at the end, for example /emqx/project/stack/emqx-nodes`,
    ];
  }
  return prefix.length <= longestPrefix
    ? []
    : [
        `parameterPrefix: has ${prefix.length} characters, and names of alarms that begin with it have room for ` +
          `${longestPrefix}; use shorter names of project, stack and component`,
      ];
}

/** What is wrong with the ARN of the topic; `region` is the deployment's. */
export function topicProblems(arn: string | undefined, region: string | undefined): string[] {
  return arnProblems("alarmTopicArn", arn, {
    pattern: /^arn:aws[\w-]*:sns:(?<region>[a-z0-9-]+):\d{12}:[\w-]{1,256}$/,
    example: "arn:aws:sns:<region>:<account>:<topic>, of a standard topic",
    region,
  });
}

const acmCertificate = /^arn:aws[\w-]*:acm:(?<region>[a-z0-9-]+):\d{12}:certificate\/[\w-]+$/;
const iamCertificate = /^arn:aws[\w-]*:iam::\d{12}:server-certificate\/[\w+=,.@/-]+$/;

function certificateProblems(arn: string | undefined, region: string | undefined): string[] {
  return arnProblems("certificateArn", arn, {
    pattern: new RegExp(`${acmCertificate.source}|${iamCertificate.source}`),
    example:
      "arn:aws:acm:<region>:<account>:certificate/<id> or arn:aws:iam::<account>:server-certificate/<name>",
    region,
  });
}

/** Whether this is a certificate that CloudWatch has no metrics of. */
export function isIamCertificate(arn: string | undefined): boolean {
  return arn !== undefined && iamCertificate.test(arn);
}

/** What works but leaves something unwatched. */
export function monitoringWarnings(certificateArn: string | undefined): string[] {
  return isIamCertificate(certificateArn)
    ? [
        `certificateArn: ${certificateArn} is a certificate of IAM, of which CloudWatch has no metrics: no alarm tells ` +
          `when it expires. Import it into ACM, or watch its date yourself`,
      ]
    : [];
}
