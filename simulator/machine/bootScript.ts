/**
 * What the nodes' boot script does, acted out step by step: the script's own `begin "…"` lines give the steps and their
 * order, and each one has the needs and the failures of the real one. What is not simulated is not pretended: a step
 * nobody knows here is said to be skipped.
 */
import { EmqxSettings } from "./emqxSettings";
import { installShippedFiles, installedPackage, serviceEnvironment } from "./packages";
import {
  actOutSteps,
  announcedSteps,
  awsCall,
  nodeFolder,
  parameter,
  passwordRule,
  readinessTimeout,
  ScriptMachine,
  ScriptRun,
  secret,
  startScript,
  Step,
  stepFor,
  until,
} from "./script";

/** The machine as the boot script sees it. */
export interface BootMachine extends ScriptMachine {
  architecture: string;
  /** The volume attached under one of these device names, if any. */
  volumeAt(devices: string[]): string | undefined;
  /** Makes a file system unless there is one; answers whether there was. */
  formatVolume(volumeId: string): boolean;
  mountVolume(volumeId: string): void;
  startEmqx(version: string, environment: Record<string, string>): Promise<EmqxSettings>;
  clusterProblems(): Record<string, string>;
  /** Whether something at a private address takes a connection on this port. */
  dial(address: string, port: number): Promise<boolean>;
  /** Whether a fault keeps this node of a cluster from coming up. */
  failsBoot(parameterPrefix: string, nodeNumber: number): boolean;
}

interface BootRun extends ScriptRun {
  machine: BootMachine;
  volumeId?: string;
  version: string;
  settings?: EmqxSettings;
}

/** Steps by the beginning of their name in the script. */
const steps: Step<BootRun>[] = [
  ["waiting for the data volume", waitForVolume],
  ["mounting ", mountVolume],
  ["setting kernel limits", setKernelLimits],
  ["fetching the operations", fetchOperations],
  ["installing ", installPackage],
  ["configuring EMQX", configure],
  ["reading the parameters", readParameters],
  ["starting EMQX", start],
  ["joining the cluster", join],
  ["applying the parameters", ({ machine }) => machine.operate("sync")],
  // The metadata service answers from inside the machine, whatever the network.
  ["asking for the instance's id", () => Promise.resolve()],
  ["waiting for the load balancers", waitForLoadBalancers],
  ["reporting ", report],
];

/** Steps of a script that would be skipped here. */
export function unknownSteps(script: string): string[] {
  return announcedSteps(script).filter((name) => stepFor(steps, name) === undefined);
}

/** Acts out the script; rejects with the script's last words when it fails. */
export async function actOut(script: string, machine: BootMachine): Promise<void> {
  const started = startScript(machine);
  const { values } = started;
  const node = values["NODE_NUMBER"] ?? "?";
  const run: BootRun = {
    ...started,
    machine,
    variables: { id: machine.instanceId, device: "/dev/sdf" },
    version: values["VERSION"] ?? "",
  };
  const prefix = values["PARAMETER_PREFIX"] ?? "";
  await until(run, readinessTimeout(run), async () =>
    machine.failsBoot(prefix, Number(node)) ? `NODE ${node} FAILED: it was told not to come up` : undefined,
  );
  await actOutSteps(script, steps, run);
  for (const part of ["install", "join"].filter((name) => script.includes(`\noperate ${name}\n`))) {
    await actOutSteps(machine.files.get(`${nodeFolder}/operations/${part}`)?.content ?? "", steps, run);
  }
  machine.say(`emqx-node: node ${node} is ready`);
}

async function waitForVolume(run: BootRun): Promise<void> {
  await until(run, readinessTimeout(run), async () => {
    run.volumeId = run.machine.volumeAt(["/dev/sdf", "/dev/xvdf", "sdf", "xvdf"]);
    return run.volumeId === undefined ? "no device is attached as /dev/sdf" : undefined;
  });
}

async function mountVolume({ machine, volumeId }: BootRun): Promise<void> {
  if (volumeId === undefined) {
    throw new Error("there is no volume to mount");
  }
  if (!machine.formatVolume(volumeId)) {
    machine.say(`emqx-node: formatting ${volumeId}`);
  }
  machine.mountVolume(volumeId);
}

async function setKernelLimits({ machine }: BootRun): Promise<void> {
  if (!machine.files.has("/etc/sysctl.d/90-emqx.conf")) {
    throw new Error("/etc/sysctl.d/90-emqx.conf: No such file or directory");
  }
}

async function fetchOperations(run: BootRun): Promise<void> {
  for (const name of ["sync", "services", "upkeep", "install", "join"]) {
    const script = await secret(run, `operations/${name}`, /./, "a script");
    run.machine.files.set(`${nodeFolder}/operations/${name}`, {
      content: script,
      mode: 0o644,
      owner: "root:root",
    });
  }
  await run.machine.operate("sync");
}

async function installPackage(run: BootRun): Promise<void> {
  const { machine, values } = run;
  const url = values["PACKAGE_URL"] ?? "";
  const sum = values["PACKAGE_SHA256"] ?? "";
  const { host, port } = httpsUrl(url);
  if (sum !== "" && !/^[0-9a-f]{64}$/.test(sum)) {
    throw new Error("its checksum is not a SHA-256 sum");
  }
  await until(run, 180, async () => {
    const verdict = machine.egress(host, port);
    return verdict.allowed
      ? undefined
      : `curl: (28) Failed to connect to ${host} port ${port}: ${verdict.reason}`;
  });
  run.version = installedPackage(url, machine.architecture, values);
}

async function configure({ machine }: BootRun): Promise<void> {
  installShippedFiles(machine.files);
  const extra = machine.files.get(`${nodeFolder}/vm.args`);
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
    content: `set -a; . ${nodeFolder}/emqx.env; set +a\n`,
    mode: 0o644,
    owner: "root:root",
  });
}

async function readParameters(run: BootRun): Promise<void> {
  const { machine, values } = run;
  const put = (path: string, owner: string, content: string, mode: number) =>
    machine.files.set(path, { content, mode, owner });
  const cookie = await secret(
    run,
    "cookie",
    /^[A-Za-z][A-Za-z0-9]{31,254}$/,
    "a letter and at least 31 letters or digits",
  );
  const dashboard = await secret(run, "dashboard-password", passwordRule.pattern, passwordRule.words);
  const user = values["MQTT_USERNAME"] ?? "";
  if (user !== "") {
    const password = await secret(run, "mqtt-password", passwordRule.pattern, passwordRule.words);
    put(
      `${nodeFolder}/mqtt-users.csv`,
      "root:emqx",
      `user_id,password,is_superuser\n${user},${password},false\n`,
      0o640,
    );
  }
  if (values["HAS_LICENSE"] === "true") {
    const key = await secret(run, "license-key", /^\S+$/, "a licence key in one line");
    put(`${nodeFolder}/license.key`, "root:emqx", key, 0o640);
  }
  const environment = `EMQX_NODE__COOKIE=${cookie}\nEMQX_DASHBOARD__DEFAULT_PASSWORD='"${dashboard}"'\n`;
  put(`${nodeFolder}/secrets.env`, "root:root", environment, 0o600);
}

async function start(run: BootRun): Promise<void> {
  const { machine } = run;
  const environment = serviceEnvironment(machine.files);
  run.settings = await machine.startEmqx(run.version, environment);
  await until(run, readinessTimeout(run), async () => {
    if (!machine.emqxRuns()) {
      return "it does not run, see the lines of emqx above";
    }
    return run.settings?.dashboard?.port === 18083
      ? undefined
      : "it does not run: curl: (7) Failed to connect to 127.0.0.1 port 18083";
  });
}

async function join(run: BootRun): Promise<void> {
  const { machine, values, settings } = run;
  const port = Number(values["DISTRIBUTION_PORT"]);
  const seeds = (settings?.seeds ?? []).filter((seed) => seed !== settings?.nodeName);
  await until(run, readinessTimeout(run), async () => {
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

async function waitForLoadBalancers(run: BootRun): Promise<void> {
  const count = Number(run.values["LOAD_BALANCER_COUNT"] ?? 0);
  if (count === 0) {
    return;
  }
  const { machine, values } = run;
  await until(run, readinessTimeout(run), async () => {
    const listed = await parameter(run, "load-balancers");
    if (listed.problem !== undefined) {
      return listed.problem;
    }
    const names = (listed.value ?? "").split(",").filter((name) => name !== "");
    for (const name of names) {
      const health = await awsCall(run, "elasticloadbalancing", () =>
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

async function report(run: BootRun): Promise<void> {
  const { machine, values } = run;
  const name = `nodes/${values["NODE_NUMBER"]}/ready`;
  await until(run, 120, async () => {
    const current = await parameter(run, name);
    if (current.value === machine.instanceId) {
      return undefined;
    }
    if (current.problem !== undefined) {
      return current.problem;
    }
    const path = `${values["PARAMETER_PREFIX"]}/${name}`;
    return (await awsCall(run, "ssm", () => machine.role.putParameter(path, machine.instanceId))).problem;
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
