import { accountNumber } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { json, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import * as names from "./names";
import { matches } from "./validators";
import { findKey } from "./volumes";

export const topicType: ResourceType = {
  token: names.topic,
  title: "SNS Topic",
  tagged: true,
  autoName: { maxLength: 256 },
  properties: {
    kmsMasterKeyId: text(),
    name: text({
      computed: true,
      forceNew: true,
      check: matches(/^[A-Za-z0-9_-]{1,256}$/, "a topic's name has 1 to 256 characters of A-Za-z0-9_-"),
    }),
    policy: json({ computed: true }),
    arn: out(),
    beginningArchiveTime: out(),
    owner: out(),
  },
  create(context, inputs) {
    const name = inputs["name"] as string;
    const arn = context.arn("sns", name);
    if (context.find(names.topic, arn)) {
      fail("InvalidParameter", `Invalid parameter: Topic already exists with different tags: ${name}`);
    }
    checkTopicKey(context, inputs);
    return {
      id: arn,
      attributes: {
        name,
        arn,
        beginningArchiveTime: "",
        owner: accountNumber,
        policy: inputs["policy"] ?? ownersPolicy(arn),
      },
    };
  },
  update(context, _topic, inputs) {
    checkTopicKey(context, inputs);
  },
};

function checkTopicKey(context: Context, inputs: Props): void {
  const key = inputs["kmsMasterKeyId"] as string | undefined;
  if (key && key !== "alias/aws/sns" && !findKey(context, key)) {
    fail("KMSNotFound", `The key ${key} is not found in ${context.region}`);
  }
}

/** A new topic's policy: its own account, CloudWatch's alarms there included, may do everything. */
function ownersPolicy(arn: string): string {
  return JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [
          "SNS:GetTopicAttributes",
          "SNS:SetTopicAttributes",
          "SNS:AddPermission",
          "SNS:RemovePermission",
          "SNS:DeleteTopic",
          "SNS:Subscribe",
          "SNS:ListSubscriptionsByTopic",
          "SNS:Publish",
        ],
        Resource: arn,
        Condition: { StringEquals: { "AWS:SourceOwner": accountNumber } },
      },
    ],
  });
}
