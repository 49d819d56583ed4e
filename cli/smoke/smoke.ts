import type { CheckContext, Crowd } from "./checks";
import * as checks from "./checks";
import type { Credentials, Door } from "./connection";
import type { Deployment } from "./deployment";
import type { Address } from "./outputs";
import { denied, ownAuthentication } from "./explanations";
import { addressesOf } from "./outputs";
import type { CheckResult, SmokeResult } from "./result";
import { CheckFailure } from "./result";

export interface SmokeOptions {
  /** Instead of the built-in user. */
  username?: string;
  /** Instead of the one in SSM. */
  password?: string;
  keepAliveSeconds?: number;
  thorough?: boolean;
  minimumDays?: number;
  /** Called with every result as it comes. */
  onResult?: (result: CheckResult) => void;
}

/** The default of the stack setting keepAliveSeconds. */
export const defaultKeepAliveSeconds = 300;
export const defaultMinimumDays = 7;

export async function smoke(deployment: Deployment, options: SmokeOptions = {}): Promise<SmokeResult> {
  const run = new Run(options.onResult);
  const started = performance.now();
  const context = await contextOf(run, deployment, options);
  if (context !== undefined) await runAll(run, context);
  return {
    stack: deployment.stack,
    kind: deployment.inside.kind,
    passed: run.results.every(({ status }) => status !== "failed"),
    milliseconds: Math.round(performance.now() - started),
    checks: run.results,
  };
}

async function runAll(run: Run, context: CheckContext): Promise<void> {
  const addresses = addressesOf(context.deployment.outputs);
  await run.check("instances", "Nodes behind the load balancer", () => checks.checkInstances(context), {
    skipped: "cannot be asked without the aws CLI and credentials",
  });
  if (addresses.length === 0) {
    run.skip("addresses", "Addresses for clients", "the stack has no output like mqttsUrl");
  }
  const doors: Door[] = [];
  for (const address of addresses) {
    const door = await checkAddress(run, context, address);
    if (door !== undefined) doors.push(door);
  }
  const [best] = doors;
  if (best === undefined) {
    run.skip("messages", "Messages between nodes", "no address works");
    return;
  }
  const crowd = await run.value(
    "crowd",
    "Connections at several nodes",
    () => checks.gather(context, best, Infinity),
    {
      // What was seen is in the next line.
      quiet: true,
    },
  );
  if (crowd !== undefined) {
    try {
      await run.check("messages", "Messages between nodes", () => checks.checkMessages(context, crowd));
      await run.check("retained", "Retained message", () => checks.checkRetained(context, crowd));
    } finally {
      await checks.disperse(crowd);
    }
  }
  await run.check("keep-alive", "Keep-alive", () => checks.checkKeepAlive(context, best), {
    skipped: "the idle timeout cannot be asked without the aws CLI and credentials",
  });
  await run.check("closed-ports", "Ports that must not answer", () =>
    checks.checkClosedPorts(context, best.place),
  );
}

async function checkAddress(run: Run, context: CheckContext, address: Address): Promise<Door | undefined> {
  const { scheme } = address;
  const place = await run.value(
    `${scheme}.resolve`,
    `${scheme}: name`,
    () => checks.resolve(context, address),
    {
      detail: ({ host, how }) => `${address.hostname} is ${host} (${how})`,
    },
  );
  if (place === undefined) return undefined;
  const isOpen = await run.check(`${scheme}.tcp`, `${scheme}: TCP`, () => checks.checkTcp(context, place));
  if (!isOpen) return undefined;
  const door = await doorOf(context, address, place);
  if (address.usesTls) {
    const isTrusted = await run.check(`${scheme}.tls`, `${scheme}: TLS`, () =>
      checks.checkTls(context, door),
    );
    if (!isTrusted) return undefined;
  }
  const lets = await run.check(`${scheme}.connect`, `${scheme}: MQTT`, () =>
    checks.checkConnect(context, door),
  );
  if (!lets) return undefined;
  if (context.credentials.username === undefined) {
    run.skip(`${scheme}.refusal`, `${scheme}: refusal`, "EMQX lets anybody in (anonymousAccess)");
  } else {
    await run.check(`${scheme}.refusal`, `${scheme}: refusal`, () => checks.checkRefusal(context, door));
  }
  return door;
}

export async function doorOf(
  { deployment }: Pick<CheckContext, "deployment">,
  address: Address,
  place: Door["place"],
): Promise<Door> {
  if (!address.usesTls) return { address, place };
  const { outputs, inside } = deployment;
  const ca = outputs.caCertificatePem ?? (await inside.trustAnchor(address.port).catch(() => undefined));
  return { address, place, ...(ca === undefined ? {} : { ca }) };
}

async function contextOf(
  run: Run,
  deployment: Deployment,
  options: SmokeOptions,
): Promise<CheckContext | undefined> {
  const credentials = await run.value(
    "password",
    "Password from SSM",
    () => credentialsOf(deployment, options),
    { quiet: true },
  );
  return (
    credentials && {
      deployment,
      credentials,
      keepAliveSeconds: options.keepAliveSeconds ?? defaultKeepAliveSeconds,
      thorough: options.thorough ?? false,
      minimumDays: options.minimumDays ?? defaultMinimumDays,
    }
  );
}

export async function credentialsOf(
  { inside, outputs }: Deployment,
  given: Credentials = {},
): Promise<Credentials> {
  const { mqttUsername, mqttPasswordParameter: parameter } = outputs;
  if (given.username !== undefined) return { username: given.username, password: given.password };
  if (mqttUsername === undefined || parameter === undefined) return {};
  return { username: mqttUsername, password: given.password ?? (await inside.parameter(parameter)) };
}

/** What `npm run up` ends with: one message through TLS, the load balancer and two nodes. */
export interface FirstMessage {
  passed: boolean;
  lines: string[];
  failure?: CheckResult;
}

export async function firstMessage(deployment: Deployment, account: Credentials = {}): Promise<FirstMessage> {
  const run = new Run();
  const lines: string[] = [];
  const context = await contextOf(run, deployment, account);
  const [address] = addressesOf(deployment.outputs);
  if (context !== undefined && address !== undefined) {
    await sendFirst(run, context, address, lines);
  }
  const failure = run.results.find(({ status }) => status === "failed");
  // What the user has decided is no fault of the deployment.
  const decided = [ownAuthentication, denied].find(
    ({ meaning }) => meaning === failure?.explanation?.meaning,
  );
  if (decided !== undefined) {
    return { passed: true, lines: [...lines, [decided.meaning, ...decided.look].join(" ")] };
  }
  return { passed: failure === undefined, lines, ...(failure && { failure }) };
}

async function sendFirst(run: Run, context: CheckContext, address: Address, lines: string[]): Promise<void> {
  const place = await run.value("resolve", "name", () => checks.resolve(context, address));
  if (place === undefined || !(await run.check("tcp", "TCP", () => checks.checkTcp(context, place)))) return;
  const door = await doorOf(context, address, place);
  if (address.usesTls) {
    const tls = await run.value("tls", "TLS", () => checks.checkTls(context, door));
    if (tls === undefined) return;
    lines.push(`Connected to the load balancer through ${tls}.`);
  }
  const crowd = await run.value("connect", "MQTT", () => checks.gather(context, door, 2));
  if (crowd === undefined) return;
  try {
    const sent = await run.value("message", "Message", () => checks.crossMessages(context, crowd, [1]));
    if (sent?.[0]) lines.push(firstLine(crowd, sent[0]));
  } finally {
    await checks.disperse(crowd);
  }
}

function firstLine({ sides }: Crowd, { from, to, milliseconds }: checks.Delivery): string {
  const route = sides.length > 1 ? `from ${from} to ${to}` : `through ${from}`;
  return `A message has travelled ${route} in ${checks.ms(milliseconds)}.`;
}

interface CheckOptions<T> {
  skipped?: string;
  quiet?: boolean;
  detail?: (value: T) => string;
}

/** Runs checks and keeps what they found. */
class Run {
  readonly results: CheckResult[] = [];

  constructor(private readonly onResult: (result: CheckResult) => void = () => {}) {}

  /** Whether it passed; undefined from the check means that it could not be made. */
  async check(
    id: string,
    title: string,
    check: () => Promise<string | undefined>,
    options: CheckOptions<string | undefined> = {},
  ): Promise<boolean> {
    const before = this.results.length;
    await this.value(id, title, check, { detail: (seen) => seen ?? "", ...options });
    return this.results[before]?.status !== "failed";
  }

  async value<T>(
    id: string,
    title: string,
    check: () => Promise<T>,
    { skipped, quiet, detail }: CheckOptions<T> = {},
  ): Promise<T | undefined> {
    const started = performance.now();
    const elapsed = () => Math.round(performance.now() - started);
    try {
      const value = await check();
      if (value === undefined && skipped !== undefined) this.skip(id, title, skipped);
      else if (!quiet) {
        this.add({ id, title, status: "passed", milliseconds: elapsed(), detail: detail?.(value) ?? "" });
      }
      return value;
    } catch (error) {
      const failure = error as Error;
      this.add({
        ...{ id, title, status: "failed", milliseconds: elapsed(), detail: failure.message },
        ...(failure instanceof CheckFailure ? { explanation: failure.explanation } : {}),
      });
      return undefined;
    }
  }

  skip(id: string, title: string, why: string): void {
    this.add({ id, title, status: "skipped", milliseconds: 0, detail: why });
  }

  private add(result: CheckResult): void {
    this.results.push(result);
    this.onResult(result);
  }
}
