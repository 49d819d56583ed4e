/** The data plane as the region's process runs it: behind its machines, with its control endpoint. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { connect } from "node:tls";
import { operations } from "../../../components/emqx/operations";
import { EmqxDeployment } from "../../../components/deployment/emqxDeployment";
import { RegionMocks } from "../..";
import { ControlServer } from "../../control";
import { addDataPlaneRoutes } from "../../dataplane/controlRoutes";
import { Endpoint } from "../../dataplane/elb/listener";
import { MachineStatus } from "../../dataplane/dataPlane";
import { runMachines } from "../../dataplane/regionHost";
import { parse } from "yaml";
import { eventually } from "../../../test/waiting";

const account = parse(readFileSync(join(__dirname, "../../../simulator/account.yaml"), "utf8")) as {
  certificates: { arn: string; names: string[] }[];
};
const seeded = account.certificates.find(({ arn }) => arn.includes(":eu-west-1:"))!;

let mocks: RegionMocks;
let control: ControlServer;
let port: number;

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${control.token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${response.status} ${text}`);
  }
  return (response.headers.get("content-type")?.startsWith("text/plain") ? text : JSON.parse(text)) as T;
}

beforeAll(async () => {
  mocks = new RegionMocks();
  const running = runMachines(mocks.cloud, {
    clocks: { healthChecks: 0.01, boot: 0.01, cluster: 0.02, draining: 0.01 },
  });
  mocks.cloud.machines.attach(running.host);
  control = new ControlServer(mocks.cloud, { shutdown: () => Promise.resolve() });
  addDataPlaneRoutes(control, running);
  port = await control.listen();
  await pulumi.runtime.setMocks(mocks, "emqx-aws", "test", false);
  new EmqxDeployment("emqx", {
    availabilityZones: ["eu-west-1a"],
    nodeCount: 1,
    certificate: { arn: seeded.arn },
  });
  await pulumi.runtime.disconnect();
}, 60_000);

afterAll(async () => {
  await control.close();
  await mocks.cloud.machines.dispose();
});

test("a certificate that the account came with is served under its names, and can be had to trust", async () => {
  await eventually("TLS is on", async () =>
    (await call<Endpoint[]>("GET", "/endpoints")).every(({ problem }) => problem === undefined),
  );
  const endpoint = (await call<Endpoint[]>("GET", "/endpoints")).find(({ protocol }) => protocol === "SSL")!;
  const ca = await call<string>("GET", `/certificate?arn=${encodeURIComponent(seeded.arn)}`);
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port, ca, servername: seeded.names[0] });
    socket.once("secureConnect", () => resolve());
    socket.once("error", reject);
    socket.unref();
  });
  await expect(call("GET", "/certificate?arn=other")).rejects.toThrow(/^404/);
});

test("machines and load balancers can be looked at, drills be run", async () => {
  const [machine] = await call<MachineStatus[]>("GET", "/machines");
  expect(machine).toMatchObject({ phase: "ready", emqx: { running: [expect.stringMatching(/^emqx@/)] } });
  const health = async () => {
    const [status] = await call<{ health: Record<string, { state: string }> }[]>("GET", "/load-balancers");
    return status!.health[machine!.instanceId]!.state;
  };
  expect(await health()).toBe("InService");
  await call("POST", "/drill/health-check", { instance: machine!.instanceId });
  await eventually("it is out of service", async () => (await health()) === "OutOfService");
  await call("POST", "/drill/health-check", { instance: machine!.instanceId, broken: false });
  await eventually("it is back", async () => (await health()) === "InService");
  await expect(call("POST", "/drill/kill", { instance: "i-nobody" })).rejects.toThrow(
    /^404 .*there is no running machine i-nobody/,
  );
  await expect(call("POST", "/drill/cut-zone", {})).rejects.toThrow(/^400 .*\\"zone\\" is missing/);
});

test("a node that was told not to come up does once it may", async () => {
  const [machine] = await call<MachineStatus[]>("GET", "/machines");
  await call("POST", "/faults/boot", { node: 0 });
  await call("POST", "/drill/restart", { instance: machine!.instanceId });
  const present = async () => (await call<MachineStatus[]>("GET", "/machines"))[0]!;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await present()).toMatchObject({ phase: "booting" });
  await call("POST", "/faults/boot", { node: 0, fails: false });
  await eventually("it is ready", async () => (await present()).phase === "ready", 60);
});

test("an operation runs on a machine, and what the node says of it comes back", async () => {
  const [machine] = await call<MachineStatus[]>("GET", "/machines");
  const operate = (body: object) => call("POST", "/operate", { instance: machine!.instanceId, ...body });
  const known = Object.keys(operations).sort().join(" ");
  const said = `NODE 0 FAILED while nonsense: no such operation: ${known}`;
  await expect(operate({ operation: "nonsense" })).resolves.toEqual({
    exitCode: 1,
    lines: [expect.stringContaining(said)],
  });
  expect(await call("GET", `/console?instance=${machine!.instanceId}`)).toContain(said);
  await expect(operate({ operation: "x", instance: "i-nobody" })).rejects.toThrow(
    /^404 .*there is no running machine i-nobody/,
  );
  await expect(operate({})).rejects.toThrow(/^400 .*\\"operation\\" is missing/);
  await expect(operate({ operation: "x", args: "y" })).rejects.toThrow(
    /^400 .*\\"args\\" is a list of texts/,
  );

  await call("POST", "/drill/kill", { instance: machine!.instanceId });
  await expect(operate({ operation: "x" })).rejects.toThrow(/^404 .*does not answer: it has no power/);
});
