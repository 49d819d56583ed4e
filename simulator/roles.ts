import { accountNumber, type StoredResource } from "./storedResource";
import { objectCalls, policiesOfBucket, type Demand, type ObjectCalls } from "./bucketAccess";
import type { Cloud } from "./cloud";
import { Context } from "./context";
import { fail } from "./errors";
import type { InstanceHealth, TargetHealth } from "./health";
import { evaluate, type AccessRequest } from "./policy";
import { seedTypes } from "./seeds";
import * as names from "./services/names";
import { checkParameterValue, publicParameter } from "./services/parameters";
import { listenersOf, registrationsOf, requireTargetGroup } from "./services/targetGroups";
import { trusts } from "./services/policyDocuments";
import { findKey } from "./services/volumes";
import type { Props } from "./values";

/** What a program on an instance can do with its role's credentials. Refusals are `AwsError`s in AWS's words. */
export interface RoleSession extends ObjectCalls {
  getParameter(name: string, options?: { withDecryption?: boolean }): ParameterValue;
  /** A secret of Secrets Manager, by its ARN. */
  getSecretValue(arn: string): string;
  /** `GetParameters` without decryption: those that exist; all of them must be allowed. */
  getParameters(wanted: string[]): ParameterValue[];
  putParameter(name: string, value: string, options?: { overwrite?: boolean }): { version: number };
  describeInstanceHealth(
    loadBalancer: string,
    instances?: string[],
  ): (InstanceHealth & { instanceId: string })[];
  describeTargetHealth(targetGroup: string, instance: string): TargetHealth;
  putMetricData(namespace: string, name: string, dimensions: Record<string, string>, value: number): void;
}

export interface ParameterValue {
  name: string;
  type: string;
  value: string;
  version: number;
}

/** The credentials that the metadata service would give to programs on an instance. */
export function asRole(cloud: Cloud, instance: StoredResource): RoleSession {
  const context = new Context(cloud.account, instance.region, {}, cloud.surroundings);
  const require = (
    action: string,
    resource: string,
    { code = "AccessDeniedException", keys = {}, bucket }: Demand = {},
  ) => {
    const current = roleOf(context, context.find(names.instance, instance.id) ?? instance);
    const request: AccessRequest = {
      action,
      resource,
      context: {
        "aws:requestedregion": context.region,
        "aws:principalaccount": accountNumber,
        "aws:securetransport": "true",
        ...keys,
      },
    };
    const identity = evaluate(policiesOf(context, current), request);
    const byResource = evaluate(bucket ? policiesOfBucket(context, bucket, current) : [], request);
    if (identity === "explicitly denied" || byResource === "explicitly denied") {
      const where = identity === "explicitly denied" ? "an identity-based" : "a resource-based";
      refuse(code, current, request, `with an explicit deny in ${where} policy`);
    }
    if (identity !== "allowed" && byResource !== "allowed") {
      refuse(code, current, request, `because no identity-based policy allows the ${action} action`);
    }
  };
  const refuse = (code: string, by: StoredResource, { action, resource }: AccessRequest, because: string) => {
    const who = `arn:${context.partition}:sts::${accountNumber}:assumed-role/${by.id}/${instance.id}`;
    fail(code, `User: ${who} is not authorized to perform: ${action} on resource: ${resource} ${because}`);
  };
  return {
    ...objectCalls(context, require),
    getParameter(name, { withDecryption = false } = {}) {
      require("ssm:GetParameter", parameterArn(context, name));
      const stored = context.find(names.parameter, name)?.attributes;
      const found =
        stored ??
        publicParameter(context, name, context.list(seedTypes.image)) ??
        fail(
          "ParameterNotFound",
          `An error occurred (ParameterNotFound) when calling the GetParameter operation: ${name}`,
        );
      const secure = found["type"] === "SecureString";
      if (secure && withDecryption && found["keyId"] !== "alias/aws/ssm") {
        const key = findKey(context, found["keyId"] as string);
        // Systems Manager user guide, "AWS KMS encryption for SecureString parameters": the encryption context.
        const keys = { "kms:encryptioncontext:parameter_arn": parameterArn(context, name) };
        require("kms:Decrypt", key?.id ?? (found["keyId"] as string), { keys });
      }
      return parameterValue(name, found, withDecryption);
    },
    getSecretValue(arn) {
      require("secretsmanager:GetSecretValue", arn);
      const { attributes } =
        context.find(seedTypes.secret, arn) ??
        fail("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
      // Secrets Manager user guide, "Secret encryption and decryption": the encryption context. AWS's own key needs no permission.
      const keys = { "kms:encryptioncontext:secretarn": arn };
      if (attributes["keyId"] !== "") require("kms:Decrypt", attributes["keyId"] as string, { keys });
      return attributes["value"] as string;
    },
    getParameters(wanted) {
      wanted.forEach((name) => require("ssm:GetParameters", parameterArn(context, name)));
      return wanted.flatMap((name) => {
        const stored = context.find(names.parameter, name)?.attributes;
        return stored ? [parameterValue(name, stored, false)] : [];
      });
    },
    putParameter(name, value, { overwrite = false } = {}) {
      require("ssm:PutParameter", parameterArn(context, name));
      const parameter = context.find(names.parameter, name);
      if (!parameter) {
        return fail(
          "ParameterNotFound",
          `the simulated region lets a machine change parameters, not create them: ${name}`,
        );
      }
      if (!overwrite) {
        fail(
          "ParameterAlreadyExists",
          "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        );
      }
      checkParameterValue(parameter.attributes, value);
      const version = (parameter.attributes["version"] as number) + 1;
      const secure = parameter.attributes["type"] === "SecureString";
      context.account.update(parameter, { value, insecureValue: secure ? "" : value, version });
      return { version };
    },
    describeInstanceHealth(loadBalancer, instances) {
      // Has no resource-level permissions: only a policy on "*" allows it.
      require("elasticloadbalancing:DescribeInstanceHealth", "*", { code: "AccessDenied" });
      const balancer =
        context.find(names.loadBalancer, loadBalancer) ??
        fail("LoadBalancerNotFound", `There is no ACTIVE Load Balancer named '${loadBalancer}'`);
      const registered = new Set(
        context
          .list(names.loadBalancerAttachment)
          .filter((a) => a.attributes["elb"] === balancer.id)
          .map((a) => a.attributes["instance"] as string),
      );
      return (instances ?? [...registered]).map((instanceId) => ({
        instanceId,
        ...(registered.has(instanceId)
          ? cloud.health.get(context.region, balancer.id, instanceId)
          : fail(
              "InvalidInstance",
              `Instance ${instanceId} is not currently registered with the LoadBalancer`,
            )),
      }));
    },
    describeTargetHealth(targetGroup, instanceId) {
      // Neither has this one (Service Authorization Reference, Elastic Load Balancing V2).
      require("elasticloadbalancing:DescribeTargetHealth", "*", { code: "AccessDenied" });
      requireTargetGroup(context, targetGroup);
      const health = cloud.targetHealth.get(context.region, targetGroup, instanceId);
      const isRegistered = registrationsOf(context, targetGroup).some(
        ({ attributes }) => attributes["targetId"] === instanceId,
      );
      if (!isRegistered && health.state !== "draining") {
        return {
          state: "unused",
          reason: "Target.NotRegistered",
          description: "Target is not registered to the target group",
        };
      }
      if (isRegistered && listenersOf(context, targetGroup).length === 0) {
        return {
          state: "unused",
          reason: "Target.NotInUse",
          description: "Target group is not configured to receive traffic from the load balancer",
        };
      }
      return health;
    },
    putMetricData(namespace, name, dimensions, value) {
      const keys = { "cloudwatch:namespace": namespace };
      require("cloudwatch:PutMetricData", "*", { code: "AccessDenied", keys });
      cloud.metrics.put(context.region, `${namespace} ${name}`, dimensions, {
        value,
        at: context.account.now(),
      });
    },
  };
}

/** As the API shows it: what is secret stays encrypted where nobody asked for more. */
function parameterValue(name: string, stored: Props, isDecrypted: boolean): ParameterValue {
  const type = stored["type"] as string;
  const value = type === "SecureString" && !isDecrypted ? "AQICAHencrypted" : (stored["value"] as string);
  return { name, type, value, version: stored["version"] as number };
}

function parameterArn(context: Context, name: string): string {
  const account = name.startsWith("/aws/service/") ? "" : accountNumber;
  return `arn:${context.partition}:ssm:${context.region}:${account}:parameter${name.startsWith("/") ? "" : "/"}${name}`;
}

function roleOf(context: Context, instance: StoredResource): StoredResource {
  const noCredentials = (why: string) => fail("NoCredentials", `Unable to locate credentials: ${why}`);
  const profileName = instance.attributes["iamInstanceProfile"] as string;
  const profile = profileName === "" ? undefined : context.findGlobal(names.instanceProfile, profileName);
  if (!profile) {
    return noCredentials(`instance ${instance.id} has no instance profile`);
  }
  const role = context.findGlobal(names.role, (profile.attributes["role"] as string | undefined) ?? "");
  if (!role) {
    return noCredentials(`instance profile ${profile.id} has no role`);
  }
  if (!trusts(role.attributes["assumeRolePolicy"] as string, "ec2.amazonaws.com")) {
    return noCredentials(`role ${role.id} does not trust ec2.amazonaws.com`);
  }
  return role;
}

function policiesOf(context: Context, role: StoredResource): string[] {
  return context.account
    .list(names.rolePolicy)
    .filter(({ attributes }) => attributes["role"] === role.id)
    .map(({ attributes }) => attributes["policy"] as string);
}
