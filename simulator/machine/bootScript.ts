/**
 * What the nodes' boot script does, acted out step by step: the script's own `begin "…"` lines give the steps and their
 * order, and each one has the needs and the failures of the real one. What is not simulated is not pretended: a step
 * nobody knows here is said to be skipped.
 */
import { Verdict } from "../dataplane/reachability";
import { RoleCalls } from "../dataplane/regionView";
import { ClusterStatus } from "../dataplane/cluster/membership";
import { EmqxSettings } from "./emqxSettings";
import { FileSystem, parseEnvironment } from "./fileSystem";
import { installShippedFiles, installedPackage, serviceEnvironment } from "./packages";

/** The machine as the script sees it. */
export interface BootMachine {
  files: FileSystem;
  instanceId: string;
  privateIp: string;
  architecture: string;
  role: RoleCalls;
  /** The volume attached under one of these device names, if any. */
  volumeAt(devices: string[]): string | undefined;
  /** Makes a file system unless there is one; answers whether there was. */
  formatVolume(volumeId: string): boolean;
  mountVolume(volumeId: string): void;
  egress(host: string, port: number): Verdict;
  startEmqx(version: string, environment: Record<string, string>): Promise<EmqxSettings>;
  emqxRuns(): boolean;
  cluster(): ClusterStatus;
  clusterProblems(): Record<string, string>;
  /** Whether something at a private address takes a connection on this port. */
  dial(address: string, port: number): Promise<boolean>;
  /** Waits for so many (scaled) seconds; rejects when the machine is switched off meanwhile. */
  sleep(seconds: number): Promise<void>;
  /** Whether a fault keeps this node of a cluster from coming up. */
  failsBoot(parameterPrefix: string, nodeNumber: number): boolean;
  /** Scaled seconds since the boot began. */
  now(): number;
  say(line: string): void;
}

interface BootState {
  machine: BootMachine;
  /** node.env */
  values: Record<string, string>;
  deadline: number;
  volumeId?: string;
  version: string;
  settings?: EmqxSettings;
}

const nodeEnvironment = "/etc/emqx-node/node.env";
const folder = "/etc/emqx-node";
const pauseSeconds = 5;
const passwordRule = {
  pattern: /^[A-Za-z0-9!#%&()*+./:;<=>?@^_{|}~-]{8,64}$/,
  words: "8 to 64 letters, digits or signs other than quotes, comma, backslash and dollar",
};

/** Steps by the beginning of their name in the script. */
const steps: [name: string, run: (state: BootState) => Promise<void>][] = [
  ["waiting for the data volume", waitForVolume],
  ["mounting ", mountVolume],
  ["setting kernel limits", setKernelLimits],
  ["installing ", installPackage],
  ["configuring EMQX", configure],
  ["reading the parameters", readParameters],
  ["starting EMQX", start],
  ["joining the cluster", join],
  // The metadata service answers from inside the machine, whatever the network.
  ["asking for the instance's id", () => Promise.resolve()],
  ["waiting for the load balancers", waitForLoadBalancers],
  ["reporting ", report],
];

/** The steps that a boot script announces, in its order. */
export function announcedSteps(script: string): string[] {
  return [...script.matchAll(/^\s*begin "([^"]*)"/gm)].map((match) => match[1]!);
}

/** Steps of a script that would be skipped here. */
export function unknownSteps(script: string): string[] {
  return announcedSteps(script).filter((name) => stepFor(name) === undefined);
}

/** Acts out the script; rejects with the script's last words when it fails. */
export async function actOut(script: string, machine: BootMachine): Promise<void> {
  const file = machine.files.get(nodeEnvironment);
  if (file === undefined) {
    throw new Error(`${nodeEnvironment}: No such file or directory`);
  }
  const values = parseEnvironment(file.content);
  const node = values["NODE_NUMBER"] ?? "?";
  const timeout = Number(values["READINESS_TIMEOUT_SECONDS"] ?? 900);
  const state: BootState = {
    machine,
    values,
    deadline: machine.now() + timeout,
    version: values["VERSION"] ?? "",
  };
  const prefix = values["PARAMETER_PREFIX"] ?? "";
  await until(state, timeout, async () =>
    machine.failsBoot(prefix, Number(node)) ? `NODE ${node} FAILED: it was told not to come up` : undefined,
  );
  for (const announced of announcedSteps(script)) {
    const run = stepFor(announced);
    const name = fillIn(announced, state);
    machine.say(`emqx-node: ${name}`);
    if (run === undefined) {
      machine.say("emqx-node: (this step is unknown to the simulation and skipped)");
      continue;
    }
    try {
      await run(state);
    } catch (error) {
      throw new Error(`NODE ${node} FAILED while ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
  machine.say(`emqx-node: node ${node} is ready`);
}

function stepFor(announced: string): ((state: BootState) => Promise<void>) | undefined {
  return steps.find(([name]) => announced.startsWith(name))?.[1];
}

function fillIn(announced: string, { machine, values }: BootState): string {
  const known: Record<string, string> = { ...values, id: machine.instanceId, device: "/dev/sdf" };
  return announced.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => known[name] ?? whole);
}

/** Again and again until it gives no reason against itself, or the time is up. */
async function until(
  state: BootState,
  seconds: number,
  attempt: () => Promise<string | undefined>,
): Promise<void> {
  const end = Math.min(state.machine.now() + seconds, state.deadline);
  for (;;) {
    const problem = await attempt();
    if (problem === undefined) {
      return;
    }
    if (state.machine.now() >= end) {
      throw new Error(problem);
    }
    await state.machine.sleep(pauseSeconds);
  }
}

function readinessTimeout(state: BootState): number {
  return Number(state.values["READINESS_TIMEOUT_SECONDS"] ?? 900);
}

async function waitForVolume(state: BootState): Promise<void> {
  await until(state, readinessTimeout(state), async () => {
    state.volumeId = state.machine.volumeAt(["/dev/sdf", "/dev/xvdf", "sdf", "xvdf"]);
    return state.volumeId === undefined ? "no device is attached as /dev/sdf" : undefined;
  });
}

async function mountVolume({ machine, volumeId }: BootState): Promise<void> {
  if (volumeId === undefined) {
    throw new Error("there is no volume to mount");
  }
  if (!machine.formatVolume(volumeId)) {
    machine.say(`emqx-node: formatting ${volumeId}`);
  }
  machine.mountVolume(volumeId);
}

async function setKernelLimits({ machine }: BootState): Promise<void> {
  if (!machine.files.has("/etc/sysctl.d/90-emqx.conf")) {
    throw new Error("/etc/sysctl.d/90-emqx.conf: No such file or directory");
  }
}

async function installPackage(state: BootState): Promise<void> {
  const { machine, values } = state;
  const url = values["PACKAGE_URL"] ?? "";
  const sum = values["PACKAGE_SHA256"] ?? "";
  const { host, port } = httpsUrl(url);
  if (sum !== "" && !/^[0-9a-f]{64}$/.test(sum)) {
    throw new Error("its checksum is not a SHA-256 sum");
  }
  await until(state, 180, async () => {
    const verdict = machine.egress(host, port);
    return verdict.allowed
      ? undefined
      : `curl: (28) Failed to connect to ${host} port ${port}: ${verdict.reason}`;
  });
  state.version = installedPackage(url, machine.architecture, values);
}

async function configure({ machine }: BootState): Promise<void> {
  installShippedFiles(machine.files);
  const extra = machine.files.get(`${folder}/vm.args`);
  const shipped = machine.files.get("/etc/emqx/vm.args")?.content ?? "";
  const missing = (extra?.content ?? "")
    .split("\n")
    .filter((line) => line !== "" && !shipped.split("\n").includes(line));
  machine.files.set("/etc/emqx/vm.args", {
    content: shipped + missing.map((line) => `${line}\n`).join(""),
    mode: 0o644,
    owner: "root:root",
  });
  const variables = "/usr/lib/emqx/releases/emqx_vars";
  machine.files.set(variables, {
    content: `set -a; . ${folder}/emqx.env; set +a\n`,
    mode: 0o644,
    owner: "root:root",
  });
}

async function readParameters(state: BootState): Promise<void> {
  const { machine, values } = state;
  const put = (path: string, owner: string, content: string, mode: number) =>
    machine.files.set(path, { content, mode, owner });
  const cookie = await secret(
    state,
    "cookie",
    /^[A-Za-z][A-Za-z0-9]{31,254}$/,
    "a letter and at least 31 letters or digits",
  );
  const dashboard = await secret(state, "dashboard-password", passwordRule.pattern, passwordRule.words);
  const user = values["MQTT_USERNAME"] ?? "";
  if (user !== "") {
    const password = await secret(state, "mqtt-password", passwordRule.pattern, passwordRule.words);
    put(
      `${folder}/mqtt-users.csv`,
      "root:emqx",
      `user_id,password,is_superuser\n${user},${password},false\n`,
      0o640,
    );
  }
  if (values["HAS_LICENSE"] === "true") {
    const key = await secret(state, "license-key", /^\S+$/, "a licence key in one line");
    put(`${folder}/license.key`, "root:emqx", key, 0o640);
  }
  const environment = `EMQX_NODE__COOKIE=${cookie}\nEMQX_DASHBOARD__DEFAULT_PASSWORD='"${dashboard}"'\n`;
  put(`${folder}/secrets.env`, "root:root", environment, 0o600);
}

async function secret(state: BootState, name: string, pattern: RegExp, rule: string): Promise<string> {
  const path = `${state.values["PARAMETER_PREFIX"]}/${name}`;
  let value = "";
  try {
    await until(state, 300, async () => {
      const answer = await parameter(state, name);
      value = answer.value ?? "";
      return answer.problem;
    });
  } catch (error) {
    throw new Error(`parameter ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (!pattern.test(value)) {
    throw new Error(`parameter ${path} must be ${rule}`);
  }
  return value;
}

/** `aws ssm get-parameter --with-decryption`: needs a way to the service, then the role's permission. */
async function parameter(state: BootState, name: string): Promise<{ value?: string; problem?: string }> {
  return awsCall(state, "ssm", async () =>
    state.machine.role.getParameter(`${state.values["PARAMETER_PREFIX"]}/${name}`, true),
  );
}

async function awsCall<T>(
  state: BootState,
  service: string,
  call: () => Promise<T>,
): Promise<{ value?: T; problem?: string }> {
  const host = `${service}.${state.values["REGION"]}.amazonaws.com`;
  const verdict = state.machine.egress(host, 443);
  if (!verdict.allowed) {
    return { problem: `Could not connect to the endpoint URL: "https://${host}/": ${verdict.reason}` };
  }
  try {
    return { value: await call() };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

async function start(state: BootState): Promise<void> {
  const { machine } = state;
  const environment = serviceEnvironment(machine.files);
  state.settings = await machine.startEmqx(state.version, environment);
  await until(state, readinessTimeout(state), async () => {
    if (!machine.emqxRuns()) {
      return "it does not run, see the lines of emqx above";
    }
    return state.settings?.dashboard?.port === 18083
      ? undefined
      : "it does not run: curl: (7) Failed to connect to 127.0.0.1 port 18083";
  });
}

async function join(state: BootState): Promise<void> {
  const { machine, values, settings } = state;
  const port = Number(values["DISTRIBUTION_PORT"]);
  const seeds = (settings?.seeds ?? []).filter((seed) => seed !== settings?.nodeName);
  await until(state, readinessTimeout(state), async () => {
    const up = await Promise.all(
      seeds.map(async (seed) => ((await machine.dial(seed.split("@")[1] ?? "", port)) ? seed : undefined)),
    );
    const { running } = machine.cluster();
    const missing = up.find((seed) => seed !== undefined && !running.includes(seed));
    const why = missing === undefined ? undefined : machine.clusterProblems()[missing];
    return (
      missing &&
      `${missing} is up but not in one cluster with this node${why === undefined ? "" : ` (${why})`}`
    );
  });
}

async function waitForLoadBalancers(state: BootState): Promise<void> {
  const count = Number(state.values["LOAD_BALANCER_COUNT"] ?? 0);
  if (count === 0) {
    return;
  }
  const { machine, values } = state;
  await until(state, readinessTimeout(state), async () => {
    const listed = await parameter(state, "load-balancers");
    if (listed.problem !== undefined) {
      return listed.problem;
    }
    const names = (listed.value ?? "").split(",").filter((name) => name !== "");
    for (const name of names) {
      const health = await awsCall(state, "elasticloadbalancing", () =>
        machine.role.describeInstanceHealth(name, machine.instanceId),
      );
      if (health.problem !== undefined || health.value?.state !== "InService") {
        return `${name}: ${health.problem ?? `${health.value?.state} ${health.value?.description}`}`;
      }
    }
    return names.length === count
      ? undefined
      : `${values["PARAMETER_PREFIX"]}/load-balancers names ${names.length} of ${count} load balancers`;
  });
}

async function report(state: BootState): Promise<void> {
  const { machine, values } = state;
  const name = `nodes/${values["NODE_NUMBER"]}/ready`;
  await until(state, 120, async () => {
    const current = await parameter(state, name);
    if (current.value === machine.instanceId) {
      return undefined;
    }
    if (current.problem !== undefined) {
      return current.problem;
    }
    const path = `${values["PARAMETER_PREFIX"]}/${name}`;
    return (await awsCall(state, "ssm", () => machine.role.putParameter(path, machine.instanceId))).problem;
  });
}

function httpsUrl(url: string): { host: string; port: number } {
  try {
    const parsed = new URL(url);
    if (parsed.protocol === "https:") {
      return { host: parsed.hostname, port: Number(parsed.port || 443) };
    }
  } catch {
    // falls through to the refusal below
  }
  throw new Error(`curl: "${url}" is not an https:// address`);
}
