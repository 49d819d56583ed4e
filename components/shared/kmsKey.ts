import { arn, arnPattern } from "./arn";
import { text } from "./inputs";

/** A customer managed key. EBS takes nothing but the whole ARN of the key itself. */
export const kmsKeyInput = text(
  arn([arnPattern("kms", "key/[\\w-]+")], "arn:aws:kms:<region>:<account>:key/<key id>"),
  { later: true, regional: true },
);
