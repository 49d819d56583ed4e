import { type Context } from "../context";
import { fail } from "../errors";
import { int, out, text, type ResourceType } from "../schema";
import { accountNumber } from "../storedResource";
import { trusts } from "./policyDocuments";
import * as names from "./names";
import { arn, matches, oneOf } from "./validators";
import { findKey } from "./volumes";
import { requireVpc } from "./vpc";

const retentions = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const logGroupType: ResourceType = {
  token: names.logGroup,
  title: "CloudWatch Logs Log Group",
  tagged: true,
  autoName: { maxLength: 512 },
  properties: {
    kmsKeyId: text({ check: arn }),
    name: text({
      computed: true,
      forceNew: true,
      check: matches(
        /^[.\-_/#A-Za-z0-9]{1,512}$/,
        "a log group's name has 1 to 512 characters of a-zA-Z0-9_-/.#",
      ),
    }),
    retentionInDays: int({ default: 0, check: oneOf(...retentions) }),
    arn: out(),
  },
  create(context, inputs) {
    const name = inputs["name"] as string;
    if (context.find(names.logGroup, name)) {
      fail("ResourceAlreadyExistsException", `The specified log group already exists: ${name}`);
    }
    checkLogKey(context, inputs["kmsKeyId"] as string | undefined);
    return {
      id: name,
      attributes: {
        name,
        arn: context.arn("logs", `log-group:${name}`),
      },
    };
  },
  update(context, _group, inputs, changed) {
    if (changed.has("kmsKeyId")) {
      checkLogKey(context, inputs["kmsKeyId"] as string | undefined);
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

export const flowLogType: ResourceType = {
  token: names.flowLog,
  title: "Flow Log",
  tagged: true,
  properties: {
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
    trafficType: text({ forceNew: true, check: oneOf("ACCEPT", "REJECT", "ALL") }),
    arn: out(),
  },
  validate(_inputs, problems, given) {
    for (const required of ["vpcId", "trafficType"]) {
      if (!given.has(required)) {
        problems.add("", `Missing required property '${required}'`);
      }
    }
  },
  create(context, inputs) {
    const id = inputs["vpcId"] as string;
    requireVpc(context, id);
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
          a["vpcId"] === id &&
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
      },
    };
  },
};

function roleByArn(context: Context, roleArn: string) {
  const name = new RegExp(`^arn:[\\w-]+:iam::${accountNumber}:role/(?:.*/)?([^/]+)$`).exec(roleArn)?.[1];
  const role = name === undefined ? undefined : context.findGlobal(names.role, name);
  return role?.attributes["arn"] === roleArn ? role : undefined;
}
