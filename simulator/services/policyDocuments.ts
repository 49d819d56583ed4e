import { fail } from "../errors";

/** IAM's own grammar checks, as far as a role's documents need them. */

export interface Statement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Principal?: unknown;
  NotPrincipal?: unknown;
  Condition?: Record<string, Record<string, string | string[] | boolean>>;
}

const statementFields = new Set([
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Principal",
  "NotPrincipal",
  "Condition",
]);

function malformed(detail: string): never {
  return fail("MalformedPolicyDocument", detail);
}

/** The statements of a policy, or MalformedPolicyDocument. */
export function statementsOf(document: string): Statement[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    malformed("Syntax errors in policy.");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    malformed("Syntax errors in policy.");
  }
  const policy = parsed as Record<string, unknown>;
  for (const key of Object.keys(policy)) {
    if (!["Version", "Id", "Statement"].includes(key)) {
      malformed(`Syntax error: unknown policy element "${key}".`);
    }
  }
  const version = policy["Version"];
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") {
    malformed("The policy must contain a valid version string");
  }
  const list = [policy["Statement"] ?? []].flat() as Statement[];
  if (list.length === 0) {
    malformed("Missing required field Statement");
  }
  const sids = new Set<string>();
  for (const statement of list) {
    checkStatement(statement);
    if (statement.Sid !== undefined && sids.has(statement.Sid)) {
      malformed(`Statement IDs (SID) in a single policy must be unique: ${statement.Sid}`);
    }
    if (statement.Sid !== undefined) {
      sids.add(statement.Sid);
    }
  }
  return list;
}

function checkStatement(statement: Statement): void {
  if (typeof statement !== "object" || statement === null) {
    malformed("Syntax errors in policy.");
  }
  for (const key of Object.keys(statement)) {
    if (!statementFields.has(key)) {
      malformed(`Syntax error: unknown statement element "${key}".`);
    }
  }
  if (statement.Effect !== "Allow" && statement.Effect !== "Deny") {
    malformed(`Missing or invalid required field Effect: ${JSON.stringify(statement.Effect)}`);
  }
  if (statement.Sid !== undefined && !/^[A-Za-z0-9]*$/.test(statement.Sid)) {
    malformed(
      `Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*: ${statement.Sid}`,
    );
  }
  const actions = textsOf(statement.Action ?? statement.NotAction);
  if (actions.length === 0) {
    malformed("Policy statement must contain actions.");
  }
  for (const action of actions) {
    if (action !== "*" && !/^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$/.test(action)) {
      malformed(`Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: ${action}`);
    }
  }
}

function textsOf(value: unknown): string[] {
  const list = value === undefined ? [] : [value].flat();
  if (!list.every((v) => typeof v === "string")) {
    malformed("Syntax errors in policy.");
  }
  return list;
}

/** A policy of a role: says what on which resources, never who. */
export function checkIdentityPolicy(document: string): void {
  for (const statement of statementsOf(document)) {
    if (statement.Principal !== undefined || statement.NotPrincipal !== undefined) {
      malformed("Policy document should not specify a principal.");
    }
    const resources = textsOf(statement.Resource ?? statement.NotResource);
    if (resources.length === 0) {
      malformed("Policy statement must contain resources.");
    }
    for (const resource of resources) {
      if (resource !== "*" && !/^arn:(aws[a-z-]*|\*):[^:]*:[^:]*:[^:]*:.+$/.test(resource)) {
        malformed(`Resource ${resource} must be in ARN format or "*".`);
      }
    }
  }
}

/** A role's trust policy: says who, never on what. */
export function checkTrustPolicy(document: string): void {
  for (const statement of statementsOf(document)) {
    if (statement.Resource !== undefined || statement.NotResource !== undefined) {
      malformed("Has prohibited field Resource");
    }
    const actions = textsOf(statement.Action);
    if (actions.some((a) => a !== "*" && !a.toLowerCase().startsWith("sts:"))) {
      malformed("AssumeRole policy may only specify STS AssumeRole actions.");
    }
    const { Principal: principal } = statement;
    if (principal === undefined || typeof principal !== "object" || principal === null) {
      if (principal !== "*") {
        malformed("Missing required field Principal");
      }
      continue;
    }
    for (const [kind, who] of Object.entries(principal)) {
      if (!["AWS", "Service", "Federated", "CanonicalUser"].includes(kind)) {
        malformed(`Invalid principal in policy: "${kind}"`);
      }
      for (const name of textsOf(who)) {
        const valid = kind !== "Service" || /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(name);
        if (!valid) {
          malformed(`Invalid principal in policy: "SERVICE":"${name}"`);
        }
      }
    }
  }
}

/** Whether a trust policy lets a service take the role. */
export function trusts(document: string, service: string): boolean {
  return statementsOf(document).some((statement) => {
    const services = textsOf((statement.Principal as { Service?: unknown } | undefined)?.Service);
    return statement.Effect === "Allow" && services.includes(service);
  });
}
