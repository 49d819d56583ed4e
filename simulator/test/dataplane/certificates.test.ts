/** Certificates that change under clients: one that stays connected, and others that connect one after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { connect as tlsConnect } from "node:tls";
import * as pulumi from "@pulumi/pulumi";
import { connect, MqttClient } from "mqtt";
import { EmqxDeployment } from "../../../components/deployment/emqxDeployment";
import { names, RegionMocks } from "../..";
import { renew, replaceListenerCertificate } from "../../certificateOperations";
import { RunningMachines, runMachines } from "../../dataplane/regionHost";
import { eventually } from "../../../test/waiting";

const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const other = "arn:aws:acm:eu-west-1:123456789012:certificate/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02";

let mocks: RegionMocks;
let running: RunningMachines;
let held: MqttClient;
let closes = 0;

beforeAll(async () => {
  mocks = new RegionMocks();
  running = runMachines(mocks.cloud, {
    clocks: { healthChecks: 0.01, boot: 0.01, cluster: 0.02, draining: 0.01 },
  });
  mocks.cloud.machines.attach(running.host);
  await pulumi.runtime.setMocks(mocks, "emqx-aws", "test", false);
  new EmqxDeployment("emqx", {
    availabilityZones: ["eu-west-1a"],
    nodeCount: 1,
    certificate: { arn: certificateArn },
  });
  await pulumi.runtime.disconnect();
  await eventually("TLS is on", () => endpoint()?.problem === undefined);
  await eventually("the node is in service", () =>
    running.plane
      .loadBalancers()
      .every(({ health }) => Object.values(health).every(({ state }) => state === "InService")),
  );
  const [password] = mocks.account.list(names.parameter).filter(({ id }) => id.endsWith("/mqtt-password"));
  held = connect(`mqtts://127.0.0.1:${endpoint()!.port}`, {
    username: "mqtt",
    password: password!.attributes["value"] as string,
    rejectUnauthorized: false,
    reconnectPeriod: 0,
  });
  held.on("close", () => closes++);
  await new Promise((resolve, reject) => held.once("connect", resolve).once("error", reject));
}, 60_000);

afterAll(async () => {
  await held.endAsync(true);
  await mocks.cloud.machines.dispose();
});

function endpoint() {
  return running.plane.endpoints().find(({ protocol }) => protocol === "SSL");
}

/** The fingerprint of the certificate that a new connection is shown. */
function handshake(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ host: "127.0.0.1", port: endpoint()!.port, rejectUnauthorized: false });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/** Connects one after the other from before a change until after it; what they were shown, and how many were refused. */
async function connecting(change: () => Promise<unknown>) {
  let isOver = false;
  const shown: string[] = [];
  let refused = 0;
  const connects = (async () => {
    while (!isOver) {
      try {
        shown.push(await handshake());
      } catch {
        refused++;
        await sleep(5);
      }
    }
  })();
  await eventually("some have connected", () => shown.length >= 10);
  await change();
  const before = shown[0]!;
  await eventually("they are shown another certificate", () => shown.at(-1) !== before);
  isOver = true;
  await connects;
  await held.publishAsync("still", "there", { qos: 1 });
  return { kinds: new Set(shown).size, accepted: shown.length, refused, closes };
}

const perfect = { kinds: 2, refused: 0, closes: 0 };

test("renewed under its ARN: new connections get it, none is refused, the present one stays", async () => {
  expect(await connecting(() => renew(mocks.cloud, certificateArn, 395))).toMatchObject(perfect);
});

test("another one put on the running listener: the same", async () => {
  const [balancer] = mocks.account.list(names.loadBalancer);
  const change = { loadBalancer: balancer!.id, port: 8883, arn: other };
  expect(await connecting(() => replaceListenerCertificate(mocks.cloud, change))).toMatchObject(perfect);
});

test("changed by the provider, which makes the listener anew: new connections are refused for a while", async () => {
  const [balancer] = mocks.account.list(names.loadBalancer);
  const olds = mocks.cloud.outputs(balancer!);
  const listeners = (olds["listeners"] as { sslCertificateId?: string }[]).map((listener) =>
    listener.sslCertificateId ? { ...listener, sslCertificateId: certificateArn } : listener,
  );
  const started = Date.now();
  const { refused, kinds } = await connecting(() =>
    mocks.cloud.update(names.loadBalancer, { region: "eu-west-1" }, balancer!.id, olds, {
      ...olds,
      listeners,
    }),
  );
  expect(refused).toBeGreaterThan(0);
  expect(Date.now() - started).toBeGreaterThan(1000);
  expect({ kinds, closes }).toEqual({ kinds: 2, closes: 0 });
}, 20_000);
