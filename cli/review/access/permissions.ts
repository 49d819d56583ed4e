/** What policies of AWS permit: roles, buckets, topics, keys. Compared permission by permission. */
import { isUnknown } from "../preview/engine";
import { types } from "../types";
import type { Existing, Side } from "../change/side";
import { byName, grouped, list, record, stable, text } from "../change/values";
import type { AccessChange } from "./safeguard";

/** One action on one resource, allowed or denied. `*` is a wildcard in both. */
interface Grant {
  effect: string;
  action: string;
  resource: string;
  /** Who, in a policy of a resource; empty in one of a role. */
  principal: string;
  condition: string;
}

/** All that is granted to, or on, one thing. */
interface Grants {
  name: string;
  all: Grant[];
  /** Policies that are not known before the update. */
  unknown: string[];
}

export function permissionChanges(before: Side, after: Side): AccessChange[] {
  const [old, next] = [grantsBy(before, movedPaths(before, after)), grantsBy(after)];
  return [...next.keys(), ...[...old.keys()].filter((key) => !next.has(key))].flatMap((key) => {
    const existed = before.get(key) !== undefined || (!after.get(key) && before.resources.length > 0);
    const stays = after.get(key) !== undefined || !before.get(key);
    if (!existed || !stays) return [];
    return changesOf(old.get(key), next.get(key));
  });
}

/**
 * Where the stack's own parameters were, and where they are after a rename: who may read the one may read the other.
 */
function movedPaths(before: Side, after: Side): [string, string][] {
  return before.ofType(types.parameter).flatMap(({ key, inputs }): [string, string][] => {
    const [was, is] = [text(inputs.name), text(after.get(key)?.inputs.name)].map((name) => name?.split("/"));
    while (was && is && was.length > 0 && was.at(-1) === is.at(-1)) [was, is].forEach((path) => path.pop());
    return was?.length && is?.length ? [[`${was.join("/")}/`, `${is.join("/")}/`]] : [];
  });
}

function changesOf(old: Grants | undefined, next: Grants | undefined): AccessChange[] {
  const name = (next ?? old)!.name;
  const [was, is] = [old?.all ?? [], next?.all ?? []];
  const isBeyond = (grant: Grant, others: Grant[]) => !others.some((other) => covers(other, grant));
  const allowed = (grants: Grant[], effect: string) => grants.filter((grant) => grant.effect === effect);
  const more = allowed(is, "Allow").filter((grant) => isBeyond(grant, allowed(was, "Allow")));
  const less = allowed(was, "Allow").filter((grant) => isBeyond(grant, allowed(is, "Allow")));
  const freed = allowed(was, "Deny").filter((grant) => isBeyond(grant, allowed(is, "Deny")));
  const denied = allowed(is, "Deny").filter((grant) => isBeyond(grant, allowed(was, "Deny")));
  const unseen = (next?.unknown ?? []).filter((policy) => !old?.unknown.includes(policy));
  const change = (
    what: string,
    grants: string[],
    direction: AccessChange["direction"],
    before: string,
    after: string,
  ) =>
    grants.length === 0
      ? []
      : [
          {
            what: `${what}: ${grants.join("; ")}`,
            owners: [name],
            before,
            after,
            direction,
            affectsClients: false,
          },
        ];
  // What is not known yet may be what went: only the doubt is told.
  const gone = unseen.length > 0 ? [] : less;
  return [
    ...change("May", described(more), "weaker", "no", "yes"),
    ...change("Forbidden", described(freed), "weaker", "yes", unseen.length > 0 ? "not known yet" : "no"),
    ...change("A policy", unseen, "other", old ? "as it is" : "none", "not known before the update"),
    ...change("May", described(gone), "stronger", "yes", "no"),
    ...change("Forbidden", described(denied), "stronger", "no", "yes"),
  ];
}

/** One line for each action; which resources exactly is in the policy's diff. */
function described(grants: Grant[]): string[] {
  const actionOf = ({ principal, action }: Grant) =>
    `${principal === "" ? "" : `${principal}: `}\`${action}\``;
  return [...grouped(grants, actionOf)]
    .sort(([a], [b]) => byName(a, b))
    .map(([action, alike]) => {
      const [resource, ...others] = [...new Set(alike.map((grant) => grant.resource))].filter(Boolean);
      const on = !resource
        ? ""
        : others.length > 0
          ? ` on ${others.length + 1} resources`
          : ` on \`${resource}\``;
      const isBound = alike.every(({ condition }) => condition !== "");
      return `${action}${on}${isBound ? " under a condition" : ""}`;
    });
}

/** Whether one permission contains another; conditions and principals have to be the same. */
function covers(outer: Grant, inner: Grant): boolean {
  return (
    outer.effect === inner.effect &&
    (outer.principal === inner.principal || outer.principal === "*") &&
    (outer.condition === inner.condition || outer.condition === "") &&
    matches(outer.action.toLowerCase(), inner.action.toLowerCase()) &&
    matches(outer.resource, inner.resource)
  );
}

function matches(pattern: string, value: string): boolean {
  if (pattern === value) return true;
  if (!/[*?]/.test(pattern) || pattern.startsWith("not ") || value.startsWith("not ")) return false;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${source}$`, "s").test(value);
}

const documents = ["policy", "policyDocument", "assumeRolePolicy", "accessPolicy", "resourcePolicy"];
/** Where a policy is about another resource: the property that names it. */
const subjects = ["role", "user", "group", "bucket", "arn", "keyId", "queueUrl", "secretArn", "repository"];
const attached = ["policyArn", "managedPolicyArns", "permissionsBoundary"];

function grantsBy(side: Side, moved: [string, string][] = []): Map<string, Grants> {
  const found = new Map<string, Grants>();
  const where = (policy: string) => moved.reduce((so, [was, is]) => so.replaceAll(was, is), policy);
  const of = (resource: Existing): Grants => {
    const subject = subjectOf(side, resource);
    const grants = found.get(subject.key) ?? { name: subject.name, all: [], unknown: [] };
    found.set(subject.key, grants);
    return grants;
  };
  for (const resource of side.resources) {
    const { inputs } = resource;
    for (const property of documents) {
      const value = inputs[property];
      if (value === undefined || typeof value === "object") continue;
      // The policy of an IAM policy is granted where it is attached, and attached by its ARN.
      const statements = isUnknown(value) ? undefined : statementsOf(where(String(value)));
      if (isUnknown(value)) of(resource).unknown.push(resource.name);
      else if (statements) of(resource).all.push(...statements.flatMap(grantsIn));
    }
    for (const item of list(inputs.inlinePolicies).map(record)) {
      of(resource).all.push(...(statementsOf(where(text(item.policy) ?? "")) ?? []).flatMap(grantsIn));
    }
    if (!resource.type.startsWith("aws:iam/")) continue;
    for (const property of attached) {
      for (const arn of list(inputs[property])) {
        const effect = property === "permissionsBoundary" ? "Deny" : "Allow";
        const action = `${effect === "Deny" ? "what is outside of" : "what is in"} ${isUnknown(arn) ? resource.name : (text(arn) ?? "?")}`;
        of(resource).all.push({ effect, action, resource: "", principal: "", condition: "" });
      }
    }
  }
  return found;
}

function subjectOf(side: Side, resource: Existing): { key: string; name: string } {
  const others = [...new Set(side.resources.map(({ type }) => type))].filter(
    (type) => type !== resource.type,
  );
  for (const property of subjects) {
    if (resource.inputs[property] === undefined) continue;
    const target = side.target(resource, property, ...others);
    if (target) return { key: target.key, name: target.resource?.name ?? target.key };
  }
  return { key: resource.key, name: resource.name };
}

function statementsOf(policy: string): Record<string, unknown>[] | undefined {
  try {
    const { Statement: statements } = record(JSON.parse(policy));
    return statements === undefined ? undefined : list(statements).map(record);
  } catch {
    return undefined;
  }
}

function grantsIn(statement: Record<string, unknown>): Grant[] {
  const either = (property: string): string[] => {
    const [said, excepted] = [statement[property], statement[`Not${property}`]];
    if (excepted !== undefined) return [`not ${list(excepted).map(text).join(", ")}`];
    return said === undefined ? [""] : list(said).map((value) => text(value) ?? stable(value));
  };
  const principals = (() => {
    const said = statement.Principal ?? statement.NotPrincipal;
    if (said === undefined) return [""];
    if (typeof said === "string") return [said];
    const prefix = statement.NotPrincipal === undefined ? "" : "not ";
    return Object.values(record(said)).flatMap((value) => list(value).map((item) => prefix + text(item)));
  })();
  const condition = statement.Condition === undefined ? "" : stable(statement.Condition);
  return either("Action").flatMap((action) =>
    either("Resource").flatMap((resource) =>
      principals.map((principal) => ({
        effect: text(statement.Effect) ?? "",
        ...{ action, resource, principal, condition },
      })),
    ),
  );
}
