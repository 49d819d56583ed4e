import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { json, out, text, type ResourceType } from "../schema";
import * as names from "./names";
import { checkIdentityPolicy, checkTrustPolicy } from "./policyDocuments";
import { matches, maxLength } from "./validators";

const nameCharacters = /^[\w+=,.@-]*$/;
const nameCheck = (max: number) => (value: string) =>
  maxLength(max)(value) ??
  matches(nameCharacters, "a name consists of letters, digits and any of _+=,.@-")(value);
const pathCheck = matches(/^\/$|^\/[\x21-\x7e]+\/$/, 'a path begins and ends with "/"');

export const roleType: ResourceType = {
  token: names.role,
  title: "IAM Role",
  global: true,
  tagged: true,
  autoName: { maxLength: 64 },
  properties: {
    assumeRolePolicy: json({ required: true }),
    description: text({ check: maxLength(1000) }),
    name: text({ computed: true, forceNew: true, check: nameCheck(64) }),
    path: text({ default: "/", forceNew: true, check: pathCheck }),
    arn: out(),
    createDate: out(),
    uniqueId: out(),
    inlinePolicies: out("list"),
    managedPolicyArns: out("list"),
  },
  create(context, inputs) {
    checkTrustPolicy(inputs["assumeRolePolicy"] as string);
    const name = inputs["name"] as string;
    if (context.list(names.role).some((r) => r.id.toLowerCase() === name.toLowerCase())) {
      fail("EntityAlreadyExists", `Role with name ${name} already exists.`);
    }
    return {
      id: name,
      attributes: {
        name,
        arn: context.globalArn("iam", `role${inputs["path"] as string}${name}`),
        createDate: context.timestamp(),
        uniqueId: `AROA${context.account.hex(17).toUpperCase()}`,
      },
    };
  },
  update(_context, _role, inputs, changed) {
    if (changed.has("assumeRolePolicy")) {
      checkTrustPolicy(inputs["assumeRolePolicy"] as string);
    }
  },
  view: (context, role) => ({
    managedPolicyArns: [],
    inlinePolicies: inlinePolicies(context, role.id).map((p) => ({
      name: p.attributes["name"]!,
      policy: p.attributes["policy"]!,
    })),
  }),
  delete(context, role) {
    // The provider takes a role out of its instance profiles by itself; no policies.
    if (inlinePolicies(context, role.id).length > 0) {
      fail("DeleteConflict", "Cannot delete entity, must delete policies first.");
    }
    for (const profile of context.list(names.instanceProfile)) {
      if (profile.attributes["role"] === role.id) {
        context.account.update(profile, { role: "" });
      }
    }
  },
};

function inlinePolicies(context: Context, role: string): StoredResource[] {
  return context.list(names.rolePolicy).filter((p) => p.attributes["role"] === role);
}

function requireRole(context: Context, name: string): StoredResource {
  return (
    context.find(names.role, name) ?? fail("NoSuchEntity", `The role with name ${name} cannot be found.`)
  );
}

export const rolePolicyType: ResourceType = {
  token: names.rolePolicy,
  title: "IAM Role Policy",
  global: true,
  autoName: { maxLength: 128 },
  properties: {
    name: text({ computed: true, forceNew: true, check: nameCheck(128) }),
    policy: json({ required: true }),
    role: text({ required: true, forceNew: true }),
  },
  create(context, inputs) {
    const role = requireRole(context, inputs["role"] as string);
    checkIdentityPolicy(inputs["policy"] as string);
    const name = inputs["name"] as string;
    checkInlineSize(context, role.id, inputs["policy"] as string, name);
    return {
      id: `${role.id}:${name}`,
      attributes: { name },
    };
  },
  update(context, policy, inputs) {
    checkIdentityPolicy(inputs["policy"] as string);
    const { role, name } = policy.attributes as Record<string, string>;
    checkInlineSize(context, role!, inputs["policy"] as string, name!);
  },
};

/** 10,240 characters for all inline policies of a role, white space not counted. */
function checkInlineSize(context: Context, role: string, policy: string, name: string): void {
  const others = inlinePolicies(context, role)
    .filter((p) => p.attributes["name"] !== name)
    .map((p) => p.attributes["policy"] as string);
  const size = [...others, policy].reduce((sum, text) => sum + text.replace(/\s/g, "").length, 0);
  if (size > 10240) {
    fail("LimitExceeded", `Maximum policy size of 10240 bytes exceeded for role ${role}`);
  }
}

export const instanceProfileType: ResourceType = {
  token: names.instanceProfile,
  title: "IAM Instance Profile",
  global: true,
  tagged: true,
  autoName: { maxLength: 128 },
  properties: {
    name: text({ computed: true, forceNew: true, check: nameCheck(128) }),
    path: text({ default: "/", forceNew: true, check: pathCheck }),
    role: text(),
    arn: out(),
    createDate: out(),
    uniqueId: out(),
  },
  create(context, inputs) {
    const name = inputs["name"] as string;
    if (context.list(names.instanceProfile).some((p) => p.id.toLowerCase() === name.toLowerCase())) {
      fail("EntityAlreadyExists", `Instance Profile ${name} already exists.`);
    }
    if (inputs["role"]) {
      requireRole(context, inputs["role"] as string);
    }
    return {
      id: name,
      attributes: {
        name,
        arn: context.globalArn("iam", `instance-profile${inputs["path"] as string}${name}`),
        createDate: context.timestamp(),
        uniqueId: `AIPA${context.account.hex(17).toUpperCase()}`,
      },
    };
  },
  update(context, _profile, inputs, changed) {
    if (changed.has("role") && inputs["role"]) {
      requireRole(context, inputs["role"] as string);
    }
  },
};
