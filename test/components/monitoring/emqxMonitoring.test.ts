import * as iam from "@pulumi/aws/iam";
import fc from "fast-check";
import { EmqxMonitoring, type EmqxMonitoringArgs } from "../../../components";
import { dashboardNameOf } from "../../../components/monitoring/emqxMonitoring";
import {
  agentConfiguration,
  agentConfigurationProblems,
  dataVolumeDimensions,
  memoryDimensions,
} from "../../../components/monitoring/agent";
import { dashboardBody } from "../../../components/monitoring/dashboard";
import { monitoringProblems, monitoringWarnings } from "../../../components/monitoring/settings";
import { dashboardProblems } from "@emqx-aws/simulator/services/dashboardBody";
import { unknownValue, type Props } from "@emqx-aws/simulator/values";
import { inAws, namesByType, run, valueOf, type RunOptions } from "../../support";

type Args = Partial<EmqxMonitoringArgs>;

const prefix = "/emqx/emqx-aws/test/emqx-nodes";
const topicArn = "arn:aws:sns:eu-west-1:123456789012:on-call";
const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const iamCertificateArn = "arn:aws:iam::123456789012:server-certificate/mqtt";
const dashboardType = "aws:cloudwatch/dashboard:Dashboard";
const alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm";
const ec2Service = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

const node = (k: number) => ({
  instanceId: `i-${String(k).padStart(17, "0")}`,
  nodeName: `emqx@192.168.${k}.${10 + k}`,
});
const nodes = (count: number) => [...Array(count).keys()].map(node);
const good: EmqxMonitoringArgs = {
  loadBalancerName: "emqx-elb",
  nodes: nodes(2),
  parameterPrefix: prefix,
  roleName: "nodes",
};

async function deploy(args: Args = {}, options: RunOptions = {}) {
  const made: EmqxMonitoring[] = [];
  const parents: [string, string | undefined][] = [];
  const mocks = await run(() => {
    new iam.Role("nodes", { name: "nodes", assumeRolePolicy: ec2Service });
    made.push(
      new EmqxMonitoring(
        "watch",
        { ...good, ...args },
        {
          transformations: [
            (child) => {
              parents.push([child.name, (child.opts.parent as { __name?: string } | undefined)?.__name]);
              return undefined;
            },
          ],
        },
      ),
    );
  }, options);
  const own = inAws(mocks).filter(({ type }) => type !== "aws:iam/role:Role");
  const alarms = () =>
    own.filter(({ type }) => type === alarmType).sort((one, other) => (one.name < other.name ? -1 : 1));
  const dashboard = () =>
    JSON.parse(String(mocks.named("watch", dashboardType).inputs["dashboardBody"])) as Dashboard;
  return { mocks, own, alarms, dashboard, monitoring: made[0]!, parents };
}

interface Dashboard {
  widgets: { x: number; y: number; width: number; height: number; type: string; properties: Props }[];
}

describe("EmqxMonitoring", () => {
  test("makes exactly these resources for two nodes", async () => {
    const { own } = await deploy({ certificateArn });
    expect(namesByType(own.filter(({ name }) => name !== "watch"))).toEqual({
      LogGroup: ["watch-logs"],
      MetricAlarm: [
        ...[0, 1].flatMap((k) =>
          ["cpu", "data-volume", "instance-check", "memory", "system-check"].map(
            (alarm) => `watch-${k}-${alarm}`,
          ),
        ),
        "watch-backend-connection-errors",
        "watch-certificate",
        "watch-healthy-hosts",
        "watch-no-healthy-host",
        "watch-spillover",
        "watch-surge-queue",
        "watch-unhealthy-hosts",
      ],
      Parameter: ["watch-agent"],
      RolePolicy: ["watch-agent"],
      Topic: ["watch-alarms"],
    });
    expect(own.filter(({ name, custom }) => name === "watch" && custom).map(({ type }) => type)).toEqual([
      "aws:cloudwatch/dashboard:Dashboard",
    ]);
  });

  test("has these alarms", async () => {
    const { alarms } = await deploy({ certificateArn, nodes: nodes(1), backupIntervalHours: 6 });
    const table = alarms().map(({ inputs: a }) => [
      String(a["name"]).slice(prefix.length + 1),
      `${String(a["namespace"])} ${String(a["metricName"])}`,
      `${String(a["statistic"])} ${String(a["comparisonOperator"])} ${String(a["threshold"])}`,
      `${String(a["evaluationPeriods"])} x ${String(a["period"])} s`,
      a["treatMissingData"],
    ]);
    const least = "GreaterThanOrEqualToThreshold";
    const elb = "AWS/ELB";
    const wanted = [
      ["no-healthy-host", `${elb} HealthyHostCount`, "Maximum LessThanThreshold 1", "3 x 60 s", "breaching"],
      ["healthy-hosts", `${elb} HealthyHostCount`, "Maximum LessThanThreshold 1", "20 x 60 s", "breaching"],
      ["unhealthy-hosts", `${elb} UnHealthyHostCount`, `Minimum ${least} 1`, "10 x 60 s", "notBreaching"],
      [
        "surge-queue",
        `${elb} SurgeQueueLength`,
        "Maximum GreaterThanThreshold 100",
        "5 x 60 s",
        "notBreaching",
      ],
      ["spillover", `${elb} SpilloverCount`, "Sum GreaterThanThreshold 0", "1 x 60 s", "notBreaching"],
      [
        "backend-connection-errors",
        `${elb} BackendConnectionErrors`,
        "Sum GreaterThanThreshold 300",
        "3 x 300 s",
        "notBreaching",
      ],
      [
        "certificate",
        "AWS/CertificateManager DaysToExpiry",
        "Minimum LessThanThreshold 30",
        "1 x 86400 s",
        "ignore",
      ],
      ["export", "EMQX ExportFailed", `Minimum ${least} 1`, "1 x 21600 s", "missing"],
      ["0-system-check", "AWS/EC2 StatusCheckFailed_System", `Maximum ${least} 1`, "2 x 60 s", "missing"],
      ["0-instance-check", "AWS/EC2 StatusCheckFailed_Instance", `Maximum ${least} 1`, "3 x 60 s", "missing"],
      ["0-cpu", "AWS/EC2 CPUUtilization", `Average ${least} 80`, "3 x 300 s", "missing"],
      ["0-memory", "EMQX mem_used_percent", `Average ${least} 70`, "3 x 300 s", "missing"],
      ["0-data-volume", "EMQX disk_used_percent", `Average ${least} 80`, "3 x 300 s", "missing"],
    ];
    expect(table).toEqual(wanted.sort());
  });

  test("gives every alarm the dimensions of its metric, exactly", async () => {
    const { alarms } = await deploy({ certificateArn, backupIntervalHours: 24 });
    for (const { name, inputs } of alarms()) {
      const k = /^watch-(\d)-/.exec(name)?.[1];
      const wanted: Record<string, unknown> = {
        "AWS/ELB": { LoadBalancerName: "emqx-elb" },
        "AWS/CertificateManager": { CertificateArn: certificateArn },
        "AWS/EC2": { InstanceId: `i-0000000000000000${k}` },
        EMQX: { Cluster: prefix, ...(k && { Node: `emqx@192.168.${k}.1${k}` }) },
      };
      const volume = inputs["metricName"] === "disk_used_percent";
      expect([name, inputs["dimensions"]]).toEqual([
        name,
        {
          ...(wanted[String(inputs["namespace"])] as object),
          ...(volume ? { path: "/var/lib/emqx", fstype: "xfs" } : {}),
        },
      ]);
    }
  });

  test("tells every woken person what it means and what to do first, in what CloudWatch has room for", async () => {
    const { alarms } = await deploy({ certificateArn, backupIntervalHours: 6 });
    const descriptions = alarms().map(({ inputs }) => String(inputs["alarmDescription"]));
    for (const text of descriptions) {
      expect(text).toMatch(/\bFirst: |\bElse first: /i);
      expect(text.length).toBeLessThanOrEqual(1024);
    }
    expect(new Set(descriptions).size).toBe(descriptions.length);
    expect(descriptions.filter((text) => text.startsWith("Fewer than 2 nodes"))).toHaveLength(1);
  });

  test("lets EC2 recover and reboot, and tells the topic of beginning and end", async () => {
    const { alarms, mocks } = await deploy({ certificateArn, backupIntervalHours: 6 });
    const topic = mocks.named("watch-alarms").outputs!["arn"];
    const byItself: Record<string, string> = {
      "system-check": "arn:aws:automate:eu-west-1:ec2:recover",
      "instance-check": "arn:aws:automate:eu-west-1:ec2:reboot",
    };
    for (const { name, inputs } of alarms()) {
      const own = byItself[name.replace(/^watch-\d-/, "")];
      expect(inputs["alarmActions"]).toEqual([topic, ...(own === undefined ? [] : [own])]);
      expect(inputs["okActions"]).toEqual([topic]);
      // A dead agent is told once a node; a timer that does not run, once.
      expect(inputs["insufficientDataActions"]).toEqual(/-(data-volume|export)$/.test(name) ? [topic] : []);
    }
  });

  test("asks EC2 of the region and the partition that it is in", async () => {
    const { alarms } = await deploy({}, { region: "cn-north-1" });
    const ofSystem = alarms().find(({ name }) => name === "watch-0-system-check")!;
    expect(ofSystem.inputs["alarmActions"]).toEqual([
      expect.stringMatching(/^arn:aws-cn:sns:cn-north-1:/),
      "arn:aws-cn:automate:cn-north-1:ec2:recover",
    ]);
  });

  test("adds a node's own alarms only, when a node is added", async () => {
    const before = await deploy({ nodes: nodes(2) });
    const after = await deploy({ nodes: nodes(3) });
    const key = (r: { type: string; name: string }) => `${r.type} ${r.name}`;
    const byKey = new Map(after.own.map((r) => [key(r), r]));
    const changed = before.own.filter((r) => {
      const later = byKey.get(key(r));
      return JSON.stringify(later?.inputs) !== JSON.stringify(r.inputs);
    });
    // The one knows the number of nodes, the other shows them all.
    expect(changed.map(({ name }) => name).sort()).toEqual(["watch", "watch-healthy-hosts"]);
    const known = new Set(before.own.map(key));
    expect(
      after.own
        .filter((r) => !known.has(key(r)))
        .map(({ name }) => name)
        .sort(),
    ).toEqual(
      ["cpu", "data-volume", "instance-check", "memory", "system-check"].map((alarm) => `watch-2-${alarm}`),
    );
  });

  test("keeps the alarms of the agent's metrics, when an instance is replaced", async () => {
    const before = await deploy({});
    const replaced = [{ ...node(0), instanceId: "i-0fedcba9876543210" }, node(1)];
    const after = await deploy({ nodes: replaced });
    const changed = after.alarms().filter((alarm, i) => {
      return JSON.stringify(alarm.inputs) !== JSON.stringify(before.alarms()[i]!.inputs);
    });
    expect(changed.map(({ name }) => name)).toEqual(
      ["cpu", "instance-check", "system-check"].map((alarm) => `watch-0-${alarm}`),
    );
  });

  test("tells a topic of the user's, and makes none then", async () => {
    const { own, alarms, monitoring } = await deploy({ alarmTopicArn: topicArn });
    expect(own.filter(({ type }) => type.startsWith("aws:sns"))).toEqual([]);
    expect(alarms().every(({ inputs }) => (inputs["alarmActions"] as string[])[0] === topicArn)).toBe(true);
    expect(await valueOf(monitoring.alarmTopicArn)).toBe(topicArn);
  });

  test("has no alarm of a certificate without one, or with one of IAM, and says so", async () => {
    for (const args of [{}, { certificateArn: iamCertificateArn }]) {
      const { alarms } = await deploy(args);
      expect(alarms().map(({ name }) => name)).not.toContain("watch-certificate");
    }
    expect(monitoringWarnings(certificateArn)).toEqual([]);
    expect(monitoringWarnings(undefined)).toEqual([]);
    expect(monitoringWarnings(iamCertificateArn)).toEqual([
      `certificateArn: ${iamCertificateArn} is a certificate of IAM, of which CloudWatch has no metrics: no alarm tells when it expires. Import it into ACM, or watch its date yourself`,
    ]);
  });

  test("keeps logs for 90 days in a group of the cluster's name, or as told", async () => {
    const kmsKeyId = "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f";
    const usual = (await deploy()).mocks.named("watch-logs");
    expect(usual.inputs).toMatchObject({ name: prefix, retentionInDays: 90 });
    expect(usual.inputs["kmsKeyId"]).toBeUndefined();
    const told = (await deploy({ logRetentionDays: 7, kmsKeyId })).mocks.named("watch-logs");
    expect(told.inputs).toMatchObject({ retentionInDays: 7, kmsKeyId });
  });

  test("lets the nodes write to their own log group and namespace, and read one parameter", async () => {
    const { mocks } = await deploy();
    const policy = mocks.named("watch-agent", "aws:iam/rolePolicy:RolePolicy").inputs;
    const logGroup = `arn:aws:logs:eu-west-1:123456789012:log-group:${prefix}`;
    expect(policy["role"]).toBe("nodes");
    expect(JSON.parse(String(policy["policy"]))).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "WriteLogs",
          Effect: "Allow",
          Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
          Resource: [logGroup, `${logGroup}:*`],
        },
        {
          Sid: "WriteMetrics",
          Effect: "Allow",
          Action: "cloudwatch:PutMetricData",
          Resource: "*",
          Condition: { StringEquals: { "cloudwatch:namespace": "EMQX" } },
        },
        {
          Sid: "ReadAgentConfiguration",
          Effect: "Allow",
          Action: ["ssm:GetParameter", "ssm:GetParameters"],
          Resource: `arn:aws:ssm:eu-west-1:123456789012:parameter${prefix}/monitoring`,
        },
      ],
    });
    expect(mocks.named("watch-logs").outputs!["arn"]).toBe(logGroup);
  });

  test("hands the agent's configuration to the nodes when they may use what it names", async () => {
    const { mocks } = await deploy();
    const { inputs } = mocks.named("watch-agent", "aws:ssm/parameter:Parameter");
    expect(inputs).toMatchObject({
      name: `${prefix}/monitoring`,
      type: "String",
      insecureValue: agentConfiguration(prefix, prefix),
    });
    const names = mocks.registered.map(({ type, name }) => `${type.split(":")[2]} ${name}`);
    const at = names.indexOf("Parameter watch-agent");
    expect(names.indexOf("LogGroup watch-logs")).toBeLessThan(at);
    expect(names.indexOf("RolePolicy watch-agent")).toBeLessThan(at);
  });

  test("knows everything at preview but what its own topic is called", async () => {
    const previewed = await deploy({ certificateArn, alarmTopicArn: topicArn }, { preview: true });
    const made = await deploy({ certificateArn, alarmTopicArn: topicArn });
    const inputs = (all: typeof made.own) => all.map((r) => [r.name, r.inputs]);
    expect(inputs(previewed.own)).toEqual(inputs(made.own));
    const actions = ["alarmActions", "okActions", "insufficientDataActions"];
    const unknown = (await deploy({}, { preview: true })).own.flatMap((r) =>
      Object.entries(r.inputs)
        .filter(([key, value]) => !actions.includes(key) && JSON.stringify(value).includes(unknownValue))
        .map(([key]) => `${r.name} ${key}`),
    );
    expect(unknown).toEqual([]);
  });

  test("shows all of it on a dashboard that is drawn in 24 columns", async () => {
    const { dashboard, alarms, mocks } = await deploy({ certificateArn });
    const { widgets } = dashboard();
    expect(
      widgets.map(({ properties: p, x, y, width, height }) => [p["title"], x, y, width, height]),
    ).toEqual([
      ["Alarms of the cluster", 0, 0, 24, 4],
      ["Alarms of nodes 0 to 1", 0, 4, 24, 5],
      ["Nodes at the load balancer", 0, 9, 8, 6],
      ["Connections a minute", 8, 9, 8, 6],
      ["Connections that wait", 16, 9, 8, 6],
      ["CPU, percent", 0, 15, 8, 6],
      ["Memory used, percent", 8, 15, 8, 6],
      ["Data volume used, percent", 16, 15, 8, 6],
      ["Bytes received in 5 minutes", 0, 21, 12, 6],
      ["Bytes sent in 5 minutes", 12, 21, 12, 6],
      ["EMQX's latest errors", 0, 27, 18, 8],
      ["Days until the certificate expires", 18, 27, 6, 8],
    ]);
    const shown = widgets.flatMap(({ properties: p }) => (p["alarms"] ?? []) as string[]);
    expect(shown.sort()).toEqual(
      alarms()
        .map(({ outputs }) => String(outputs!["arn"]))
        .sort(),
    );
    expect(mocks.named("watch", dashboardType).inputs["dashboardName"]).toMatch(
      /^emqx-emqx-aws-test-emqx-nodes-[0-9a-f]{7}$/,
    );
  });

  test("draws the metrics that its alarms watch", async () => {
    const { dashboard, alarms } = await deploy({ certificateArn });
    // By words, because dimensions have no order.
    const drawn = dashboard()
      .widgets.flatMap(({ properties: p }) => (p["metrics"] ?? []) as unknown[][])
      .map((metric) => metric.filter((word) => typeof word === "string").sort());
    for (const { inputs } of alarms().filter((alarm) => !alarm.name.endsWith("-check"))) {
      const dimensions = Object.entries(inputs["dimensions"] as Record<string, string>).flat();
      expect(drawn).toContainEqual([inputs["namespace"], inputs["metricName"], ...dimensions].sort());
    }
  });

  test("fits a hundred nodes onto the dashboard", () => {
    const many = [...Array(100).keys()];
    const arn = (name: string) => `arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${prefix}/${name}`;
    const body = dashboardBody({
      region: "eu-west-1",
      cluster: prefix,
      loadBalancerName: "emqx-elb",
      network: undefined,
      logGroupName: prefix,
      certificateArn,
      nodes: many.map((k) => ({ instanceId: `i-${k}`, nodeName: `emqx@10.0.0.${k}` })),
      sharedAlarmArns: [arn("spillover")],
      nodeAlarmArns: many.map((k) => ["a", "b", "c", "d", "e"].map((name) => arn(`${k}-${name}`))),
    });
    const board = JSON.parse(body) as Dashboard;
    expect(dashboardProblems(board)).toEqual([]);
    expect(board.widgets.slice(1, 6).map(({ properties: p }) => p["title"])).toEqual(
      [0, 20, 40, 60, 80].map((first) => `Alarms of nodes ${first} to ${first + 19}`),
    );
  });

  test("parents, prefixes and tags every child", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 1, max: 4 }),
          certificate: fc.boolean(),
          ownTopic: fc.boolean(),
        }),
        async ({ count, certificate, ownTopic }) => {
          const { own, parents } = await deploy({
            nodes: nodes(count),
            tags: { team: "mqtt" },
            ...(certificate ? { certificateArn } : {}),
            ...(ownTopic ? {} : { alarmTopicArn: topicArn }),
          });
          const children = parents.filter(([child, parent]) => child !== "watch" || parent !== undefined);
          expect(children.filter(([, parent]) => parent !== "watch")).toEqual([]);
          expect(own.filter(({ name }) => !name.startsWith("watch"))).toEqual([]);
          const untaggable = ["aws:iam/rolePolicy:RolePolicy", "aws:cloudwatch/dashboard:Dashboard"];
          for (const { name, type, inputs } of own.filter((r) => !untaggable.includes(r.type))) {
            expect([type, inputs["tags"]]).toEqual([type, { Name: name, team: "mqtt" }]);
          }
        },
      ),
      { numRuns: 5 },
    );
  });

  test("has its outputs", async () => {
    const { mocks, monitoring, alarms } = await deploy({ certificateArn });
    expect(await valueOf(monitoring.alarmTopicArn)).toBe(mocks.named("watch-alarms").id);
    expect(await valueOf(monitoring.dashboardName)).toBe(dashboardNameOf(prefix));
    expect(await valueOf(monitoring.logGroupName)).toBe(prefix);
    const names = await Promise.all(monitoring.alarmNames.map(valueOf));
    expect(names.sort()).toEqual(
      alarms()
        .map(({ inputs }) => String(inputs["name"]))
        .sort(),
    );
  });

  test("refuses bad input before anything is registered", async () => {
    const mocks = await run(() => {
      expect(() => new EmqxMonitoring("watch", { ...good, nodes: [], alarmTopicArn: "on-call" })).toThrow(
        `EmqxMonitoring "watch": nothing of it was changed, because its input cannot work:\n` +
          `  - nodes: none given; name at least one\n` +
          `  - alarmTopicArn: "on-call" is not of the form arn:aws:sns:<region>:<account>:<topic>, of a standard topic`,
      );
    });
    expect(mocks.registered).toEqual([]);
  });
});

const longPrefix = `/emqx/${"p".repeat(195)}`;
const bad: [Args, string[]][] = [
  [{ nodes: [] }, ["nodes: none given; name at least one"]],
  [
    { backupIntervalHours: 5 },
    ["backupIntervalHours: 5 is not one of 1, 2, 3, 4, 6, 8, 12, 24, the divisors of a day"],
  ],
  [{ nodes: nodes(101) }, ["nodes: 101 given; one dashboard shows 100 at most"]],
  [
    { parameterPrefix: "emqx/" },
    [
      'parameterPrefix: "emqx/" is not a path of SSM parameters; write it with a slash first and none at the end, for example /emqx/project/stack/emqx-nodes',
    ],
  ],
  [
    { parameterPrefix: longPrefix },
    [
      `parameterPrefix: ${JSON.stringify(longPrefix)} has 201 characters, and names of alarms that begin with it have room for 200; use shorter names of project, stack and component`,
    ],
  ],
  [
    { alarmTopicArn: "arn:aws:sns:eu-west-1:123456789012:on-call.fifo" },
    [
      'alarmTopicArn: "arn:aws:sns:eu-west-1:123456789012:on-call.fifo" is not of the form arn:aws:sns:<region>:<account>:<topic>, of a standard topic',
    ],
  ],
  [
    { alarmTopicArn: "arn:aws:sns:us-east-1:123456789012:on-call" },
    [
      'alarmTopicArn: "arn:aws:sns:us-east-1:123456789012:on-call" is in us-east-1, but the deployment is in eu-west-1; use one of eu-west-1',
    ],
  ],
  [
    { certificateArn: "arn:aws:s3:::x" },
    [
      'certificateArn: "arn:aws:s3:::x" is not of the form arn:aws:acm:<region>:<account>:certificate/<id> or arn:aws:iam::<account>:server-certificate/<name>',
    ],
  ],
  [
    { logRetentionDays: 100 },
    [
      "logRetentionDays: 100 is not one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653",
    ],
  ],
  [
    { kmsKeyId: "alias/logs" },
    ['kmsKeyId: "alias/logs" is not of the form arn:aws:kms:<region>:<account>:key/<key id>'],
  ],
];

describe("bad input of EmqxMonitoring", () => {
  test("is told from good input", () => {
    expect(monitoringProblems("watch", { ...good, alarmTopicArn: topicArn, certificateArn })).toEqual([]);
    expect(monitoringProblems("watch", { ...good, certificateArn: iamCertificateArn })).toEqual([]);
  });

  test.each(bad)("%#: %j", (change, problems) => {
    expect(monitoringProblems("watch", { ...good, ...change }, "eu-west-1")).toEqual(problems);
  });
});

describe("the agent's configuration", () => {
  interface Configuration {
    agent: { omit_hostname: boolean };
    metrics: {
      namespace: string;
      append_dimensions?: object;
      metrics_collected: Record<
        "mem" | "disk",
        { append_dimensions: Record<string, string>; drop_device?: boolean; resources?: string[] }
      >;
    };
  }
  const configuration = JSON.parse(agentConfiguration(prefix, prefix)) as Configuration;

  /** What the agent adds by itself, by its documentation, and what it is told to add or leave out. */
  function published(plugin: "mem" | "disk"): string[] {
    const { append_dimensions: own, drop_device: withoutDevice } =
      configuration.metrics.metrics_collected[plugin];
    const byItself = plugin === "mem" ? [] : ["path", "fstype", ...(withoutDevice ? [] : ["device"])];
    const host = configuration.agent.omit_hostname ? [] : ["host"];
    return [...byItself, ...host, ...Object.keys(own)].sort();
  }

  test("publishes the dimensions that alarms and dashboard ask for", () => {
    expect(published("mem")).toEqual(Object.keys(memoryDimensions("", "")).sort());
    expect(published("disk")).toEqual(Object.keys(dataVolumeDimensions("", "")).sort());
    const { disk } = configuration.metrics.metrics_collected;
    expect(disk.resources).toEqual([dataVolumeDimensions("", "")["path"]]);
    expect(disk.append_dimensions).toEqual(memoryDimensions(prefix, "{NODE_NAME}"));
    // Dimensions of all metrics would bring the instance's id along, and need a permission of EC2.
    expect(configuration.metrics.append_dimensions).toBeUndefined();
  });

  test("reads EMQX's text logs and the boot's, into streams of the node", () => {
    expect(configuration).toMatchObject({
      logs: {
        logs_collected: {
          files: {
            collect_list: [
              {
                file_path: "/var/log/emqx/emqx.log.[0-9]*",
                log_group_name: prefix,
                log_stream_name: "{NODE_NAME}/emqx",
              },
              {
                file_path: "/var/log/cloud-init-output.log",
                log_group_name: prefix,
                log_stream_name: "{NODE_NAME}/boot/{instance_id}",
              },
            ],
          },
        },
      },
    });
  });

  test("fits its parameter with the longest prefix, filled in, and says so when it does not", () => {
    const longest = `/${"p".repeat(199)}`;
    expect(Buffer.byteLength(agentConfiguration(longest, longest))).toBeLessThan(2500);
    expect(agentConfigurationProblems(agentConfiguration(longest, longest))).toEqual([]);
    expect(agentConfigurationProblems("x".repeat(4097))).toEqual([
      "parameterPrefix: the agent's configuration has 4097 bytes with it, and a parameter holds 4096; use shorter names of project, stack and component",
    ]);
  });
});

test("no two clusters share a dashboard's name", () => {
  expect(dashboardNameOf("/emqx/a-b/c/n")).not.toBe(dashboardNameOf("/emqx/a/b-c/n"));
  const part = fc.string({ unit: fc.constantFrom("a", "-", "_", "."), minLength: 1, maxLength: 4 });
  const path = fc.tuple(part, part, part).map((parts) => `/emqx/${parts.join("/")}`);
  fc.assert(
    fc.property(path, path, (one, other) => {
      expect(dashboardNameOf(one)).toMatch(/^[0-9A-Za-z_-]{1,255}$/);
      expect(dashboardNameOf(one) === dashboardNameOf(other)).toBe(one === other);
    }),
  );
});
