/** What each service refuses about tags. */
import { fail } from "../errors";

/** IAM API reference, Tag; S3, SSM, Elastic Load Balancing, ACM and CloudWatch Logs document the same set. */
const plain = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

interface TagRules {
  /** Characters of keys and values; EC2, SNS, CloudWatch and DLM take any. */
  characters?: RegExp;
  longestKey: number;
  most: number;
  /** Two keys that differ by case alone are one. */
  ignoresCase?: boolean;
  code: { invalid: string; tooMany: string };
}

const common = {
  longestKey: 128,
  most: 50,
  code: { invalid: "ValidationException", tooMany: "TooManyTagsException" },
};
/** EC2 API reference, Tag: 127 characters. */
const ec2: TagRules = {
  longestKey: 127,
  most: 50,
  code: { invalid: "InvalidParameterValue", tooMany: "TagLimitExceeded" },
};

/** By the first part of a type's token. */
const rules: Record<string, TagRules> = {
  "aws:ec2": ec2,
  "aws:ebs": ec2,
  "aws:vpc": ec2,
  "aws:iam": {
    ...common,
    characters: plain,
    // IAM user guide, "Tags for AWS Identity and Access Management resources": keys are not case-sensitive.
    ignoresCase: true,
    code: { invalid: "InvalidInput", tooMany: "LimitExceeded" },
  },
  "aws:s3": { ...common, characters: plain, code: { invalid: "InvalidTag", tooMany: "BadRequest" } },
  "aws:elb": { ...common, characters: plain, code: { invalid: "ValidationError", tooMany: "TooManyTags" } },
  "aws:lb": { ...common, characters: plain, code: { invalid: "ValidationError", tooMany: "TooManyTags" } },
  "aws:ssm": { ...common, characters: plain },
  "aws:acm": { ...common, characters: plain },
  "aws:cloudwatch/logGroup": { ...common, characters: plain },
  // Amazon Data Lifecycle Manager API reference, CreateLifecyclePolicy, Tags.
  "aws:dlm": { ...common, most: 45, code: { ...common.code, invalid: "InvalidRequestException" } },
};

const longestValue = 256;

function rulesOf(token: string): TagRules {
  const [, found] = Object.entries(rules).find(([start]) => token.startsWith(start)) ?? [];
  return found ?? common;
}

/** Refuses the tags of a resource, the provider's default tags among them, as its service does. */
export function checkTags(token: string, tags: Record<string, unknown>): void {
  const { characters, longestKey, most, ignoresCase, code } = rulesOf(token);
  const length = (text: string) => [...text].length;
  for (const [key, value] of Object.entries(tags)) {
    const content = String(value);
    if (/^aws:/i.test(key)) {
      fail(code.invalid, `Tag keys starting with 'aws:' are reserved for internal use: ${key}`);
    }
    if (length(key) < 1 || length(key) > longestKey) {
      fail(
        code.invalid,
        `a tag's key has 1 to ${longestKey} characters, ${JSON.stringify(key)} has ${length(key)}`,
      );
    }
    if (length(content) > longestValue) {
      fail(
        code.invalid,
        `a tag's value has ${longestValue} characters at most, that of ${key} has ${length(content)}`,
      );
    }
    const bad = [key, content].find((text) => characters?.test(text) === false);
    if (bad !== undefined) {
      fail(
        code.invalid,
        `Value ${JSON.stringify(bad)} of a tag failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*`,
      );
    }
  }
  const keys = Object.keys(tags);
  if (ignoresCase && new Set(keys.map((key) => key.toLowerCase())).size < keys.length) {
    fail(code.invalid, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  if (keys.length > most) {
    fail(code.tooMany, `a resource has at most ${most} tags, got ${keys.length}`);
  }
}
