import { arnProblems } from "./problems";

/** What is wrong with a customer managed key's ARN. EBS takes nothing but the whole ARN of the key itself. */
export function kmsKeyProblems(arn: string | undefined, region?: string): string[] {
  return arnProblems("kmsKeyId", arn, {
    pattern: /^arn:aws[\w-]*:kms:(?<region>[a-z0-9-]+):\d{12}:key\/[\w-]+$/,
    example: "arn:aws:kms:<region>:<account>:key/<key id>",
    region,
  });
}
