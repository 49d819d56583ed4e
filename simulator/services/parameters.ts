import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import { findKey } from "./volumes";
import * as names from "./names";
import { maxLength, oneOf } from "./validators";

export const parameterType: ResourceType = {
  token: names.parameter,
  title: "SSM Parameter",
  tagged: true,
  autoName: { maxLength: 2048 },
  properties: {
    arn: text({ computed: true }),
    description: text({ check: maxLength(1024) }),
    insecureValue: text({ computed: true }),
    keyId: text({ computed: true }),
    name: text({ computed: true, forceNew: true }),
    overwrite: bool(),
    tier: text({ computed: true, check: oneOf("Standard", "Advanced", "Intelligent-Tiering") }),
    type: text({ required: true, check: oneOf("String", "StringList", "SecureString") }),
    value: text({ computed: true, sensitive: true }),
    hasValueWo: out("boolean"),
    version: out("integer"),
  },
  validate(inputs, problems, given) {
    if (given.has("value") === given.has("insecureValue")) {
      problems.add("", 'exactly one of "value" and "insecureValue" is needed');
    }
    if (inputs["type"] === "SecureString" && given.has("insecureValue")) {
      problems.add("insecureValue", '"insecureValue" cannot be set with type "SecureString"; use "value"');
    }
  },
  redundant: () => ["insecureValue"],
  create(context, inputs) {
    const name = inputs["name"] as string;
    checkName(name);
    const existing = context.find(names.parameter, name);
    if (existing && inputs["overwrite"] !== true) {
      fail(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
      );
    }
    const value = (inputs["value"] ?? inputs["insecureValue"]) as string;
    checkParameterValue(inputs, value);
    return {
      id: name,
      attributes: {
        arn: context.arn("ssm", `parameter${name.startsWith("/") ? "" : "/"}${name}`),
        insecureValue: inputs["type"] === "SecureString" ? "" : value,
        value,
        keyId: keyOf(context, inputs),
        tier: inputs["tier"] === "Advanced" ? "Advanced" : "Standard",
        hasValueWo: false,
        version: existing ? (existing.attributes["version"] as number) + 1 : 1,
      },
    };
  },
  update(context, parameter, inputs, changed) {
    const written = [...changed].filter((p) => !["tags", "tagsAll", "overwrite"].includes(p));
    if (written.length === 0) {
      return undefined;
    }
    // The provider always puts the whole parameter, value included.
    const value = (inputs["value"] ?? inputs["insecureValue"]) as string;
    checkParameterValue(inputs, value);
    const tier = (inputs["tier"] ?? parameter.attributes["tier"]) as string;
    if (parameter.attributes["tier"] === "Advanced" && tier === "Standard") {
      fail(
        "ValidationException",
        "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier.",
      );
    }
    return {
      value,
      insecureValue: inputs["type"] === "SecureString" ? "" : value,
      keyId: keyOf(context, inputs),
      tier,
      version: (parameter.attributes["version"] as number) + 1,
    };
  },
  recomputed: (changed) => [
    "version",
    ...(changed.has("value") || changed.has("type") ? ["insecureValue"] : []),
  ],
};

function keyOf(context: Context, inputs: Props): string {
  if (inputs["type"] !== "SecureString") {
    return "";
  }
  const key = (inputs["keyId"] as string | undefined) ?? "alias/aws/ssm";
  if (key !== "alias/aws/ssm" && !findKey(context, key)) {
    fail("InvalidKeyId", `Alias or key ${key} is not found in ${context.region}`);
  }
  return key;
}

function checkName(name: string): void {
  const bad = (detail: string) => fail("ValidationException", detail);
  if (!/^[a-zA-Z0-9_.\-/]+$/.test(name)) {
    bad(
      `Parameter name: ${name}: only a mix of letters, numbers and the following 4 symbols .-/_ is allowed`,
    );
  }
  if (name.includes("/") && !name.startsWith("/")) {
    bad(`Parameter name must be a fully qualified name: ${name} must begin with "/"`);
  }
  if (/^\/?(aws|ssm)/i.test(name)) {
    bad(
      `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive), with or without a leading "/": ${name}`,
    );
  }
  if (name.endsWith("/") || name.includes("//")) {
    bad(`Parameter name: ${name} has an empty level`);
  }
  if (name.split("/").filter((part) => part !== "").length > 15) {
    fail(
      "HierarchyLevelLimitExceededException",
      `The parameter name ${name} has more than 15 levels; ValidationException: a hierarchy can have a maximum of 15 levels`,
    );
  }
  if (name.length > 1011) {
    bad(`Parameter name: at most 1011 characters, got ${name.length}`);
  }
}

/** Everything a PutParameter refuses about a value. */
export function checkParameterValue(parameter: Props, value: string): void {
  const bad = (detail: string) => fail("ValidationException", detail);
  if (value.length === 0) {
    bad(
      "Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
  }
  const advanced = parameter["tier"] === "Advanced";
  const limit = advanced ? 8192 : 4096;
  if (Buffer.byteLength(value) > limit) {
    bad(
      `${advanced ? "Advanced" : "Standard"} tier parameters support a maximum parameter value of ${limit} characters, got ${Buffer.byteLength(value)}.`,
    );
  }
}

/** What the AMI parameters of AWS answer: the newest image of that kind. */
export function publicParameter(context: Context, name: string, images: StoredResource[]): Props | undefined {
  const match =
    /^\/aws\/service\/ami-amazon-linux-latest\/al2023-ami-kernel-(?:default|[\d.]+)-(arm64|x86_64)$/.exec(
      name,
    );
  const newest = images
    .filter((image) => image.attributes["architecture"] === match?.[1])
    .sort((a, b) =>
      String(b.attributes["creationDate"]).localeCompare(String(a.attributes["creationDate"])),
    )[0];
  return match && newest
    ? {
        arn: `arn:${context.partition}:ssm:${context.region}::parameter${name}`,
        name,
        type: "String",
        value: newest.id,
        insecureValue: newest.id,
        version: images.length,
      }
    : undefined;
}
