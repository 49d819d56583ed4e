/** Rules of buckets and snapshot policies: what breaks them at both doors, and what only a life of its own shows. */
import { names } from "..";
import { describeObject, objectsIn, readObject, writeObject } from "../objects";
import { findBucket } from "../services/bucketNames";
import type { Props } from "../values";
import { askAtBothDoors, type Row } from "./rows";
import { balancerInputs, furnish, trust, World, type Door } from "./world";

const text = JSON.stringify;
const name = "emqx-backup-example";
const arn = `arn:aws:s3:::${name}`;
const makeBucket = (door: Door) => door.create(names.bucket, "bucket", { bucket: name });
const inBucket = (inputs: Props) => ({ bucket: name, ...inputs });

const rule = { id: "expire", status: "Enabled", filter: {}, expiration: { days: 30 } };
const lifecycle = (what: string, rules: Props[], error: Row["error"]): Row => ({
  rule: `lifecycle ${what}`,
  type: names.bucketLifecycle,
  given: makeBucket,
  inputs: inBucket({ rules }),
  error,
});

const bucketPolicy = (what: string, statement: Props, error: Row["error"]): Row => ({
  rule: `bucket policy ${what}`,
  type: names.bucketPolicy,
  given: makeBucket,
  inputs: inBucket({
    policy: text({
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: arn, ...statement }],
    }),
  }),
  error,
});

const schedule = {
  name: "daily",
  createRule: { interval: 24, intervalUnit: "HOURS", times: "03:00" },
  retainRule: { interval: 30, intervalUnit: "DAYS" },
  copyTags: true,
};
const details = {
  resourceTypes: ["VOLUME"],
  targetTags: { "emqx:data": "/emqx/p/s/n" },
  schedules: [schedule],
};
const roleArn = "arn:aws:iam::123456789012:role/dlm";
const makeRole = (door: Door) =>
  door.create(names.role, "dlm", { name: "dlm", assumeRolePolicy: trust("dlm.amazonaws.com") });
const policy = (changes: Props = {}) => ({
  description: "Daily snapshots",
  executionRoleArn: roleArn,
  policyDetails: { ...details, ...changes },
});
const snapshots = (what: string, changes: Props, error: Row["error"]): Row => ({
  rule: `snapshot policy ${what}`,
  type: names.snapshotPolicy,
  given: makeRole,
  inputs: policy(changes),
  error,
});
const scheduled = (what: string, changes: Props, error: Row["error"]): Row =>
  snapshots(what, { schedules: [{ ...schedule, ...changes }] }, error);

askAtBothDoors([
  ...[
    "Capital",
    "ab",
    "a..b",
    "192.168.0.1",
    "-a-bucket",
    "xn--bucket",
    "bucket-s3alias",
    "a".repeat(64),
  ].map((bucket): Row => ({
    rule: `bucket named ${bucket}`,
    type: names.bucket,
    inputs: { bucket },
    error: `InvalidBucketName: The specified bucket is not valid: ${bucket}`,
  })),
  {
    rule: "bucket that exists",
    type: names.bucket,
    given: makeBucket,
    inputs: { bucket: name },
    error: "BucketAlreadyOwnedByYou",
  },
  {
    rule: "bucket that exists in another region",
    type: names.bucket,
    inputs: { bucket: "emqx-access-logs-example-us" },
    error: "BucketAlreadyOwnedByYou",
  },
  {
    rule: "bucket with settings inside",
    type: names.bucket,
    inputs: { versioning: { enabled: true } },
    error: 'has no input "versioning" in the simulated region',
  },
  ...[names.bucketVersioning, names.bucketPublicAccessBlock].map((type): Row => ({
    rule: `${type} of no bucket`,
    type,
    inputs: inBucket(
      type === names.bucketVersioning ? { versioningConfiguration: { status: "Enabled" } } : {},
    ),
    error: `NoSuchBucket: The specified bucket does not exist: ${name}`,
  })),
  {
    rule: "setting of a bucket in another region",
    type: names.bucketPublicAccessBlock,
    inputs: { bucket: "emqx-access-logs-example-us" },
    error: /PermanentRedirect: .* is in us-east-1, not eu-west-1/,
  },
  {
    rule: "versioning status",
    type: names.bucketVersioning,
    given: makeBucket,
    inputs: inBucket({ versioningConfiguration: { status: "On" } }),
    error: 'expected one of Enabled, Suspended, Disabled, got "On"',
  },
  {
    rule: "encryption algorithm",
    type: names.bucketEncryption,
    given: makeBucket,
    inputs: inBucket({ rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES128" } }] }),
    error: "expected one of AES256, aws:kms",
  },
  {
    rule: "key without its algorithm",
    type: names.bucketEncryption,
    given: makeBucket,
    inputs: inBucket({
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256", kmsMasterKeyId: "alias/x" } }],
    }),
    error: "InvalidArgument: a KMSMasterKeyID is not applicable",
  },
  {
    rule: "two encryption rules",
    type: names.bucketEncryption,
    given: makeBucket,
    inputs: inBucket({ rules: [{}, {}] }),
    error: "exactly one rule for encryption, got 2",
  },
  {
    rule: "object ownership",
    type: names.bucketOwnershipControls,
    given: makeBucket,
    inputs: inBucket({ rule: { objectOwnership: "Mine" } }),
    error: "expected one of BucketOwnerEnforced",
  },
  lifecycle("without rules", [], "at least one rule"),
  lifecycle("with two rules of one id", [rule, rule], "InvalidArgument: Rule ID must be unique"),
  lifecycle(
    "rule without action",
    [{ id: "x", status: "Enabled", filter: {} }],
    "InvalidRequest: At least one action needs to be specified in a rule: x",
  ),
  lifecycle(
    "rule without filter",
    [{ id: "expire", status: "Enabled", expiration: { days: 1 } }],
    "MalformedXML: rule expire has no filter",
  ),
  lifecycle("rule with a status", [{ ...rule, status: "On" }], "expected one of Enabled, Disabled"),
  lifecycle(
    "that expires after no day",
    [{ ...rule, expiration: { days: 0 } }],
    "InvalidArgument: 'Days' for Expiration action must be a positive integer",
  ),
  lifecycle(
    "that expires nothing",
    [{ ...rule, expiration: {} }],
    "MalformedXML: the expiration of rule expire needs days",
  ),
  lifecycle(
    "that aborts uploads after no day",
    [{ ...rule, abortIncompleteMultipartUpload: { daysAfterInitiation: 0 } }],
    "InvalidArgument: 'DaysAfterInitiation'",
  ),
  lifecycle(
    "that expires old versions after no day",
    [{ ...rule, noncurrentVersionExpiration: { noncurrentDays: 0 } }],
    "expected at least 1, got 0",
  ),
  lifecycle(
    "with transitions",
    [{ ...rule, transitions: [{ days: 30, storageClass: "GLACIER" }] }],
    'has no input "rules[0].transitions" in the simulated region',
  ),
  bucketPolicy("for nobody", { Principal: undefined! }, "MalformedPolicy: Missing required field Principal"),
  bucketPolicy(
    "for another bucket",
    { Resource: "arn:aws:s3:::another/*" },
    "MalformedPolicy: Policy has invalid resource",
  ),
  bucketPolicy(
    "of another service",
    { Action: "ssm:GetParameter" },
    "MalformedPolicy: Policy has invalid action",
  ),
  bucketPolicy("with a bad effect", { Effect: "Refuse" }, "MalformedPolicy: "),
  bucketPolicy("for everybody", { Effect: "Allow" }, /AccessDenied: .*BlockPublicPolicy/),
  bucketPolicy(
    "that is too long",
    { Condition: { StringEquals: { a: "x".repeat(20_480) } } },
    "PolicyTooLarge",
  ),
  {
    rule: "snapshot policy without its role",
    type: names.snapshotPolicy,
    inputs: policy(),
    error: `InvalidRequestException: Invalid execution role: ${roleArn} must exist`,
  },
  {
    rule: "snapshot policy with a role that trusts somebody else",
    type: names.snapshotPolicy,
    inputs: { ...policy(), executionRoleArn: "arn:aws:iam::123456789012:role/node" },
    error: /InvalidRequestException: .* trust dlm\.amazonaws\.com/,
  },
  {
    rule: "snapshot policy with a slash in its description",
    type: names.snapshotPolicy,
    given: makeRole,
    inputs: { ...policy(), description: "/emqx" },
    error: "1 to 500 letters, digits, spaces, hyphens or underscores",
  },
  {
    rule: "snapshot policy for volumes that another has",
    type: names.snapshotPolicy,
    given: async (door) => {
      await makeRole(door);
      await door.create(names.snapshotPolicy, "other", policy());
    },
    inputs: policy(),
    error: "target tags are already in use",
  },
  snapshots("without targets", { targetTags: {} }, "targetTags needs 1 to 45 tags, got 0"),
  snapshots("without resource types", { resourceTypes: [] }, "resourceTypes is required"),
  snapshots("without schedules", { schedules: [] }, "1 to 4 schedules, got 0"),
  snapshots("with five schedules", { schedules: Array(5).fill(schedule) }, "1 to 4 schedules, got 5"),
  scheduled("every five hours", { createRule: { interval: 5 } }, "expected one of 1, 2, 3, 4, 6, 8, 12, 24"),
  scheduled("at 24:00", { createRule: { interval: 24, times: "24:00" } }, "a time is HH:MM"),
  scheduled(
    "with a cron expression",
    { createRule: { cronExpression: "cron(0 3 * * ? *)" } },
    'has no input "policyDetails.schedules[0].createRule.cronExpression" in the simulated region',
  ),
  scheduled("without an interval", { createRule: {} }, "the create rule needs an interval"),
  scheduled("that keeps nothing", { retainRule: {} }, "needs either a count or an interval"),
  scheduled("that keeps 0", { retainRule: { count: 0 } }, "expected a number from 1 to 1000"),
  scheduled(
    "that keeps both ways",
    { retainRule: { count: 1, interval: 1, intervalUnit: "DAYS" } },
    "either a count",
  ),
  scheduled(
    "without the unit of its age",
    { retainRule: { interval: 1 } },
    "an interval and its unit together",
  ),
  scheduled(
    "that keeps for 101 years",
    { retainRule: { interval: 101, intervalUnit: "YEARS" } },
    "at most 100 years",
  ),
]);

describe("a bucket", () => {
  test("gets a name of lower-case letters that is known before it exists", async () => {
    const world = new World();
    const { id, outputs } = await world.create(names.bucket, "Emqx-Backup", {});
    expect(id).toMatch(/^emqx-backup-[0-9a-f]{7}$/);
    expect(outputs).toMatchObject({ bucket: id, arn: `arn:aws:s3:::${id}`, bucketRegion: "eu-west-1" });
  });

  test("with an object in it is not deleted, and an empty one takes its settings along", async () => {
    const world = new World();
    const { account } = world.cloud;
    await makeBucket(world);
    await world.create(
      names.bucketVersioning,
      "versioning",
      inBucket({ versioningConfiguration: { status: "Enabled" } }),
    );
    const bucket = findBucket(account, name)!;
    writeObject(account, bucket, "exports/a", "one");
    writeObject(account, bucket, "exports/a", "zwö");
    expect(objectsIn(account, name).map(describeObject)).toMatchObject([{ key: "exports/a", size: 4 }]);
    expect(readObject(account, bucket, "exports/a")?.toString()).toBe("zwö");
    await expect(world.delete(names.bucket, name)).rejects.toThrow(/BucketNotEmpty: .* has 1 objects/);
    objectsIn(account, name).forEach((object) => account.delete(object));
    await world.delete(names.bucket, name);
    expect(world.cloud.read(names.bucketVersioning, world.scope, name)).toBeUndefined();
  });

  test("is emptied only where the program said so", async () => {
    const world = new World();
    const { account } = world.cloud;
    await world.create(names.bucket, "bucket", { bucket: name, forceDestroy: true });
    writeObject(account, findBucket(account, name)!, "x", "y");
    await world.delete(names.bucket, name);
    expect(objectsIn(account, name)).toEqual([]);
  });

  test("once versioned cannot be made unversioned", async () => {
    const world = new World();
    await makeBucket(world);
    const versioning = (status: string) => ({ versioningConfiguration: { status } });
    await world.create(names.bucketVersioning, "versioning", inBucket(versioning("Enabled")));
    await expect(world.update(names.bucketVersioning, name, versioning("Disabled"))).rejects.toThrow(
      /cannot be updated to 'Disabled'/,
    );
    await world.update(names.bucketVersioning, name, versioning("Suspended"));
  });

  test("takes a public policy only where it is told to", async () => {
    const world = new World();
    await makeBucket(world);
    const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `${arn}/*` };
    const open = inBucket({ policy: text({ Version: "2012-10-17", Statement: [statement] }) });
    await world.create(names.bucketPublicAccessBlock, "block", inBucket({ blockPublicPolicy: true }));
    await expect(world.create(names.bucketPolicy, "policy", open)).rejects.toThrow("BlockPublicPolicy");
    await world.update(names.bucketPublicAccessBlock, name, { blockPublicPolicy: false });
    await world.create(names.bucketPolicy, "policy", open);
    await expect(world.update(names.bucketPolicy, name, { policy: text({ Statement: [] }) })).rejects.toThrow(
      "MalformedPolicy",
    );
  });
});

test("a snapshot policy keeps its own target tags when it changes", async () => {
  const world = new World();
  await makeRole(world);
  const { id, outputs } = await world.create(names.snapshotPolicy, "policy", policy());
  expect(outputs["arn"]).toBe(`arn:aws:dlm:eu-west-1:123456789012:policy/${id}`);
  const longer = { ...schedule, retainRule: { interval: 60, intervalUnit: "DAYS" } };
  await world.update(names.snapshotPolicy, id, { policyDetails: { ...details, schedules: [longer] } });
  await expect(
    world.update(names.snapshotPolicy, id, { executionRoleArn: "arn:aws:iam::123456789012:role/none" }),
  ).rejects.toThrow("Invalid execution role");
});

test("access logs go to a bucket whose policy lets the load balancers' account write", async () => {
  const world = new World();
  const ids = await furnish(world);
  await makeBucket(world);
  const balancer = (own: string) =>
    world.create(names.loadBalancer, own, {
      ...balancerInputs(ids),
      name: own,
      accessLogs: { bucket: name },
    });
  await expect(balancer("before")).rejects.toThrow("Access Denied for bucket");
  const statement = {
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::156460612806:root" },
    Action: "s3:PutObject",
    Resource: `${arn}/*`,
  };
  await world.create(
    names.bucketPolicy,
    "policy",
    inBucket({ policy: text({ Version: "2012-10-17", Statement: [statement] }) }),
  );
  await balancer("after");
});
