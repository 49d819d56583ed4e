/** What alarms see of the region: a node without power, a certificate that ends. */
import * as pulumi from "@pulumi/pulumi";
import { EmqxDeployment, EmqxMonitoring } from "../../../components";
import { names, RegionMocks, type StoredResource } from "../..";
import { ControlServer } from "../../control";
import { RegionClient } from "../../client";
import { alarmStatus, type Measured } from "../../dataplane/alarms";
import { addDataPlaneRoutes } from "../../dataplane/controlRoutes";
import { runMachines } from "../../dataplane/regionHost";
import { eventually } from "../../../test/waiting";

const prefix = "/emqx/emqx-aws/test/emqx-nodes";
const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";

describe("one alarm", () => {
  const alarm = (changes: object): StoredResource => ({
    type: names.metricAlarm,
    id: "a",
    region: "eu-west-1",
    attributes: {
      namespace: "AWS/ELB",
      metricName: "HealthyHostCount",
      comparisonOperator: "LessThanThreshold",
      threshold: 3,
      period: 60,
      evaluationPeriods: 20,
      treatMissingData: "breaching",
      ...changes,
    },
    hidden: {},
    implicit: false,
    createdAt: "",
  });
  const rows: [string, object, Measured, string, RegExp][] = [
    ["as it should be", {}, { value: 3 }, "OK", /is 3, the alarm is for < 3$/],
    ["below", {}, { value: 2 }, "ALARM", /is 2, the alarm is for < 3, once it has been so for 20 min$/],
    ["at least", { comparisonOperator: "GreaterThanOrEqualToThreshold" }, { value: 3 }, "ALARM", />= 3/],
    ["above", { comparisonOperator: "GreaterThanThreshold" }, { value: 3 }, "OK", /> 3$/],
    [
      "missing is bad",
      {},
      { missing: "none registered" },
      "ALARM",
      /none registered; missing data is breach/,
    ],
    ["missing is good", { treatMissingData: "notBreaching" }, { missing: "none" }, "OK", /notBreaching$/],
    ["missing is nothing", { treatMissingData: "missing" }, { missing: "none" }, "no data", /is missing$/],
    ["missing is ignored", { treatMissingData: "ignore" }, { missing: "none" }, "no data", /is ignored$/],
    ["not measured, whatever missing means", {}, { unmeasured: true }, "no data", /does not measure it$/],
    [
      "with an action",
      { alarmActions: ["arn:aws:sns:eu-west-1:1:t", "arn:aws:automate:eu-west-1:ec2:reboot"] },
      { value: 0 },
      "ALARM",
      /; EC2 would reboot the instance then$/,
    ],
  ];
  test.each(rows)("%s", (_, changes, measured, state, why) => {
    const asked: unknown[] = [];
    const status = alarmStatus(alarm(changes), (metric, dimensions) => {
      asked.push(metric, dimensions);
      return measured;
    });
    expect(asked).toEqual(["AWS/ELB HealthyHostCount", {}]);
    expect(status).toMatchObject({ name: "a", region: "eu-west-1", state });
    expect(status.why).toMatch(why);
  });
});

describe("the alarms of a cluster", () => {
  let mocks: RegionMocks;
  let control: ControlServer;
  let client: RegionClient;
  const instance = () => mocks.named("emqx-nodes-0", names.instance).id!;
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await client.alarms()).map(({ name, state }) => [name.slice(prefix.length + 1), state]),
    );
  const why = async (alarm: string) =>
    (await client.alarms()).find(({ name }) => name === `${prefix}/${alarm}`)!.why;

  beforeAll(async () => {
    mocks = new RegionMocks();
    const running = runMachines(mocks.cloud, {
      clocks: { healthChecks: 0.01, boot: 0.01, cluster: 0.02, draining: 0.01 },
    });
    mocks.cloud.machines.attach(running.host);
    control = new ControlServer(mocks.cloud, { shutdown: () => Promise.resolve() });
    addDataPlaneRoutes(control, running);
    client = new RegionClient({ controlPort: await control.listen(), token: control.token });
    await pulumi.runtime.setMocks(mocks, "emqx-aws", "test", false);
    const emqx = new EmqxDeployment("emqx", {
      availabilityZones: ["eu-west-1a"],
      nodeCount: 1,
      certificate: { arn: certificateArn },
    });
    new EmqxMonitoring("watch", {
      loadBalancerName: emqx.loadBalancerName,
      nodes: [{ instanceId: emqx.instanceIds[0]!, nodeName: emqx.nodeNames[0]! }],
      parameterPrefix: prefix,
      roleName: emqx.loadBalancerName.apply(() => mocks.ofType(names.role)[0]!.id!),
      certificateArn,
    });
    await pulumi.runtime.disconnect();
  }, 60_000);

  afterAll(async () => {
    await control.close();
    await mocks.cloud.machines.dispose();
  });

  const well = {
    "0-cpu": "no data",
    "0-data-volume": "no data",
    "0-instance-check": "OK",
    "0-memory": "no data",
    "0-system-check": "OK",
    "backend-connection-errors": "no data",
    certificate: "OK",
    "healthy-hosts": "OK",
    "no-healthy-host": "OK",
    spillover: "no data",
    "surge-queue": "no data",
    "unhealthy-hosts": "OK",
  };

  test("are OK as long as all is well, and say what the region does not measure", async () => {
    expect(await states()).toEqual(well);
    expect(await why("certificate")).toMatch(/^AWS\/CertificateManager DaysToExpiry is \d+, .* < 30$/);
    expect(await why("0-memory")).toBe("EMQX mem_used_percent: the simulated region does not measure it");
  });

  test("see a node without power, and that EC2 would bring it back", async () => {
    await client.drill("kill", { instance: instance() });
    await eventually("it is out of service", async () => (await states())["unhealthy-hosts"] === "ALARM");
    expect(await states()).toEqual({
      ...well,
      "0-instance-check": "ALARM",
      "0-system-check": "ALARM",
      "healthy-hosts": "ALARM",
      "no-healthy-host": "ALARM",
      "unhealthy-hosts": "ALARM",
    });
    expect(await why("0-system-check")).toMatch(/once it has been so for 2 min; EC2 would recover/);
    await client.drill("restart", { instance: instance() });
    await eventually("all is well", async () => JSON.stringify(await states()) === JSON.stringify(well));
  });

  test("cannot see an expired certificate, of which ACM counts no days", async () => {
    await client.drill("expire-certificate", { arn: certificateArn });
    expect((await states())["certificate"]).toBe("no data");
    expect(await why("certificate")).toMatch(/has expired, and ACM counts no more; missing data is ignored$/);
    await client.drill("renew-certificate", { arn: certificateArn });
    expect((await states())["certificate"]).toBe("OK");
  });
});
