import { askedByNode } from "../../components/emqx/access";
import type { Endpoint } from "@emqx-aws/simulator/dataplane";
import type { StackState } from "./stacks";

/** A stack's outputs as lines for people: where clients connect, as whom, and what else a first look wants to see. */
export function endpointLines(
  outputs: StackState["outputs"],
  user: string,
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
  if (urls.length > 0) rows.push(["User", user]);
  if (Array.isArray(outputs.nodeNames)) rows.push(["Nodes", outputs.nodeNames.join(", ")]);
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
}

/** As whom clients connect: the built-in user, or whom the nodes' configuration lets in. */
export function userOf(
  stack: string,
  { outputs: { mqttUsername, mqttUsersParameter }, resources }: StackState,
): string {
  if (typeof mqttUsername === "string") {
    const option = stack === "local" ? "" : ` -s ${stack}`;
    const more =
      typeof mqttUsersParameter === "string" ? `; more users: parameter ${mqttUsersParameter}` : "";
    return `${mqttUsername}; its password: npm run -s region -- password${option}${more}`;
  }
  const nodes = resources.filter(({ type }) => type === "aws:ec2/instance:Instance");
  const asked = nodes.map(({ outputs }) => outputs?.userData ?? "").map((data) => askedByNode(String(data)));
  const listeners = asked.find((of) => of !== undefined);
  if (listeners === undefined) return "whom the nodes' own configuration lets in";
  const words = [...listeners].map(([listener, asks]): [string, string] => [
    listener,
    asks === undefined ? "anybody; nothing authenticates" : `as extraConfig has it: ${asks}`,
  ]);
  const [first] = new Set(words.map(([, who]) => who));
  return words.every(([, who]) => who === first)
    ? String(first)
    : words.map(([listener, who]) => `${who} (listener ${listener})`).join("; ");
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
