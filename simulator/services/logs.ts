import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, out, text, type ResourceType } from "../schema";
import { accountNumber } from "../storedResource";
import { trusts } from "./policyDocuments";
import * as names from "./names";
import { arn, matches, oneOf } from "./validators";
import { findKey } from "./volumes";

const retentions = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const logGroupType: ResourceType = {
  token: names.logGroup,
  title: "CloudWatch Logs Log Group",
  tagged: true,
  autoName: { maxLength: 512 },
  properties: {
    deletionProtectionEnabled: bool({ computed: true }),
    kmsKeyId: text({ check: arn }),
    logGroupClass: text({
      computed: true,
      forceNew: true,
      check: oneOf("STANDARD", "INFREQUENT_ACCESS", "DELIVERY"),
    }),
    name: text({
      computed: true,
      forceNew: true,
      check: matches(
        /^[.\-_/#A-Za-z0-9]{1,512}$/,
        "a log group's name has 1 to 512 characters of a-zA-Z0-9_-/.#",
      ),
    }),
    namePrefix: text({ computed: true, forceNew: true }),
    retentionInDays: int({ default: 0, check: oneOf(...retentions) }),
    skipDestroy: bool({
      default: false,
      check: (v: boolean) => (v ? "the simulated region does not model skipDestroy" : undefined),
    }),
    arn: out(),
  },
  create(context, inputs) {
    const name =
      (inputs["name"] as string | undefined) ?? `${inputs["namePrefix"]}${context.account.digits(26)}`;
    if (context.find(names.logGroup, name)) {
      fail("ResourceAlreadyExistsException", `The specified log group already exists: ${name}`);
    }
    checkLogKey(context, inputs["kmsKeyId"] as string | undefined);
    return {
      id: name,
      attributes: {
        name,
        namePrefix: inputs["namePrefix"] ?? "",
        logGroupClass: inputs["logGroupClass"] ?? "STANDARD",
        deletionProtectionEnabled: inputs["deletionProtectionEnabled"] ?? false,
        arn: context.arn("logs", `log-group:${name}`),
      },
    };
  },
  update(context, _group, inputs, changed) {
    if (changed.has("kmsKeyId")) {
      checkLogKey(context, inputs["kmsKeyId"] as string | undefined);
    }
  },
  delete(_context, group) {
    if (group.attributes["deletionProtectionEnabled"] === true) {
      fail("OperationAbortedException", `The log group ${group.id} has deletion protection enabled`);
    }
  },
};

function checkLogKey(context: Context, key: string | undefined): void {
  if (key && !findKey(context, key)) {
    fail(
      "InvalidParameterException",
      `The specified KMS key does not exist or is not allowed to be used: ${key}`,
    );
  }
}

const sources = { vpcId: names.vpc, subnetId: names.subnet, eniId: names.networkInterface } as const;
const sourceKeys = Object.keys(sources) as (keyof typeof sources)[];

export const flowLogType: ResourceType = {
  token: names.flowLog,
  title: "Flow Log",
  tagged: true,
  properties: {
    eniId: text({ forceNew: true }),
    subnetId: text({ forceNew: true }),
    vpcId: text({ forceNew: true }),
    iamRoleArn: text({ forceNew: true, check: arn }),
    logDestination: text({ computed: true, forceNew: true, check: arn }),
    logDestinationType: text({
      default: "cloud-watch-logs",
      forceNew: true,
      check: (v: string) =>
        v === "cloud-watch-logs"
          ? undefined
          : `the simulated region models cloud-watch-logs only, got "${v}"`,
    }),
    logFormat: text({ computed: true, forceNew: true }),
    maxAggregationInterval: int({ default: 600, forceNew: true, check: oneOf(60, 600) }),
    trafficType: text({ forceNew: true, check: oneOf("ACCEPT", "REJECT", "ALL") }),
    arn: out(),
  },
  notModelled: [
    "deliverCrossAccountRole",
    "destinationOptions",
    "regionalNatGatewayId",
    "tagFieldSpecifications",
    "transitGatewayAttachmentId",
    "transitGatewayId",
  ],
  validate(_inputs, problems, given) {
    const chosen = sourceKeys.filter((s) => given.has(s));
    if (chosen.length !== 1) {
      problems.add(
        "",
        `exactly one of ${sourceKeys.join(", ")} is needed, got ${chosen.join(", ") || "none"}`,
      );
    }
    if (!given.has("trafficType")) {
      problems.add("", "Missing required property 'trafficType'");
    }
  },
  create(context, inputs) {
    const source = sourceKeys.find((s) => inputs[s] !== undefined)!;
    const id = inputs[source] as string;
    if (!context.find(sources[source], id)) {
      fail(source === "vpcId" ? "InvalidVpcID.NotFound" : "InvalidParameter", `${id} does not exist`);
    }
    const destination = (inputs["logDestination"] as string | undefined)?.replace(/:\*$/, "");
    const prefix = context.arn("logs", "log-group:");
    if (!destination?.startsWith(prefix)) {
      fail(
        "InvalidParameter",
        `LogDestination must be the ARN of a log group in ${context.region} (${prefix}NAME)`,
      );
    }
    if (!context.find(names.logGroup, destination.slice(prefix.length))) {
      fail(
        "InvalidParameter",
        `LogDestination: the log group ${destination.slice(prefix.length)} does not exist`,
      );
    }
    const roleArn = inputs["iamRoleArn"] as string | undefined;
    if (!roleArn) {
      fail(
        "InvalidParameter",
        "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
      );
    }
    const role = roleByArn(context, roleArn);
    if (!role || !trusts(role.attributes["assumeRolePolicy"] as string, "vpc-flow-logs.amazonaws.com")) {
      fail(
        "InvalidParameter",
        `DeliverLogsPermissionArn: the flow logs service cannot assume ${roleArn} (it must exist and trust vpc-flow-logs.amazonaws.com)`,
      );
    }
    const twin = context
      .list(names.flowLog)
      .some(
        ({ attributes: a }) =>
          a[source] === id &&
          a["logDestination"] === inputs["logDestination"] &&
          a["trafficType"] === inputs["trafficType"],
      );
    if (twin) {
      fail(
        "FlowLogAlreadyExists",
        "There is an existing Flow Log with the same configuration and log destination.",
      );
    }
    const flow = context.id("fl");
    return {
      id: flow,
      attributes: {
        arn: context.arn("ec2", `vpc-flow-log/${flow}`),
        logFormat:
          inputs["logFormat"] ??
          "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}",
      },
    };
  },
};

function roleByArn(context: Context, roleArn: string) {
  const name = new RegExp(`^arn:[\\w-]+:iam::${accountNumber}:role/(?:.*/)?([^/]+)$`).exec(roleArn)?.[1];
  const role = name === undefined ? undefined : context.findGlobal(names.role, name);
  return role?.attributes["arn"] === roleArn ? role : undefined;
}
