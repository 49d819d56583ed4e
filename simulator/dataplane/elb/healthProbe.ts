/** One health check of a load balancer, carried out from one address against another. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import type { ElbEnvironment, ElbInstance, ElbNode } from "./environment";

export interface HealthTarget {
  protocol: "TCP" | "SSL" | "HTTP" | "HTTPS";
  port: number;
  path: string;
  /** Statuses that pass, 200 where nothing else is said: `200-399,404`. */
  matcher?: string;
}

/** A busy machine answers late; a scaled timeout must not make that look like a dead one. */
const shortestTimeoutMs = 250;

/** Reads `HTTP:18083/status` or `TCP:1883`. */
export function parseHealthTarget(target: string): HealthTarget {
  const match = /^(TCP|SSL|HTTP|HTTPS):(\d+)(\/.*)?$/i.exec(target);
  if (match === null) {
    throw new Error(`health check target "${target}" is not PROTOCOL:port or PROTOCOL:port/path`);
  }
  return {
    protocol: match[1]!.toUpperCase() as HealthTarget["protocol"],
    port: Number(match[2]),
    path: match[3] ?? "/",
  };
}

/** Checks an instance from an interface of the load balancer, that of its zone where there is one. */
export async function probeInstance(
  environment: ElbEnvironment,
  nodes: ElbNode[],
  instance: ElbInstance,
  target: HealthTarget,
  timeoutSeconds: number,
): Promise<string | undefined> {
  const node = nodes.find((candidate) => candidate.zone === instance.zone) ?? nodes[0];
  const timeoutMs = Math.max(shortestTimeoutMs, timeoutSeconds * 1000 * environment.clocks.healthChecks);
  if (instance.silent || node === undefined) {
    await new Promise((resolve) => setTimeout(resolve, timeoutMs).unref());
    return "timed out";
  }
  const verdict = environment.network().judge(node.interface, instance.interface, target.port);
  return verdict.allowed ? probe(target, instance.loopback, node.loopback, timeoutMs) : verdict.reason;
}

/** Undefined when healthy, else in a few words why not. */
function probe(
  target: HealthTarget,
  host: string,
  localAddress: string,
  timeoutMs: number,
): Promise<string | undefined> {
  return target.protocol === "HTTP" || target.protocol === "HTTPS"
    ? probeHttp(target, host, localAddress, timeoutMs)
    : probeTcp(target, host, localAddress, timeoutMs);
}

function probeHttp(
  { protocol, port, path, matcher = "200" }: HealthTarget,
  host: string,
  localAddress: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const options = {
    host,
    port,
    path,
    localAddress,
    agent: false,
    headers: { "user-agent": "ELB-HealthChecker/1.0" },
  };
  return new Promise((resolve) => {
    const call =
      protocol === "HTTPS" ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    const finish = (problem: string | undefined) => {
      clearTimeout(timer);
      call.destroy();
      resolve(problem);
    };
    const timer = setTimeout(() => finish("timed out"), timeoutMs);
    call.on("response", (response) => {
      const { statusCode = 0 } = response;
      finish(matches(matcher, statusCode) ? undefined : `HTTP status ${statusCode}`);
    });
    call.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    call.end();
  });
}

function matches(matcher: string, status: number): boolean {
  return matcher.split(",").some((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return first! <= status && status <= last!;
  });
}

/** How long a connection must stay to count: one that a security group would drop is reset at once here. */
const settleMs = 20;

function probeTcp(
  { protocol, port }: HealthTarget,
  host: string,
  localAddress: string,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket =
      protocol === "SSL"
        ? tlsConnect({ host, port, rejectUnauthorized: false, socket: connect({ host, port, localAddress }) })
        : connect({ host, port, localAddress });
    const finish = (problem: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    const timer = setTimeout(() => finish("timed out"), timeoutMs);
    socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.on("close", () => finish("closed"));
    socket.on(protocol === "SSL" ? "secureConnect" : "connect", () =>
      setTimeout(() => finish(undefined), settleMs),
    );
  });
}
