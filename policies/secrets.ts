import type { Policies } from "@pulumi/policy";

const parameter = "aws:ssm/parameter:Parameter";
const instance = "aws:ec2/instance:Instance";

/** A cookie that is written down where a node's configuration is, in each of the ways that EMQX and Erlang take it. */
const literalCookie = [
  /^[^#\n]*\bnode\.cookie\s*[=:]\s*["']?[A-Za-z0-9]/m,
  /^[^#\n]*\bcookie\s*=\s*["']?[A-Za-z0-9]{6,}["']?\s*$/m,
  /\bEMQX_NODE__COOKIE=["']?[A-Za-z0-9]/,
  /-setcookie\s+["']?[A-Za-z0-9]/,
];

const bucket = "aws:s3/bucket:Bucket";
const publicAccessBlock = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
const publicAccess = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

export const secretPolicies: Policies = [
  {
    name: "buckets-are-private",
    description: "Buckets, which hold exports with password hashes, block every kind of public access.",
    validateStack: ({ resources }, report) => {
      const blocks = resources.filter(({ type }) => type === publicAccessBlock);
      for (const { urn, name } of resources.filter(({ type }) => type === bucket)) {
        const own = blocks.find(({ propertyDependencies }) =>
          propertyDependencies.bucket?.some((of) => of.urn === urn),
        );
        const open = publicAccess.filter((property) => own?.props[property] !== true);
        if (open.length > 0) {
          report(
            `bucket ${name} does not block public access. Set ${open.join(", ")} in an s3.BucketPublicAccessBlock.`,
            urn,
          );
        }
      }
    },
  },
  {
    name: "cookie-is-generated",
    description:
      "The Erlang cookie is made by a resource and kept as a SecureString, never written down in a program.",
    validateStack: ({ resources }, report) => {
      for (const { type, props, urn, name, propertyDependencies } of resources) {
        if (type !== parameter || !isCookie(props.name, name)) continue;
        if (props.type !== "SecureString") {
          report(
            `parameter ${name} keeps the Erlang cookie as ${String(props.type)}. Make it a SecureString.`,
            urn,
          );
        }
        const sources = [
          ...(propertyDependencies.value ?? []),
          ...(propertyDependencies.insecureValue ?? []),
        ];
        if (sources.length === 0) {
          report(
            `parameter ${name} holds an Erlang cookie that is written in the program. Whoever knows it can run code on the ` +
              `nodes. Make it with random.RandomPassword.`,
            urn,
          );
        }
      }
    },
  },
  {
    name: "cookie-not-in-user-data",
    description: "The Erlang cookie is not in user data, which anybody who may describe instances can read.",
    validateResource: ({ type, props, name }, report) => {
      if (type !== instance) return;
      const encoded = typeof props.userDataBase64 === "string" ? props.userDataBase64 : "";
      const userData = `${typeof props.userData === "string" ? props.userData : ""}\n${Buffer.from(encoded, "base64").toString()}`;
      if (literalCookie.some((pattern) => pattern.test(userData))) {
        report(
          `the user data of ${name} has an Erlang cookie in it. Let the node read it from an SSM parameter.`,
        );
      }
    },
  },
];

function isCookie(parameterName: unknown, resourceName: string): boolean {
  return typeof parameterName === "string"
    ? /(^|[/_-])cookie$/i.test(parameterName)
    : /-cookie$/i.test(resourceName);
}
