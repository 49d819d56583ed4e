/** What EmqxBackup can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import { parameterPrefix, roleName } from "../shared/awsNames";
import { checked, problemsOf, wholeNumber, type Resolved, type Shapes } from "../shared/inputs";
import { kmsKeyInput } from "../shared/kmsKey";
import { nameProblems } from "../shared/names";
import { tagsInput } from "../shared/tags";
import { choiceProblems } from "../shared/words";

/** How often and how long, in a deployment and by itself. */
export interface EmqxBackupOptionsArgs {
  /** Hours between two exports of EMQX's data: 1, 2, 3, 4, 6, 8, 12 or 24. Default: 6. */
  intervalHours?: number;
  /** Days that exports and snapshots are kept, 1 to 3,650. Default: 30. */
  retentionDays?: number;
}

export interface EmqxBackupArgs extends EmqxBackupOptionsArgs {
  /** Path of the cluster's SSM parameters, without a slash at the end: `parameterPrefix` of EmqxClusterNodes. */
  parameterPrefix: pulumi.Input<string>;
  /** Name of the nodes' IAM role: `roleName` of EmqxClusterNodes. */
  roleName: pulumi.Input<string>;
  /** ARN of the customer managed KMS key that encrypts the exports. Default: S3's own keys. */
  kmsKeyId?: pulumi.Input<string>;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/** Divisors of a day, so that exports come at the same times every day. */
const intervals = [1, 2, 3, 4, 6, 8, 12, 24];

export const backupIntervalInput = checked("number", (input, hours) =>
  choiceProblems(input, hours, intervals).map((problem) => `${problem}, the divisors of a day`),
);

export const backupOptions = {
  intervalHours: { ...backupIntervalInput, default: 6 },
  retentionDays: { ...wholeNumber(1, 3650, "days"), default: 30 },
} satisfies Shapes<EmqxBackupOptionsArgs>;

export const backupInputs = {
  parameterPrefix,
  roleName: { ...roleName, needed: "give roleName of EmqxClusterNodes" },
  ...backupOptions,
  kmsKeyId: kmsKeyInput,
  tags: tagsInput({ snapshots: true }),
} satisfies Shapes<EmqxBackupArgs>;

export type BackupSettings = Resolved<EmqxBackupArgs, typeof backupInputs>;

/** Everything that is wrong with the input, one line each. */
export function backupProblems(name: string, args: EmqxBackupArgs): string[] {
  return problemsOf<EmqxBackupArgs, typeof backupInputs>(backupInputs, args, {}, [
    () => backupNameProblems(name),
  ]);
}

/** The component's name begins the bucket's, so S3's rules hold for it (S3 user guide, "General purpose bucket naming rules"). */
export function backupNameProblems(name: unknown, part?: string): string[] {
  return nameProblems(
    name,
    {
      pattern: /^(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9-]*$/i,
      characters:
        "letters, digits and hyphens, a letter or digit first, and not xn--, sthree- or amzn-s3-demo-, which S3 keeps for itself",
      made: [
        { suffix: "-snapshots", of: "an IAM role", longest: 64 },
        { suffix: "", of: "an S3 bucket", longest: 63 },
      ],
    },
    part,
  );
}
