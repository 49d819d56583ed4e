import type { Endpoint } from "../../simulator/dataplane";

/** A stack's outputs as lines for people: where clients connect, as whom, and what else a first look wants to see. */
export function endpointLines(
  stack: string,
  outputs: Record<string, unknown>,
  endpoints: readonly Endpoint[] = [],
): string[] {
  const urls = Object.entries(outputs).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && /^\w+:\/\//.test(entry[1]),
  );
  const own = endpoints.filter(({ dnsName }) => dnsName === outputs.loadBalancerDnsName);
  const rows = urls.flatMap(([name, url]): [string, string][] => [
    [name.replace(/Url$/, "").toUpperCase(), here(url, own) ?? url],
    ...(own.length > 0 ? [["", pathless(url)] as [string, string]] : []),
  ]);
  if (typeof outputs.mqttUsername === "string") {
    const option = stack === "local" ? "" : ` -s ${stack}`;
    rows.push(["User", `${outputs.mqttUsername}; its password: npm run -s region -- password${option}`]);
  } else if (urls.length > 0) {
    rows.push(["User", "anybody (anonymousAccess)"]);
  }
  if (Array.isArray(outputs.nodeNames)) rows.push(["Nodes", outputs.nodeNames.join(", ")]);
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
}

/** The address on this machine that stands for a deployment's own. */
function here(url: string, endpoints: readonly Endpoint[]): string | undefined {
  const { protocol, port, pathname } = new URL(url);
  const endpoint = endpoints.find(({ loadBalancerPort }) => loadBalancerPort === Number(port));
  if (endpoint === undefined) return undefined;
  if (endpoint.problem !== undefined) return `does not answer: ${endpoint.problem}`;
  const path = pathname.length > 1 ? pathname : "";
  const taken =
    endpoint.port === endpoint.loadBalancerPort ? "" : `  (port ${port} is taken on this machine)`;
  return `${protocol}//${endpoint.host}:${endpoint.port}${path}${taken}`;
}

function pathless(url: string): string {
  return `stands for ${new URL(url).host}`;
}
