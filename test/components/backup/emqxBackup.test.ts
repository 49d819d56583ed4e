import * as pulumi from "@pulumi/pulumi";
import * as iam from "@pulumi/aws/iam";
import { EmqxBackup } from "../../../components/backup/emqxBackup";
import { type EmqxBackupArgs } from "../../../components/backup/settings";
import { inAws, namesByType, run, valueOf } from "../../support";
import { lintAsCloudFormation } from "../../cloudFormation";
import { testWith } from "../emqx/tools";

const prefix = "/emqx/project/stack/emqx-nodes";
const kmsKeyId = "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f";
type Changes = Partial<EmqxBackupArgs>;

function deploy(
  changes: Changes = {},
  made: (backup: EmqxBackup) => void = () => undefined,
  preview = false,
) {
  return run(
    () => {
      const role = new iam.Role("nodes", {
        name: "nodes",
        assumeRolePolicy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
          ],
        }),
      });
      made(new EmqxBackup("backup", { parameterPrefix: prefix, roleName: role.name, ...changes }));
    },
    { preview },
  );
}

interface Statement {
  Sid: string;
  Action: string | string[];
  Resource: string | string[];
  Condition?: object;
}
const statements = (policy: unknown) => {
  const { Statement } = JSON.parse(policy as string) as { Statement: Statement[] };
  return Object.fromEntries(Statement.map(({ Sid, ...rest }) => [Sid, rest]));
};

test("makes a bucket with its settings, permissions, a parameter and a snapshot policy", async () => {
  const outputs: Promise<string>[] = [];
  const mocks = await deploy({}, ({ bucketName, snapshotPolicyId }) =>
    outputs.push(valueOf(bucketName), valueOf(snapshotPolicyId)),
  );
  expect(namesByType(inAws(mocks))).toEqual({
    Bucket: ["backup"],
    BucketLifecycleConfiguration: ["backup-lifecycle"],
    BucketOwnershipControls: ["backup-ownership"],
    BucketPolicy: ["backup-policy"],
    BucketPublicAccessBlock: ["backup-public-access"],
    BucketServerSideEncryptionConfiguration: ["backup-encryption"],
    BucketVersioning: ["backup-versioning"],
    LifecyclePolicy: ["backup-snapshots"],
    Parameter: ["backup"],
    Role: ["backup-snapshots", "nodes"],
    RolePolicy: ["backup", "backup-snapshots"],
  });
  const bucket = mocks.named("backup", "aws:s3/bucket:Bucket");
  expect(bucket.inputs["forceDestroy"]).toBeUndefined();
  expect(await Promise.all(outputs)).toEqual([
    bucket.id,
    mocks.named("backup-snapshots", "aws:dlm/lifecyclePolicy:LifecyclePolicy").id,
  ]);
});

test("every child's name begins with the component's, and protection reaches all of them", async () => {
  const children: { name: string; opts: pulumi.CustomResourceOptions; resource: pulumi.Resource }[] = [];
  const record: pulumi.ResourceTransformation = ({ name, type, opts, resource }) => {
    if (type !== "emqx-aws:index:EmqxBackup") children.push({ name, opts, resource });
    return undefined;
  };
  await run(
    () =>
      new EmqxBackup(
        "backup",
        { parameterPrefix: prefix, roleName: "nodes" },
        { protect: true, transformations: [record] },
      ),
    { preview: true },
  );
  expect(children).toHaveLength(12);
  for (const { name, opts, resource } of children) {
    expect(name).toMatch(/^backup/);
    expect(opts.parent).toBeInstanceOf(EmqxBackup);
    // Inherited once transformations are over, so only the resource itself has it.
    expect((resource as unknown as { __protect?: boolean }).__protect).toBe(true);
  }
  // What belongs to the bucket goes with it, not before it.
  const settings = children.filter(({ opts }) => opts.deletedWith !== undefined).map(({ name }) => name);
  expect(settings.sort()).toEqual([
    "backup-encryption",
    "backup-lifecycle",
    "backup-ownership",
    "backup-policy",
    "backup-public-access",
    "backup-versioning",
  ]);
});

test("keeps exports private and encrypted, and expires all of them in time", async () => {
  const mocks = await deploy({ retentionDays: 14 });
  expect(mocks.named("backup-public-access").inputs).toMatchObject({
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });
  expect(mocks.named("backup-ownership").inputs).toMatchObject({
    rule: { objectOwnership: "BucketOwnerEnforced" },
  });
  expect(mocks.named("backup-versioning").inputs).toMatchObject({
    versioningConfiguration: { status: "Enabled" },
  });
  expect(mocks.named("backup-encryption").inputs).toMatchObject({
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
  });
  expect(mocks.named("backup-lifecycle").inputs["rules"]).toEqual([
    {
      id: "expire-exports",
      status: "Enabled",
      filter: {},
      expiration: { days: 14 },
      noncurrentVersionExpiration: { noncurrentDays: 14 },
      abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    },
  ]);
  const { id } = mocks.named("backup", "aws:s3/bucket:Bucket");
  expect(statements(mocks.named("backup-policy").inputs["policy"])).toEqual({
    RefusePlainHttp: {
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [`arn:aws:s3:::${id}`, `arn:aws:s3:::${id}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  });
});

test("lets nodes do what the operations do, there and nowhere else", async () => {
  const mocks = await deploy({ kmsKeyId });
  const { id } = mocks.named("backup", "aws:s3/bucket:Bucket");
  const policy = mocks.named("backup", "aws:iam/rolePolicy:RolePolicy");
  expect(policy.inputs["role"]).toBe("nodes");
  expect(statements(policy.inputs["policy"])).toEqual({
    ReadBackupPlan: {
      Effect: "Allow",
      Action: ["ssm:GetParameter", "ssm:GetParameters"],
      Resource: `arn:aws:ssm:eu-west-1:123456789012:parameter${prefix}/backup`,
    },
    StoreAndFetchExports: {
      Effect: "Allow",
      Action: ["s3:PutObject", "s3:GetObject"],
      Resource: `arn:aws:s3:::${id}/exports/*`,
    },
    ListExports: {
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: `arn:aws:s3:::${id}`,
      Condition: { StringEquals: { "s3:prefix": "exports/" } },
    },
    UseExportsKey: {
      Effect: "Allow",
      Action: ["kms:GenerateDataKey", "kms:Decrypt"],
      Resource: kmsKeyId,
    },
    WriteMetrics: {
      Effect: "Allow",
      Action: "cloudwatch:PutMetricData",
      Resource: "*",
      Condition: { StringEquals: { "cloudwatch:namespace": "EMQX" } },
    },
  });
  expect(mocks.named("backup-encryption").inputs).toMatchObject({
    rules: [
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: kmsKeyId },
        bucketKeyEnabled: true,
      },
    ],
  });
});

test("tells nodes where and when by a parameter that comes last", async () => {
  const mocks = await deploy({ intervalHours: 12 });
  const { id } = mocks.named("backup", "aws:s3/bucket:Bucket");
  const parameter = mocks.named("backup", "aws:ssm/parameter:Parameter");
  expect(parameter.inputs).toMatchObject({
    name: `${prefix}/backup`,
    type: "String",
    insecureValue: `BACKUP_BUCKET='${id}'\nBACKUP_PREFIX='exports/'\nBACKUP_CALENDAR='*-*-* 00/12:00:00 UTC'\n`,
  });
  const order = mocks.registered.map(({ name, type }) => `${type.split(":").at(-1)} ${name}`);
  const before = [
    "RolePolicy backup",
    "BucketPolicy backup-policy",
    "BucketServerSideEncryptionConfiguration backup-encryption",
  ];
  const place = order.indexOf("Parameter backup");
  for (const needed of before) {
    expect([needed, order.indexOf(needed) < place && order.includes(needed)]).toEqual([needed, true]);
  }
});

test("snapshots exactly this cluster's volumes once a day, for as long as exports are kept", async () => {
  const mocks = await deploy({ retentionDays: 90 });
  const { inputs } = mocks.named("backup-snapshots", "aws:dlm/lifecyclePolicy:LifecyclePolicy");
  expect(inputs["policyDetails"]).toMatchObject({
    resourceTypes: ["VOLUME"],
    targetTags: { "emqx:data": prefix },
    schedules: [
      {
        name: "daily",
        createRule: { interval: 24, intervalUnit: "HOURS", times: "03:00" },
        retainRule: { interval: 90, intervalUnit: "DAYS" },
        copyTags: true,
      },
    ],
  });
  const policy = statements(
    mocks.named("backup-snapshots", "aws:iam/rolePolicy:RolePolicy").inputs["policy"],
  );
  const ofThisCluster = { StringEquals: { "aws:ResourceTag/emqx:data": prefix } };
  expect(policy).toMatchObject({
    SnapshotDataVolumes: {
      Action: "ec2:CreateSnapshot",
      Resource: "arn:aws:ec2:eu-west-1:123456789012:volume/*",
      Condition: ofThisCluster,
    },
    ExpireSnapshots: {
      Action: "ec2:DeleteSnapshot",
      Resource: "arn:aws:ec2:eu-west-1::snapshot/*",
      Condition: ofThisCluster,
    },
  });
});

test("knows the bucket's name, the parameter and the policies at preview", async () => {
  const mocks = await deploy({}, undefined, true);
  const bucket = mocks.named("backup", "aws:s3/bucket:Bucket").outputs!["bucket"] as string;
  expect(bucket).toMatch(/^backup-[0-9a-f]{7}$/);
  expect(mocks.named("backup", "aws:ssm/parameter:Parameter").inputs["insecureValue"]).toContain(bucket);
  expect(mocks.named("backup", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]).toContain(bucket);
});

test.each<[string, Changes, string[]]>([
  [
    "backup",
    { intervalHours: 5 },
    ["intervalHours: 5 is not one of 1, 2, 3, 4, 6, 8, 12, 24, the divisors of a day"],
  ],
  [
    "backup",
    { intervalHours: 0 },
    ["intervalHours: 0 is not one of 1, 2, 3, 4, 6, 8, 12, 24, the divisors of a day"],
  ],
  [
    "backup",
    { retentionDays: 0, kmsKeyId: "alias/emqx" },
    [
      "retentionDays: 0 is not a whole number of days from 1 to 3650",
      'kmsKeyId: "alias/emqx" is not of the form arn:aws:kms:<region>:<account>:key/<key id>',
    ],
  ],
  ["backup", { retentionDays: 3651 }, ["retentionDays: 3651 is not a whole number of days from 1 to 3650"]],
  [
    "my_backup",
    {},
    [expect.stringContaining('name: "my_backup" cannot begin the name of an IAM role') as string],
  ],
  [
    "b".repeat(47),
    {},
    [expect.stringContaining("(47 characters) cannot begin the name of an IAM role, which has 64") as string],
  ],
])("%s with %j is refused before anything is registered", async (name, changes, lines) => {
  const mocks = await run(() => {
    const make = () => new EmqxBackup(name, { parameterPrefix: prefix, roleName: "nodes", ...changes });
    expect(make).toThrow(/nothing of it was changed, because its input cannot work/);
    let said = "";
    try {
      make();
    } catch (error) {
      said = (error as Error).message;
    }
    expect(
      said
        .split("\n")
        .slice(1)
        .map((line) => line.replace(/^ {2}- /, "")),
    ).toEqual(lines);
  });
  expect(inAws(mocks)).toEqual([]);
});

testWith("cfn-lint")(
  "AWS's own specifications have nothing against its resources",
  async () => {
    for (const changes of [{}, { kmsKeyId, intervalHours: 24, retentionDays: 3650, tags: { team: "iot" } }]) {
      expect(lintAsCloudFormation(inAws(await deploy(changes)))).toBe("");
    }
    // It would say so if there were something.
    const broken = inAws(await deploy());
    const lifecycle = broken.find(({ type }) => type.endsWith(":BucketLifecycleConfiguration"))!;
    (lifecycle.inputs["rules"] as { status: string }[])[0]!.status = "On";
    expect(lintAsCloudFormation(broken)).toContain("'On' is not one of ['Enabled', 'Disabled']");
  },
  120_000,
);
