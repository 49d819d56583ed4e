/** The whole deployment, as the components register it, in the region that carries MQTT. */
import * as pulumi from "@pulumi/pulumi";
import * as lb from "@pulumi/aws/lb";
import { EmqxDeployment } from "../../../components/deployment/emqxDeployment";
import { EmqxNetworkLoadBalancer } from "../../../components/networkLoadBalancer/emqxNetworkLoadBalancer";
import { RegionMocks } from "../..";
import { DataPlane } from "../../dataplane/dataPlane";
import { attachDataPlane } from "../../dataplane/regionHost";
import { connect, MqttClient } from "mqtt";
import { valueOf } from "../../../test/support";
import { eventually } from "../../../test/waiting";

let plane: DataPlane;
let mocks: RegionMocks;
let certificate: string | undefined;
let networkCertificate: string | undefined;
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
  const network = new EmqxNetworkLoadBalancer("nlb", {
    vpcId: deployment.vpcId,
    subnetIds: deployment.publicSubnetIds,
    securityGroupIds: [deployment.loadBalancerSecurityGroupId],
    certificate: { selfSigned: {} },
    proxyProtocol: true,
  });
  const registered = deployment.instanceIds.flatMap((targetId, node) =>
    network.targetGroupArns.map(
      (targetGroupArn, group) =>
        new lb.TargetGroupAttachment(`nlb-${node}-${group}`, { targetGroupArn, targetId }),
    ),
  );
  await valueOf(pulumi.all(registered.map(({ id }) => id)));
  networkCertificate = await valueOf(pulumi.output(network.caCertificatePem));
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

async function client(loadBalancerPort: number, isNetwork = false): Promise<MqttClient> {
  const { port, problem, dnsName } = plane
    .endpoints()
    .find(
      (one) => one.loadBalancerPort === loadBalancerPort && one.dnsName.startsWith("nlb-") === isNetwork,
    )!;
  expect(problem).toBeUndefined();
  const tls = {
    ca: isNetwork ? networkCertificate : certificate,
    servername: dnsName,
    rejectUnauthorized: true,
  };
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

test.each([1883, 8883])(
  "listener %i of a Network Load Balancer beside it leads to the same nodes",
  async (port) => {
    await eventually("they are healthy", () =>
      plane.loadBalancers().every(({ health }) => {
        const states = Object.values(health).map(({ state }) => state);
        return states.length === 2 && states.every((state) => state === "InService");
      }),
    );
    const before = plane.machines().map((machine) => machine.emqx!.connections);
    await client(port, true);
    const publisher = await client(port, true);
    await publisher.publishAsync("a/b", "taken", { qos: 1 });
    expect(plane.machines().map((machine) => machine.emqx!.connections)).toEqual(
      before.map((count) => count + 1),
    );
  },
);

test("the client CIDRs of the deployment are what lets clients in", async () => {
  const rules = mocks.account
    .list("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    .filter(({ attributes }) => attributes["fromPort"] === 1883 && attributes["cidrIpv4"] === "0.0.0.0/0");
  expect(rules).toHaveLength(1);
  mocks.account.update(rules[0]!, { cidrIpv4: "198.51.100.0/24" });
  await eventually("nobody is let in", () =>
    plane
      .endpoints()
      .filter(({ loadBalancerPort }) => loadBalancerPort === 1883)
      .every(({ problem }) => problem !== undefined),
  );
});
