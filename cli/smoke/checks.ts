/** The checks of one address, and those of the deployment behind it. Each throws a CheckFailure or tells what it saw. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { ports } from "../../components/emqx/ports";
import type { Credentials, Door } from "./connection";
import { clientId, ConnectError, Connection } from "./connection";
import type { Deployment } from "./deployment";
import * as texts from "./explanations";
import { explained } from "./explanations";
import type { Place } from "./inside";
import type { Address } from "./outputs";
import type { Explanation } from "./result";
import { CheckFailure } from "./result";
import { closedAtOnce, reach } from "./tcp";
import { ClosedBeforeTls, inspectTls } from "./tls";

export interface CheckContext {
  deployment: Deployment;
  credentials: Credentials;
  /** The longest keep-alive of the deployment's clients. */
  keepAliveSeconds: number;
  /** Waits as long as a check takes. */
  thorough: boolean;
  /** A certificate that ends sooner is a failure. */
  minimumDays: number;
}

export async function resolve({ deployment }: CheckContext, address: Address): Promise<Place> {
  try {
    return await deployment.inside.locate(address.hostname, address.port);
  } catch (error) {
    const reason = (error as Error).message;
    throw new CheckFailure(reason, await explained(deployment.inside, texts.unresolved));
  }
}

export async function checkTcp({ deployment }: CheckContext, place: Place): Promise<string> {
  const result = place.problem === undefined ? await reach(place.host, place.port) : undefined;
  if (result?.open) return `connected to ${place.host}:${place.port}`;
  const reason = result === undefined ? String(place.problem) : result.reason;
  // Refused is the network's work; taken and closed again is the load balancer's, which has nobody to give it to.
  const text = reason === closedAtOnce ? texts.connectTexts.closed : texts.noTcp;
  throw new CheckFailure(
    `${place.host}:${place.port} does not take connections: ${reason}`,
    await explained(deployment.inside, text),
  );
}

export async function checkTls(
  { deployment, minimumDays }: CheckContext,
  { address, place, ca }: Door,
): Promise<string> {
  const fail = async (detail: string, text: Omit<Explanation, "evidence">, ...more: string[]) =>
    new CheckFailure(detail, await explained(deployment.inside, text, ...more));
  const facts = await inspectTls(place.host, place.port, address.hostname, ca).catch(async (error: Error) => {
    const isClosed = error instanceof ClosedBeforeTls;
    throw await fail(error.message, isClosed ? texts.connectTexts.closed : texts.noTls);
  });
  const names = facts.names.join(", ");
  const days = `${Math.abs(facts.daysLeft)} days`;
  const others = [facts.nameProblem, facts.chainProblem].filter((problem) => problem !== undefined);
  if (facts.nameProblem !== undefined) {
    const detail = `the certificate is for ${names}, clients connect to ${address.hostname}`;
    throw await fail(detail, texts.otherName, ...others.slice(1));
  }
  if (facts.daysLeft < 0) throw await fail(`the certificate ended ${days} ago`, texts.expired, ...others);
  if (facts.chainProblem !== undefined) {
    throw await fail(`the certificate of ${names} is not trusted: ${facts.chainProblem}`, texts.badChain);
  }
  if (facts.daysLeft < minimumDays) throw await fail(`the certificate ends in ${days}`, texts.expired);
  return `${facts.protocol}, ${names}, ${days} left`;
}

/** Connects, or says in the check's own words why not. */
async function enter(
  { deployment, credentials }: CheckContext,
  door: Door,
  options: Parameters<typeof Connection.open>[2] = {},
): Promise<Connection> {
  try {
    return await Connection.open(door, credentials, options);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const isStranger = error.failure === "refused" && credentials.username === undefined;
    const text = isStranger ? texts.ownAuthentication : texts.connectTexts[error.failure];
    throw new CheckFailure(error.message, await explained(deployment.inside, text));
  }
}

export async function checkConnect(context: CheckContext, door: Door): Promise<string> {
  const versions: string[] = [];
  for (const [version, name] of [
    [4, "3.1.1"],
    [5, "5"],
  ] as const) {
    await (await enter(context, door, { protocolVersion: version })).close();
    versions.push(name);
  }
  const { username } = context.credentials;
  return `MQTT ${versions.join(" and ")} as ${username ?? "anybody"}`;
}

export async function checkRefusal({ deployment, credentials }: CheckContext, door: Door): Promise<string> {
  const attempts: [string, Credentials][] = [
    ["nobody", {}],
    ["a wrong password", { ...credentials, password: "not-the-password" }],
  ];
  const seen: string[] = [];
  for (const [name, given] of attempts) {
    const outcome = await Connection.open(door, given).catch((error: unknown) => error);
    if (outcome instanceof Connection) {
      await outcome.close();
      throw new CheckFailure(`${name} was let in`, await explained(deployment.inside, texts.openToAnyone));
    }
    if (!(outcome instanceof ConnectError)) throw outcome;
    if (outcome.failure !== "refused") {
      const text = texts.connectTexts[outcome.failure];
      throw new CheckFailure(
        `${name} was not refused by EMQX, but: ${outcome.message}`,
        await explained(deployment.inside, text),
      );
    }
    seen.push(`${name}: ${outcome.message}`);
  }
  return seen.join("; ");
}

export async function checkInstances({ deployment }: CheckContext): Promise<string | undefined> {
  const { inside, outputs } = deployment;
  const instances = await inside.instances();
  if (instances === undefined) return undefined;
  const serving = instances.filter(({ inService }) => inService).length;
  const wanted = Math.max(instances.length, outputs.nodeNames?.length ?? 0);
  if (serving < wanted || wanted === 0) {
    throw new CheckFailure(
      `${serving} of ${wanted} nodes are in service`,
      await explained(inside, texts.notInService),
    );
  }
  return `${serving} of ${wanted} nodes are in service`;
}

/** Connections at more than one node, where the deployment has more than one. */
export interface Crowd {
  connections: Connection[];
  /** One connection of every node, by its name; of all connections by number where nodes cannot be told apart. */
  sides: { name: string; connection: Connection }[];
  nodesAreKnown: boolean;
}

const connectionsPerNode = 4;
const mostConnections = 40;

/** Opens connections until every node, or enough of them, has one. */
export async function gather(context: CheckContext, door: Door, enoughNodes: number): Promise<Crowd> {
  const { inside, outputs } = context.deployment;
  const nodes = outputs.nodeNames?.length ?? 1;
  const limit = Math.min(mostConnections, Math.max(2, nodes * connectionsPerNode));
  const connections: Connection[] = [];
  let places: Map<string, string> | undefined;
  try {
    while (connections.length < limit) {
      connections.push(await enter(context, door, { protocolVersion: 5 }));
      places = await inside.nodesOfClients();
      const reached = new Set(connections.map(({ id }) => places?.get(id)).filter(Boolean));
      if (connections.length > 1 && reached.size >= Math.min(enoughNodes, nodes)) break;
    }
    const sides = new Map<string, Connection>();
    connections.forEach((connection, index) => {
      const name = places === undefined ? `connection ${index + 1}` : places.get(connection.id);
      if (name !== undefined && !sides.has(name)) sides.set(name, connection);
    });
    if (places !== undefined && sides.size < Math.min(2, nodes)) {
      throw new CheckFailure(
        `all of ${connections.length} connections ended at ${[...sides.keys()].join() || "no known node"}`,
        await explained(inside, texts.oneNodeOnly),
      );
    }
    return {
      connections,
      sides: [...sides].map(([name, connection]) => ({ name, connection })),
      nodesAreKnown: places !== undefined,
    };
  } catch (error) {
    await Promise.all(connections.map((connection) => connection.close()));
    throw error;
  }
}

export async function disperse({ connections }: Crowd): Promise<void> {
  await Promise.all(connections.map((connection) => connection.close()));
}

/** The most pairs of nodes that get a message each; above, every node tells the next two. */
const fullPairsUpTo = 8;
const deliveryMs = 3000;

export type Qos = 0 | 1 | 2;

export interface Delivery {
  from: string;
  to: string;
  qos: Qos;
  milliseconds: number;
}

/** Something that a client does, unless EMQX's rules deny it: reason 0x87 of MQTT 5. */
async function permitted<T>({ deployment }: CheckContext, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    const { message } = error as Error;
    if (!message.includes("Not authorized")) throw error;
    throw new CheckFailure(message, await explained(deployment.inside, texts.denied));
  }
}

/** Publishes from every side to every other (a crowd of one: to itself). Throws naming what did not arrive. */
export async function crossMessages(
  context: CheckContext,
  { sides }: Crowd,
  levels: readonly Qos[],
): Promise<Delivery[]> {
  const topic = `${texts.smokeTopics}/${clientId("run")}`;
  await Promise.all(
    sides.map(({ connection: { client } }, index) =>
      permitted(context, client.subscribeAsync(`${topic}/${index}/#`, { qos: 2 })),
    ),
  );
  const pairs = sides.flatMap((from, source) =>
    sides.flatMap((to, target) => {
      const near = (target - source + sides.length) % sides.length <= 2;
      const wanted = sides.length === 1 || (source !== target && (sides.length <= fullPairsUpTo || near));
      return wanted
        ? levels.map((qos) => ({ from, to, qos, topic: `${topic}/${target}/${source}/${qos}` }))
        : [];
    }),
  );
  const deliveries = await Promise.all(
    pairs.map(async ({ from, to, qos, topic: exact }) => {
      const start = performance.now();
      const arrival = to.connection.message((message) => message.topic === exact, deliveryMs);
      const sent = from.connection.client.publishAsync(exact, `from ${from.name}`, { qos });
      // Its acknowledgement may be lost as the message may be.
      const message = await Promise.race([arrival, permitted(context, sent).then(() => arrival)]);
      return { from: from.name, to: to.name, qos, milliseconds: message ? message.at - start : undefined };
    }),
  );
  const arrived = deliveries.filter((one): one is Delivery => one.milliseconds !== undefined);
  if (arrived.length < deliveries.length) {
    const lost = deliveries.filter(({ milliseconds }) => milliseconds === undefined);
    const routes = [...new Set(lost.map(({ from, to }) => `${from} → ${to}`))];
    throw new CheckFailure(
      `${lost.length} of ${deliveries.length} messages did not arrive: ${routes.join(", ")}`,
      await explained(context.deployment.inside, texts.notDelivered),
    );
  }
  return arrived;
}

export async function checkMessages(context: CheckContext, crowd: Crowd): Promise<string> {
  const deliveries = await crossMessages(context, crowd, [0, 1, 2]);
  const times = deliveries.map(({ milliseconds }) => milliseconds);
  const spread = `${ms(Math.min(...times))} to ${ms(Math.max(...times))}`;
  const nodes = context.deployment.outputs.nodeNames?.length ?? 1;
  const who = crowd.nodesAreKnown
    ? `${crowd.sides.length} of ${nodes} nodes served`
    : `${crowd.sides.length} connections to ${nodes} nodes (which served which cannot be seen from outside)`;
  return `${who}; ${deliveries.length} messages with QoS 0, 1, 2 arrived within ${spread}`;
}

export async function checkRetained(context: CheckContext, { sides }: Crowd): Promise<string> {
  const topic = `${texts.smokeTopics}/${clientId("retained")}`;
  const [first, last] = [sides[0]!, sides.at(-1)!];
  await permitted(context, first.connection.client.publishAsync(topic, "kept", { qos: 1, retain: true }));
  try {
    // Nodes tell each other of retained messages after they have acknowledged them.
    for (const deadline = Date.now() + deliveryMs; Date.now() < deadline;) {
      await permitted(context, last.connection.client.subscribeAsync(topic, { qos: 1 }));
      const kept = await last.connection.message((message) => message.topic === topic && message.retain, 300);
      if (kept) return `kept at ${first.name}, found at ${last.name}`;
      await last.connection.client.unsubscribeAsync(topic);
    }
  } finally {
    await first.connection.client.publishAsync(topic, "", { qos: 1, retain: true });
  }
  throw new CheckFailure(
    `kept at ${first.name}, not there for a later subscriber at ${last.name}`,
    await explained(context.deployment.inside, texts.notRetained),
  );
}

/** Waits that are no burden are waited for without being asked. */
const shortWaitSeconds = 15;

export async function checkKeepAlive(context: CheckContext, door: Door): Promise<string | undefined> {
  const { deployment, keepAliveSeconds, thorough } = context;
  const idle = await deployment.inside.idleTimeoutSeconds();
  if (idle === undefined) return undefined;
  const fail = async (detail: string) =>
    new CheckFailure(detail, await explained(deployment.inside, texts.idleTooShort));
  // EMQX itself waits 1.5 times the keep-alive; the load balancer should not be the stricter one.
  if (keepAliveSeconds >= idle) {
    throw await fail(`a keep-alive of ${keepAliveSeconds} s does not fit an idle timeout of ${idle} s`);
  }
  const waitSeconds = idle * 1.25;
  if (!thorough && waitSeconds > shortWaitSeconds) {
    return (
      `idle timeout ${idle} s, longest keep-alive ${keepAliveSeconds} s; not waited for ` +
      `(--thorough does, ${Math.ceil(waitSeconds)} s)`
    );
  }
  const keepalive = Math.max(1, Math.ceil(idle * 0.6));
  const connection = await enter(context, door, { keepalive });
  let closed: number | undefined;
  const start = Date.now();
  connection.client.once("close", () => (closed = Date.now() - start));
  while (closed === undefined && Date.now() - start < waitSeconds * 1000) await sleep(50);
  await connection.close();
  if (closed !== undefined && closed < waitSeconds * 1000) {
    throw await fail(
      `a client with a keep-alive of ${keepalive} s was cut after ${(closed / 1000).toFixed(1)} s`,
    );
  }
  return `idle timeout ${idle} s: a client that says nothing but a ping every ${keepalive} s was not cut`;
}

const privatePorts: [number, string][] = [
  [4369, "cluster"],
  [4370, "cluster"],
  [5369, "cluster"],
  [5370, "cluster"],
  [6369, "cluster"],
  [ports.dashboard, "dashboard and management API"],
  [22, "SSH"],
];

/** Nothing but the client ports may answer: not at the load balancer, nor, where that can be tried, at the nodes. */
export async function checkClosedPorts({ deployment }: CheckContext, place: Place): Promise<string> {
  const { inside, outputs } = deployment;
  const targets: { host: string; port: number; what: string }[] = [];
  for (const [port, what] of privatePorts) {
    const name = outputs.loadBalancerDnsName ?? place.host;
    const there = await inside.locate(name, port).catch(() => undefined);
    if (there !== undefined && there.problem === undefined) {
      targets.push({ host: there.host, port: there.port, what: `load balancer, port ${port} (${what})` });
    }
  }
  for (const host of await inside.nodeAddresses()) {
    for (const [port, what] of [...privatePorts, [ports.mqtt, "MQTT past the load balancer"] as const]) {
      targets.push({ host, port, what: `node at ${host}, port ${port} (${what})` });
    }
  }
  const open = await Promise.all(
    targets.map(async ({ host, port, what }) => ((await reach(host, port, 2500)).open ? [what] : [])),
  );
  const found = open.flat();
  if (found.length > 0) {
    throw new CheckFailure(`answers from here: ${found.join(", ")}`, await explained(inside, texts.exposed));
  }
  return `${privatePorts.map(([port]) => port).join(", ")} do not answer`;
}

export function ms(milliseconds: number): string {
  return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds)} ms`;
}
