import type { Scope } from "./cloud";
import type { Problem } from "./errors";
import type { Seeds } from "./seeds";
import { isObject, isUnknown, type Props, type Value } from "./values";

/** Keys of the aws provider that mean nothing here (how to sign in, where endpoints are) and are fine. */
const awsKeys = [
  "accessKey",
  "allowedAccountIds",
  "assumeRoleWithWebIdentity",
  "assumeRoles",
  "customCaBundle",
  "defaultTags",
  "ec2MetadataServiceEndpoint",
  "ec2MetadataServiceEndpointMode",
  "endpoints",
  "forbiddenAccountIds",
  "httpProxy",
  "httpsProxy",
  "ignoreTags",
  "insecure",
  "maxRetries",
  "noProxy",
  "profile",
  "region",
  "retryMode",
  "s3UsEast1RegionalEndpoint",
  "s3UsePathStyle",
  "secretKey",
  "sharedConfigFiles",
  "sharedCredentialsFiles",
  "skipCredentialsValidation",
  "skipMetadataApiCheck",
  "skipRegionValidation",
  "skipRequestingAccountId",
  "stsRegion",
  "tagPolicyCompliance",
  "token",
  "tokenBucketRateLimiterCapacity",
  "useDualstackEndpoint",
  "useFipsEndpoint",
  "userAgents",
];

const keysByPackage: Record<string, string[]> = { aws: awsKeys, tls: ["proxy"], random: [] };
const always = ["version", "pluginDownloadURL", "__internal"];

/** What is wrong with a provider's configuration. */
export function checkProviderConfig(packageName: string, config: Props, seeds: Seeds): Problem[] {
  const known = [...(keysByPackage[packageName] ?? []), ...always];
  const problems: Problem[] = Object.keys(config)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      property: key,
      reason: `the ${packageName} provider has no configuration key "${key}"`,
    }));
  if (packageName !== "aws") {
    return problems;
  }
  const region = config["region"];
  if (region === undefined || region === "") {
    problems.push({
      property: "region",
      reason:
        "Missing region configuration: set one, e.g. `pulumi config set aws:region eu-west-1`, or give an explicit provider a region",
    });
  } else if (typeof region !== "string") {
    problems.push({ property: "region", reason: `"region" is a string, got ${JSON.stringify(region)}` });
  } else if (!isUnknown(region) && !seeds.hasRegion(region)) {
    problems.push({
      property: "region",
      reason: `Invalid AWS Region: ${region}; the simulated account has ${seeds.regionNames.join(", ")}`,
    });
  }
  return problems;
}

/** Top-level values of a provider's configuration travel as JSON text. */
export function parseConfig(config: Props): Props {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const structured = typeof value === "string" && /^\s*[[{]/.test(value);
      try {
        return [key, structured ? (JSON.parse(value) as Value) : value];
      } catch {
        return [key, value];
      }
    }),
  );
}

export function scopeOf(config: Props, fallback: string): Scope {
  const region = typeof config["region"] === "string" ? config["region"] : fallback;
  const defaults = config["defaultTags"];
  const tags = isObject(defaults) ? defaults["tags"] : undefined;
  return { region, ...(isObject(tags) ? { defaultTags: tags as Record<string, string> } : {}) };
}
