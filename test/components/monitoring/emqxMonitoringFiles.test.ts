/** What monitoring hands to AWS, looked at by programs that are not ours. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as iam from "@pulumi/aws/iam";
import { EmqxMonitoring } from "../../../components";
import { agentConfiguration } from "../../../components/monitoring/agent";
import { inAws, run } from "../../support";
import { cloudFormationTemplate } from "../cloudFormation";
import { skipped, testWith, toolEnvironment } from "../emqx/tools";

const prefix = "/emqx/emqx-aws/test/emqx-nodes";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "monitoring-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a program says about a file, with its exit code in front. */
function verdict(tool: string, text: string, ...args: string[]): string {
  const file = join(folder, "file.json");
  writeFileSync(file, text);
  const result = spawnSync(tool, [...args, file], { encoding: "utf8", env: toolEnvironment });
  if (result.error) throw result.error;
  return `${result.status}: ${result.stdout}${result.stderr}`;
}

async function template(): Promise<{ Resources: Record<string, { Properties: Record<string, unknown> }> }> {
  const mocks = await run(() => {
    new iam.Role("nodes", {
      name: "nodes",
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
    });
    new EmqxMonitoring("watch", {
      loadBalancerName: "emqx-elb",
      nodes: [
        { instanceId: "i-0123456789abcdef0", nodeName: "emqx@192.168.0.10" },
        { instanceId: "i-0123456789abcdef1", nodeName: "emqx@192.168.1.11" },
      ],
      parameterPrefix: prefix,
      roleName: "nodes",
      certificateArn: "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01",
      kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f",
      backupIntervalHours: 24,
      tags: { team: "mqtt" },
    });
  });
  return cloudFormationTemplate(inAws(mocks).filter(({ type }) => type !== "aws:iam/role:Role")) as Awaited<
    ReturnType<typeof template>
  >;
}

/** A template says !Ref where ours has the name itself; these rules are about that. */
const templateOnly = ["--ignore-checks", "I", "W3010"];
const lint = (text: string) => verdict("cfn-lint", text, "-r", "eu-west-1", ...templateOnly, "-t");

testWith("cfn-lint")(
  "cfn-lint accepts alarms, topic, log group, parameter and policy, and the dashboard but for its body",
  async () => {
    const made = await template();
    expect(Object.keys(made.Resources)).toHaveLength(6 + 2 + 2 * 5 + 5);
    expect(lint(JSON.stringify(made))).toBe("0: ");
    // And refuses what is wrong: that it says nothing means something.
    const { watchspilloverMetricAlarm: alarm, watchlogsLogGroup: logs } = made.Resources;
    Object.assign(alarm!.Properties, { ComparisonOperator: "GreaterThan", Treshold: 0 });
    Object.assign(logs!.Properties, { RetentionInDays: 100 });
    const said = lint(JSON.stringify(made));
    expect(said).toMatch(/^2: /);
    expect(said).toMatch(/E3030 'GreaterThan'/);
    expect(said).toMatch(/E3002 .*'Treshold'/);
    expect(said).toMatch(/E3030 100 /);
  },
  120_000,
);

/** The agent brings the schema of its configuration along. */
const schema = [
  process.env["CLOUDWATCH_AGENT_SCHEMA"] ?? "",
  "/opt/aws/amazon-cloudwatch-agent/doc/amazon-cloudwatch-agent-schema.json",
].find((file) => existsSync(file));
const testWithSchema =
  schema === undefined
    ? skipped(
        "the CloudWatch agent is not installed, and CLOUDWATCH_AGENT_SCHEMA names no file: its schema is not asked " +
          "about its configuration",
      )
    : testWith("check-jsonschema");

testWithSchema("the CloudWatch agent's own schema accepts its configuration", () => {
  const check = (text: string) => verdict("check-jsonschema", text, "--schemafile", schema!);
  const configuration = agentConfiguration(prefix, prefix).replaceAll("{NODE_NAME}", "emqx@192.168.0.10");
  expect(check(configuration)).toMatch(/^0: ok/);
  expect(check(configuration.replace('"measurement"', '"measurements"'))).toMatch(/^1: /);
  expect(check(configuration.replace('"file_path"', '"path"'))).toMatch(/^1: /);
  expect(check(configuration.replace("60", '"60 s"'))).toMatch(/^1: /);
});
