/** Amazon Resource Names that a user gives: `arn:<partition>:<service>:<region>:<account>:<resource>`. */
import type { Grammar, Where } from "./inputs";

/** An AWS region by name, for example `eu-west-1`, `us-gov-west-1`, `eusc-de-east-1`. */
export const regionName = "[a-z]{2,4}(?:-[a-z]+)+-\\d";

/**
 * The partition of a region (AWS General Reference, "AWS service endpoints"; aws-sdk-go-v2@v1.39.0
 * :internal/endpoints/awsrulesfn/partitions.json).
 */
export function partitionOf(region: string): string {
  const [, prefix] = /^(cn|us-gov|us-isob|us-iso|us-isof|eu-isoe|eusc)-/.exec(region) ?? [];
  const isolated: Record<string, string> = {
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "eu-isoe": "aws-iso-e",
    "us-isof": "aws-iso-f",
  };
  return prefix === undefined ? "aws" : (isolated[prefix] ?? `aws-${prefix}`);
}

/** An account that can exist: twelve digits. */
const account = "\\d{12}";
const partition = "aws(?:-[a-z]+)*";

/** The pattern of an ARN; `global` ones have no region. */
export function arnPattern(service: string, resource: string, global = false): string {
  const region = global ? "" : `(?<region>${regionName})`;
  return `arn:(?<partition>${partition}):${service}:${region}:${account}:${resource}`;
}

/** What is wrong with an ARN: its form, a partition that does not fit its region, or a place that is not the deployment's. */
export function arn(patterns: string[], example: string): Grammar {
  const forms = patterns.map((pattern) => new RegExp(`^${pattern}$`));
  return (value, where) => {
    const { groups } = forms.map((form) => form.exec(value)).find((match) => match !== null) ?? {};
    return groups === undefined ? `is not of the form ${example}` : placeProblem(groups, where);
  };
}

function placeProblem(groups: Record<string, string | undefined>, where: Where): string | undefined {
  const { partition: given, region } = groups;
  if (region !== undefined && where.region !== undefined && region !== where.region) {
    return `is in ${region}, but the deployment is in ${where.region}; use one of ${where.region}`;
  }
  const place = region ?? where.region;
  return place !== undefined && given !== partitionOf(place)
    ? `is of partition ${given}, but ${place} belongs to ${partitionOf(place)}; write arn:${partitionOf(place)}:…`
    : undefined;
}
