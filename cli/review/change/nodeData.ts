/**
 * Whether EMQX still has its data afterwards. A node is named after its address and finds its data on its volume under its
 * name; one that begins empty takes the data from the others, as long as one of them still has it.
 */
import { isUnknown } from "../preview/engine";
import { types } from "../types";
import { type ResourceChange, changed } from "./change";
import { type Notice, type NoticeInput, names, ofAny, operators, shortened } from "./notice";
import type { Rollout } from "./rollout";
import type { Existing, Side } from "./side";
import { enumerate, list, plural, text } from "./values";

export function nodeDataNotices(input: NoticeInput): Notice[] {
  const { change, rollouts } = input;
  const replacement = rollouts.some(({ total, added }) => total === 0 && added.length > 0);
  return [
    ...rollouts.flatMap((rollout) => [
      ...(rollout.total > 0 && rollout.stays.length === 0 && (rollout.added.length > 0 || replacement)
        ? [lost(`All nodes are others, with other names and volumes: EMQX begins empty.`)]
        : dataOf(input, rollout)),
      ...detachedNotices(input, rollout),
    ]),
    ...interfaceNotices(
      changed(change, types.networkInterface, "replace"),
      rollouts.flatMap((rollout) => dataFacts(input, rollout).renamed),
    ),
  ];
}

interface Facts {
  /** Nodes that get another address, with both. */
  renamed: [ResourceChange, string][];
  /** Nodes that keep their name and get another volume. */
  emptied: ResourceChange[];
}

function dataFacts({ before, after, change }: NoticeInput, { stays }: Rollout): Facts {
  const renamed: Facts["renamed"] = [];
  const emptied: ResourceChange[] = [];
  for (const node of stays) {
    const [old, next] = [before.get(node.urn)!, after.get(node.urn)!];
    const [was, is] = [addressOf(before, old), addressOf(after, next)];
    if (was !== undefined && is !== was && (is !== undefined || node.operation === "replace")) {
      renamed.push([node, `${was} → ${is ?? "another one"}`]);
      continue;
    }
    const volumes = volumesOf(before, old);
    const isKept = (key: string) =>
      change.byUrn.get(key)?.operation !== "replace" && volumesOf(after, next).includes(key);
    if (volumes.length > 0 && !volumes.every(isKept)) emptied.push(node);
  }
  return { renamed, emptied };
}

/** The address that the program gives a node; undefined where AWS gives it. */
function addressOf(side: Side, instance: Existing): string | undefined {
  const path = instance.inputs.primaryNetworkInterface
    ? "primaryNetworkInterface.networkInterfaceId"
    : "networkInterfaces[0].networkInterfaceId";
  const card = side.target(instance, path, types.networkInterface)?.resource;
  const address = text(list(card?.inputs.privateIps)[0]) ?? text(instance.inputs.privateIp);
  return isUnknown(address) ? undefined : address;
}

function volumesOf(side: Side, instance: Existing): string[] {
  return side
    .ofType(types.volumeAttachment)
    .filter((attachment) => side.target(attachment, "instanceId", types.instance)?.key === instance.key)
    .flatMap((attachment) => side.target(attachment, "volumeId", types.volume)?.key ?? []);
}

function dataOf(input: NoticeInput, rollout: Rollout): Notice[] {
  const { renamed, emptied } = dataFacts(input, rollout);
  const { stays, restarted, atOnce } = rollout;
  if (renamed.length + emptied.length === 0) return [];
  const transitions = shortened(renamed.map(([, transition]) => transition));
  const who = names(emptied);
  const keeps = stays.length > renamed.length + emptied.length;
  // In turns, each takes the data from those that come later; nodes of other names find none of them.
  const takesTurns = renamed.length === 0 && atOnce < stays.length && emptied.every(isAmong(restarted));
  if (keeps || takesTurns) {
    return [
      ...ofAny(renamed, () =>
        operators(
          "restarts-nodes",
          `Nodes change their address, and with it their name; they take the data from the others: ${transitions}.`,
        ),
      ),
      ...ofAny(emptied, () =>
        operators(
          "restarts-nodes",
          `Nodes begin with an empty data volume and take the data from the others: ${who}.`,
        ),
      ),
    ];
  }
  const all = stays.length === 1 ? "The node that stays" : `All ${stays.length} nodes that stay`;
  const change =
    stays.length === 1 ? "changes its address, and with it its" : "change their address, and with it their";
  if (emptied.length === 0) {
    const who = stays.length === rollout.total && stays.length > 1 ? "All nodes" : all;
    return [
      lost(
        `${who} ${change} name: ${transitions}. EMQX begins empty under a new name; what is on the data volumes is ` +
          `not taken over.`,
      ),
    ];
  }
  const causes = [
    ...(renamed.length > 0 ? [`other names (${transitions})`] : []),
    `empty data volumes (${who})`,
  ];
  return [
    lost(
      `${all} ${stays.length === 1 ? "begins" : "begin"} without data, with ${enumerate(causes)}; none is left to take it from.`,
    ),
  ];
}

/** A volume that is taken from a machine that stays: it is stopped for that, and nothing starts it. */
function detachedNotices({ change, after }: NoticeInput, { stays, restarted }: Rollout): Notice[] {
  const attachments = changed(change, types.volumeAttachment, "replace", "delete");
  const nodes = stays.filter(
    (node) =>
      !restarted.includes(node) &&
      attachments.some(({ urn, before: was }) => {
        const is = after.get(urn);
        const target = is && after.target(is, "instanceId", types.instance)?.key;
        return (
          (target ?? change.resources.find(({ before }) => before?.id === was?.inputs.instanceId)?.urn) ===
          node.urn
        );
      }),
  );
  const stay = nodes.length === 1 ? "stays" : "stay";
  return ofAny(nodes, () =>
    operators(
      "interrupts-service",
      `Data volumes are taken from ${plural(nodes.length, "node")} that ${stay} and run EMQX, all at once: ${names(nodes)}.`,
    ),
  );
}

function interfaceNotices(interfaces: ResourceChange[], renamed: Facts["renamed"]): Notice[] {
  return ofAny(renamed.length > 0 ? [] : interfaces, (replaced) =>
    operators(
      "restarts-nodes",
      `${plural(replaced.length, "network interface")} replaced: ${names(replaced)}.`,
    ),
  );
}

const isAmong = (nodes: ResourceChange[]) => (node: ResourceChange) => nodes.includes(node);

function lost(words: string): Notice {
  return operators("destroys-data", words, "data-loss");
}
