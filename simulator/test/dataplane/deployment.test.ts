/** The whole deployment, as the components register it, in the region that carries MQTT. */
import * as pulumi from "@pulumi/pulumi";
import { EmqxDeployment } from "../../../components/deployment/emqxDeployment";
import { RegionMocks } from "../..";
import { DataPlane } from "../../dataplane/dataPlane";
import { attachDataPlane } from "../../dataplane/regionHost";
import { connect, MqttClient } from "mqtt";
import { valueOf } from "../../../test/support";
import { eventually } from "../../../test/waiting";

let plane: DataPlane;
let mocks: RegionMocks;
let certificate: string | undefined;
let username: string | undefined;
const clients: MqttClient[] = [];
const lines: string[] = [];

beforeAll(async () => {
  mocks = new RegionMocks();
  plane = await attachDataPlane(mocks.cloud, {
    clocks: { healthChecks: 0.01, boot: 0.01, cluster: 0.02, draining: 0.01 },
    log: (line) => lines.push(line),
  });
  await pulumi.runtime.setMocks(mocks, "emqx-aws", "test", false);
  const deployment = new EmqxDeployment("emqx", {
    availabilityZones: ["eu-west-1a", "eu-west-1b"],
    nodeCount: 2,
    certificate: { selfSigned: {} },
    listeners: ["Mqtt", "Mqtts", "Wss"],
    classicElb: { proxyProtocol: true },
  });
  certificate = await valueOf(pulumi.output(deployment.caCertificatePem));
  username = await valueOf(deployment.mqttUsername);
  await pulumi.runtime.disconnect();
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await plane.stop();
});

function parameter(name: string): string {
  const found = mocks.account.list("aws:ssm/parameter:Parameter").find(({ id }) => id.endsWith(`/${name}`));
  return String(found?.attributes["value"]);
}

async function client(loadBalancerPort: number): Promise<MqttClient> {
  const { port, problem, dnsName } = plane
    .endpoints()
    .find((one) => one.loadBalancerPort === loadBalancerPort)!;
  expect(problem).toBeUndefined();
  const tls = { ca: certificate, servername: dnsName, rejectUnauthorized: true };
  const url = { 1883: "mqtt", 8883: "mqtts", 8084: "wss" }[loadBalancerPort];
  const connection = connect(`${url}://127.0.0.1:${port}${url === "wss" ? "/mqtt" : ""}`, {
    username,
    password: parameter("mqtt-password"),
    reconnectPeriod: 0,
    protocolVersion: 5,
    ...tls,
    wsOptions: tls,
  });
  clients.push(connection);
  await new Promise<void>((resolve, reject) => {
    connection.once("connect", () => resolve());
    connection.on("error", reject);
    connection.once("close", () => reject(new Error(`closed\n${lines.join("\n")}`)));
  });
  return connection;
}

test("the nodes have reported themselves ready, and are one cluster", () => {
  const machines = plane.machines();
  expect(machines.map(({ phase }) => phase)).toEqual(["ready", "ready"]);
  for (const machine of machines) {
    expect(machine.emqx!.running).toHaveLength(2);
    expect(mocks.cloud.machines.consoles.read(machine.instanceId)).toContain("is ready");
  }
});

test.each([1883, 8883, 8084])("a message crosses the cluster through listener %i", async (port) => {
  const before = plane.machines().map((machine) => machine.emqx!.connections);
  const subscriber = await client(port);
  const publisher = await client(port);
  expect(plane.machines().map((machine) => machine.emqx!.connections)).toEqual(
    before.map((count) => count + 1),
  );
  const arrived = new Promise<string>((resolve) =>
    subscriber.once("message", (_topic, body) => resolve(String(body))),
  );
  await subscriber.subscribeAsync("a/b", { qos: 2 });
  await publisher.publishAsync("a/b", `through ${port}`, { qos: 2 });
  expect(await arrived).toBe(`through ${port}`);
});

test("the client CIDRs of the deployment are what lets clients in", async () => {
  const rules = mocks.account
    .list("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    .filter(({ attributes }) => attributes["fromPort"] === 1883 && attributes["cidrIpv4"] === "0.0.0.0/0");
  expect(rules).toHaveLength(1);
  mocks.account.update(rules[0]!, { cidrIpv4: "198.51.100.0/24" });
  await eventually("nobody is let in", () =>
    plane
      .endpoints()
      .some(({ loadBalancerPort, problem }) => loadBalancerPort === 1883 && problem !== undefined),
  );
});
