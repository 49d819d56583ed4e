/**
 * Resources of a program as a CloudFormation template, for a judge who does not know them from here: cfn-lint checks a
 * template against AWS's own resource specifications. The translation is mechanical: names in capitals, policies as
 * documents, a bucket's settings inside the bucket.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Registered } from "@emqx-aws/simulator";
import { toolEnvironment } from "./components/emqx/tools";

type Json = Record<string, unknown>;

interface CloudFormationResource {
  Type: string;
  Properties: Json;
}

/** What cfn-lint has to say about a template of these resources; nothing when it agrees. */
export function lintAsCloudFormation(resources: Registered[]): string {
  const folder = mkdtempSync(join(tmpdir(), "template-"));
  try {
    const template = join(folder, "template.json");
    writeFileSync(template, JSON.stringify(cloudFormationOf(resources), null, 2));
    const { stdout, stderr, error } = spawnSync("cfn-lint", ["--regions", "eu-west-1", "--", template], {
      encoding: "utf8",
      env: toolEnvironment,
    });
    if (error !== undefined) {
      throw error;
    }
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function cloudFormationOf(resources: Registered[]): Json {
  const made: Record<string, CloudFormationResource> = {};
  for (const { type, name, outputs = {}, inputs } of resources) {
    const kind = type.split(":").at(-1)!;
    const translate = translations[kind];
    if (translate === undefined) {
      throw new Error(`${kind} has no translation into CloudFormation`);
    }
    made[`${kind}${name.replace(/\W/g, "")}`] = translate(
      { ...automaticNames(outputs), ...inputs },
      resources,
    );
  }
  return { AWSTemplateFormatVersion: "2010-09-09", Resources: withoutSettings(made) };
}

const settings = "(setting of a bucket)";

/** Names that the program left to Pulumi. */
function automaticNames(outputs: Json): Json {
  return Object.fromEntries(
    ["name", "bucket"].flatMap((key) => (key in outputs ? [[key, outputs[key]]] : [])),
  );
}

function withoutSettings(
  made: Record<string, CloudFormationResource>,
): Record<string, CloudFormationResource> {
  return Object.fromEntries(Object.entries(made).filter(([, { Type }]) => Type !== settings));
}

const setting = () => ({ Type: settings, Properties: {} });

const translations: Record<string, (inputs: Json, all: Registered[]) => CloudFormationResource> = {
  Bucket: (inputs, all) => {
    const own = all.filter((other) => other.inputs["bucket"] === inputs["bucket"]);
    const find = (kind: string) => own.find(({ type }) => type.endsWith(`:${kind}`))?.inputs as Json;
    return {
      Type: "AWS::S3::Bucket",
      Properties: {
        BucketName: inputs["bucket"],
        Tags: tagList(inputs["tags"]),
        ...(capitals({
          versioningConfiguration: find("BucketVersioning")["versioningConfiguration"],
          ownershipControls: { rules: [find("BucketOwnershipControls")["rule"]] },
          publicAccessBlockConfiguration: without(find("BucketPublicAccessBlock"), "bucket"),
        }) as Json),
        BucketEncryption: {
          ServerSideEncryptionConfiguration: (
            find("BucketServerSideEncryptionConfiguration")["rules"] as Json[]
          ).map(({ applyServerSideEncryptionByDefault: byDefault, bucketKeyEnabled }) => ({
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: (byDefault as Json)["sseAlgorithm"],
              KMSMasterKeyID: (byDefault as Json)["kmsMasterKeyId"],
            },
            BucketKeyEnabled: bucketKeyEnabled,
          })),
        },
        LifecycleConfiguration: {
          Rules: (find("BucketLifecycleConfiguration")["rules"] as Json[]).map((rule) => ({
            ...(capitals(without(rule, "expiration", "filter")) as Json),
            ExpirationInDays: (rule["expiration"] as Json)["days"],
          })),
        },
      },
    };
  },
  BucketVersioning: setting,
  BucketOwnershipControls: setting,
  BucketPublicAccessBlock: setting,
  BucketServerSideEncryptionConfiguration: setting,
  BucketLifecycleConfiguration: setting,
  BucketPolicy: ({ bucket, policy }) => ({
    Type: "AWS::S3::BucketPolicy",
    Properties: { Bucket: bucket, PolicyDocument: JSON.parse(policy as string) as Json },
  }),
  Role: ({ name, description, assumeRolePolicy, tags }) => ({
    Type: "AWS::IAM::Role",
    Properties: {
      RoleName: name,
      Description: description,
      AssumeRolePolicyDocument: JSON.parse(assumeRolePolicy as string) as Json,
      Tags: tagList(tags),
    },
  }),
  RolePolicy: ({ name, role, policy }) => ({
    Type: "AWS::IAM::RolePolicy",
    Properties: {
      PolicyName: name,
      RoleName: role,
      PolicyDocument: JSON.parse(policy as string) as Json,
    },
  }),
  Parameter: ({ insecureValue, tags, ...rest }) => ({
    Type: "AWS::SSM::Parameter",
    Properties: { ...(capitals(rest) as Json), Value: insecureValue, Tags: tags },
  }),
  LifecyclePolicy: ({ policyDetails, tags, ...rest }) => {
    const { targetTags, schedules, ...details } = policyDetails as Json;
    return {
      Type: "AWS::DLM::LifecyclePolicy",
      Properties: {
        State: "ENABLED",
        ...(capitals(rest) as Json),
        PolicyDetails: {
          ...(capitals(details) as Json),
          TargetTags: tagList(targetTags),
          Schedules: (schedules as Json[]).map((schedule) => {
            const create = schedule["createRule"] as Json;
            return capitals({ ...schedule, createRule: { ...create, times: [create["times"]] } });
          }),
        },
        Tags: tagList(tags),
      },
    };
  },
};

/** The same with a capital at the beginning of every name. */
function capitals(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(capitals);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key[0]!.toUpperCase() + key.slice(1), capitals(inner)]),
  );
}

function without(value: Json, ...keys: string[]): Json {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

function tagList(tags: unknown): { Key: string; Value: unknown }[] {
  return Object.entries((tags ?? {}) as Json).map(([Key, Value]) => ({ Key, Value }));
}
