import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, json, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import { managedPolicy } from "./managedPolicies";
import * as names from "./names";
import { checkIdentityPolicy, checkTrustPolicy } from "./policyDocuments";
import { arn, between, matches, maxLength } from "./validators";

const nameCharacters = /^[\w+=,.@-]*$/;
const nameCheck = (max: number) => (value: string) =>
  maxLength(max)(value) ??
  matches(nameCharacters, "a name consists of letters, digits and any of _+=,.@-")(value);
const pathCheck = matches(/^\/$|^\/[\x21-\x7e]+\/$/, 'a path begins and ends with "/"');

/** A name or, where the program passed one, the tail of `namePrefix`. */
function nameFrom(context: Context, inputs: Props): string {
  return (inputs["name"] as string | undefined) ?? `${inputs["namePrefix"]}${context.account.digits(26)}`;
}

export const roleType: ResourceType = {
  token: names.role,
  title: "IAM Role",
  global: true,
  tagged: true,
  autoName: { maxLength: 64 },
  properties: {
    assumeRolePolicy: json({ required: true }),
    description: text({ check: maxLength(1000) }),
    forceDetachPolicies: bool({ default: false }),
    maxSessionDuration: int({ default: 3600, check: between(3600, 43200) }),
    name: text({ computed: true, forceNew: true, check: nameCheck(64) }),
    namePrefix: text({ computed: true, forceNew: true, check: nameCheck(38) }),
    path: text({ default: "/", forceNew: true, check: pathCheck }),
    permissionsBoundary: text({ check: arn }),
    arn: out(),
    createDate: out(),
    uniqueId: out(),
    inlinePolicies: out("list"),
    managedPolicyArns: out("list"),
  },
  notModelled: ["inlinePolicies", "managedPolicyArns"],
  create(context, inputs) {
    checkTrustPolicy(inputs["assumeRolePolicy"] as string);
    const name = nameFrom(context, inputs);
    if (context.list(names.role).some((r) => r.id.toLowerCase() === name.toLowerCase())) {
      fail("EntityAlreadyExists", `Role with name ${name} already exists.`);
    }
    return {
      id: name,
      attributes: {
        name,
        namePrefix: inputs["namePrefix"] ?? "",
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
    managedPolicyArns: attachedPolicies(context, role.id),
    inlinePolicies: inlinePolicies(context, role.id).map((p) => ({
      name: p.attributes["name"]!,
      policy: p.attributes["policy"]!,
    })),
  }),
  delete(context, role) {
    // The provider takes a role out of its instance profiles by itself; policies only when told to.
    const inline = inlinePolicies(context, role.id);
    const attached = context.list(names.rolePolicyAttachment).filter((a) => a.attributes["role"] === role.id);
    if (role.attributes["forceDetachPolicies"] === true) {
      [...inline, ...attached].forEach((policy) => context.account.delete(policy));
    } else if (attached.length > 0) {
      fail("DeleteConflict", "Cannot delete entity, must detach all policies first.");
    } else if (inline.length > 0) {
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

function attachedPolicies(context: Context, role: string): string[] {
  return context
    .list(names.rolePolicyAttachment)
    .filter((a) => a.attributes["role"] === role)
    .map((a) => a.attributes["policyArn"] as string);
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
    namePrefix: text({ computed: true, forceNew: true, check: nameCheck(102) }),
    policy: json({ required: true }),
    role: text({ required: true, forceNew: true }),
  },
  create(context, inputs) {
    const role = requireRole(context, inputs["role"] as string);
    checkIdentityPolicy(inputs["policy"] as string);
    const name = nameFrom(context, inputs);
    checkInlineSize(context, role.id, inputs["policy"] as string, name);
    return {
      id: `${role.id}:${name}`,
      attributes: { name, namePrefix: inputs["namePrefix"] ?? "" },
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

export const rolePolicyAttachmentType: ResourceType = {
  token: names.rolePolicyAttachment,
  title: "IAM Role Policy Attachment",
  global: true,
  properties: {
    policyArn: text({ required: true, forceNew: true, check: arn }),
    role: text({ required: true, forceNew: true }),
  },
  create(context, inputs) {
    const role = requireRole(context, inputs["role"] as string);
    const policyArn = inputs["policyArn"] as string;
    if (!managedPolicy(policyArn)) {
      fail("NoSuchEntity", `Policy ${policyArn} does not exist or is not attachable.`);
    }
    return { id: `${role.id}/${policyArn}` };
  },
};

export const instanceProfileType: ResourceType = {
  token: names.instanceProfile,
  title: "IAM Instance Profile",
  global: true,
  tagged: true,
  autoName: { maxLength: 128 },
  properties: {
    name: text({ computed: true, forceNew: true, check: nameCheck(128) }),
    namePrefix: text({ computed: true, forceNew: true, check: nameCheck(102) }),
    path: text({ default: "/", forceNew: true, check: pathCheck }),
    role: text(),
    arn: out(),
    createDate: out(),
    uniqueId: out(),
  },
  create(context, inputs) {
    const name = nameFrom(context, inputs);
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
        namePrefix: inputs["namePrefix"] ?? "",
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
