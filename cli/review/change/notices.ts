/** What a change means: for clients, for operators, for data; and how bad that is. */
import { lt, valid } from "semver";
import { accessNotices } from "../access/notices";
import { type Change, type ResourceChange, changed, isKnown, parentUrn } from "./change";
import { type ExposureRow, isClosed } from "./exposure";
import {
  certificateNotices,
  listenerNotices,
  loadBalancerNotices,
  recordNotices,
  tlsNotices,
} from "./clients";
import { listenersOf } from "./network";
import { type Notice, type NoticeInput, clients, names, ofAny, operators, shortened } from "./notice";
import { nodeDataNotices } from "./nodeData";
import type { Rollout } from "./rollout";
import { safeguardNotices } from "./safeguards";
import type { Side } from "./side";
import { types } from "../types";
import { enumerate, number, plural, text } from "./values";

export function noticesOf(input: NoticeInput): Notice[] {
  const notices = allNotices(input);
  // Without the load balancer there is nothing to reconnect to.
  const hasNoBalancer = notices.some(({ gate }) => gate === "replace-load-balancer");
  return hasNoBalancer
    ? notices.filter(({ audience, level }) => audience !== "clients" || level !== "restarts-nodes")
    : notices;
}

function allNotices(input: NoticeInput): Notice[] {
  return [
    ...loadBalancerNotices(input),
    ...recordNotices(input),
    ...listenerNotices(input),
    ...certificateNotices(input),
    ...tlsNotices(input),
    ...volumeNotices(input),
    ...nodeDataNotices(input),
    ...nodeNotices(input),
    ...cookieNotices(input),
    ...passwordNotices(input),
    ...accessNotices(input),
    ...closedPathNotices(input),
    ...logNotices(input),
    ...addressNotices(input),
    ...networkNotices(input),
    ...secretNotices(input),
    ...safeguardNotices(input),
    ...renameNotices(input),
    ...leftoverNotices(input),
  ];
}

/** A path that worked and is gone, unless the load balancer or the whole network goes anyway. */
function closedPathNotices({ exposure, change, after }: NoticeInput): Notice[] {
  const isNew = changed(change, types.loadBalancer).every((balancer) => !balancer.before || !balancer.after);
  if (isNew) return [];
  const ports = listenerPorts(after);
  // A listener that is removed has been reported as such.
  const hasListener = (row: ExposureRow) =>
    !row.isFromAddresses || !row.to.startsWith("load balancer") || ports.includes(row.port);
  return exposure.rows
    .filter((row) => isClosed(row) && row.before === "open" && hasListener(row))
    .flatMap((row): Notice[] => {
      const path = `${row.from} → ${row.to} ${row.port}${row.purpose ? ` (${row.purpose})` : ""}`;
      const admins = row.isFromAddresses && row.to.startsWith("nodes");
      if (admins) return [operators("safe", `Closed for administrators: ${path}.`)];
      if (row.isFromAddresses) {
        return [clients("interrupts-service", `Clients lose their way in: ${path} closes.`)];
      }
      return [operators("interrupts-service", `A way inside closes: ${path}.`)];
    });
}

/** As the rows of the exposure table name them. */
function listenerPorts(side: Side): string[] {
  return side
    .ofType(types.loadBalancer)
    .flatMap((balancer) => listenersOf(balancer).map(({ port }) => `TCP ${port}`));
}

function nodeNotices({ rollouts }: NoticeInput): Notice[] {
  return rollouts.flatMap((rollout) => [
    ...restartNotices(rollout),
    ...sizeNotices(rollout),
    ...machineNotices(rollout),
  ]);
}

function restartNotices(rollout: Rollout): Notice[] {
  const { restarted, stays, total, atOnce, turns, reasons, isCertain } = rollout;
  if (restarted.length === 0) return [];
  const why = reasons.length > 0 ? `, because of ${enumerate(reasons.map((reason) => `\`${reason}\``))}` : "";
  const who = `${restarted.length} of ${plural(total, "node")}`;
  const verb = restarted.length === 1 ? "is" : "are";
  const what = restarted.every(({ operation }) => operation === "replace") ? "replaced" : "restarted";
  const speed = `${isCertain ? "" : "at most "}${atOnce} at a time, in ${plural(turns, "turn")}`;
  if (atOnce >= stays.length) {
    const all =
      stays.length === total
        ? total === 1
          ? "the only node"
          : `all ${total} nodes at once`
        : stays.length === 1
          ? "the only one that stays"
          : `all ${stays.length} that stay, at once`;
    return [
      operators(
        "interrupts-service",
        `${who} ${verb} ${what}: ${all}${why}. Nobody can connect until a new one is ready.`,
        atOnce > 1 ? "parallel-restart" : undefined,
      ),
      clients("interrupts-service", "All connections are closed; no node serves meanwhile."),
    ];
  }
  return [
    operators(
      "restarts-nodes",
      `${who} ${verb} ${what}, ${speed}${why}.`,
      atOnce > 1 ? "parallel-restart" : undefined,
    ),
    clients(
      "restarts-nodes",
      `Connections to a node close when its turn comes; clients reconnect to the others.`,
    ),
  ];
}

function sizeNotices({ added, removed, total }: Rollout): Notice[] {
  const after = total + added.length - removed.length;
  if (removed.length > 0 && removed.length === total) {
    const level = "interrupts-service";
    const gone = `All ${plural(total, "node")} removed`;
    return added.length > 0
      ? [
          operators(level, `${gone}; a new cluster of ${added.length} takes their place.`),
          clients(level, "All connections close."),
        ]
      : [operators(level, `${gone}.`), clients(level, "The service ends.")];
  }
  const count = `: ${total} → ${after}.`;
  const who = names(removed);
  return [
    ...ofAny(added, () =>
      total === 0
        ? operators("safe", `A new cluster of ${plural(added.length, "node")} (${names(added)}).`)
        : operators("safe", `${plural(added.length, "node")} added (${names(added)})${count}`),
    ),
    ...ofAny(removed, () =>
      operators("restarts-nodes", `${plural(removed.length, "node")} removed (${who})${count}`),
    ),
    ...ofAny(removed, () =>
      clients("restarts-nodes", `Connections to ${who} close; clients reconnect to the other nodes.`),
    ),
  ];
}

/** What is new about the machines, in words rather than in properties. */
function machineNotices({ restarted }: Rollout): Notice[] {
  const facts: [string, (resource: ResourceChange, side: "before" | "after") => string | undefined][] = [
    ["EMQX version", (resource, side) => variable(resource, side, "VERSION")],
    ["instance type", (resource, side) => text(resource[side]?.inputs.instanceType)],
    ["machine image", (resource, side) => text(resource[side]?.inputs.ami)],
  ];
  return facts.flatMap(([label, read]): Notice[] => {
    const changes = new Set(
      restarted.flatMap((resource) => {
        const [old, next] = [read(resource, "before"), read(resource, "after")];
        return old !== undefined && isKnown(next) && old !== next ? [`${old} → ${next}`] : [];
      }),
    );
    return [...changes].map((transition) =>
      operators(
        "safe",
        `New ${label}: ${transition}.${label === "EMQX version" && isDowngrade(transition) ? " This is older; it may not read the newer one's data." : ""}`,
      ),
    );
  });
}

function isDowngrade(transition: string): boolean {
  const [old, next] = transition.split(" → ").map((version) => valid(version));
  return Boolean(old && next && lt(next, old));
}

function variable(resource: ResourceChange, side: "before" | "after", name: string): string | undefined {
  const userData = text(resource[side]?.inputs.userData) ?? "";
  return new RegExp(`^\\s*${name}='([^']*)'`, "m").exec(userData)?.[1];
}

/** Nodes read the cookie when they first boot; those with another cookie are strangers to each other. */
function cookieNotices({ change, rollout }: NoticeInput): Notice[] {
  if (rollout.total === 0) return [];
  const all = rollout.restarted.length >= rollout.total && rollout.atOnce >= rollout.total;
  return ofAny(secretsLike(change, /-cookie$/), () =>
    operators(
      "interrupts-service",
      all
        ? "The Erlang cookie is made anew; all nodes restart together and take it up."
        : "The Erlang cookie is made anew, and running nodes keep the old one: a node that boots later cannot join " +
            "them. A cookie cannot be rolled out node by node.",
    ),
  );
}

/** Secrets of that name that become others. */
function secretsLike({ resources }: Change, name: RegExp): ResourceChange[] {
  return resources.filter((resource) => name.test(resource.name) && changesSecret(resource));
}

/** Passwords that running nodes take up: nobody is disconnected, but whoever comes next needs the new one. */
function passwordNotices({ change }: NoticeInput): Notice[] {
  return [
    ...ofAny(secretsLike(change, /-mqtt-password$/), () =>
      clients(
        "interrupts-service",
        "The MQTT user's password is made anew: connected clients stay, and from the update on new connections need the new one.",
      ),
    ),
    ...ofAny(secretsLike(change, /-dashboard-password$/), () =>
      operators(
        "safe",
        "The dashboard's password is made anew; whoever logs in from the update on needs the new one.",
      ),
    ),
    ...ofAny(
      change.resources.filter(
        ({ type, name, operation }) =>
          type === types.password && operation === "replace" && /-user-./.test(name),
      ),
      (users) =>
        clients(
          "interrupts-service",
          `Passwords of MQTT users are made anew (${shortened(users.map(({ name }) => name.replace(/^.*?-user-/, "")))}): connected clients ` +
            "stay, and from the update on new connections need the new ones.",
        ),
    ),
    ...ofAny(secretsLike(change, /-mqtt-users$/), () =>
      operators(
        "safe",
        "MQTT users change (`users`): nodes take them up while they run, one by one within a minute, and connected clients stay, those of " +
          "users that are deleted, too. Whether a given password is another one, a review cannot see.",
      ),
    ),
    ...ofAny(secretsLike(change, /-secret-config$/), () =>
      operators(
        "safe",
        "Secret settings of EMQX change (`secretConfig`): nodes read them again while they run, one by one within a minute, and " +
          "connected clients stay. What they let in or out from then on, a review cannot see.",
      ),
    ),
  ];
}

function volumeNotices({ change }: NoticeInput): Notice[] {
  const volumes = changed(change, types.volume);
  const leaving = changed(change, types.volume, "delete", "replace");
  const lost = leaving.filter(({ before }) => !before?.retainOnDelete);
  const kept = leaving.filter(({ before }) => before?.retainOnDelete);
  const remaining = volumes.filter(({ operation }) => operation === "same" || operation === "update").length;
  const [it, others] = [
    lost.length === 1 ? "it" : "them",
    remaining === 0
      ? "No other data volume remains."
      : `${plural(remaining, "other data volume")} ${remaining === 1 ? "stays as it is" : "stay as they are"}.`,
  ];
  const keeps = kept.length === 1 ? ["leaves", "is"] : ["leave", "are"];
  return [
    ...ofAny(lost, () =>
      operators(
        "destroys-data",
        `${plural(lost.length, "data volume")} deleted with what is on ${it}: ${names(lost)}. ${others}`,
        "data-loss",
      ),
    ),
    ...ofAny(kept, () =>
      operators(
        "safe",
        `${plural(kept.length, "data volume")} ${keeps[0]} the stack and ${keeps[1]} kept in AWS: ${names(kept)}.`,
      ),
    ),
    ...resizedNotices(volumes),
  ];
}

/** Volumes of another size, together where they go from the same one to the same one. */
function resizedNotices(volumes: ResourceChange[]): Notice[] {
  const alike = new Map<string, { old: number; next: number; of: string[] }>();
  for (const { name, operation, before, after } of volumes) {
    const [old, next] = [number(before?.inputs.size), number(after?.inputs.size)];
    if (operation !== "update" || old === undefined || next === undefined || old === next) continue;
    const key = `${old} → ${next} GiB`;
    alike.set(key, { old, next, of: [...(alike.get(key)?.of ?? []), name] });
  }
  return [...alike].map(([sizes, { old, next, of }]) => {
    const what = of.length > 1 ? "Data volumes" : "Data volume";
    if (next > old)
      return operators("safe", `${what} ${of.length > 1 ? "grow" : "grows"}: ${shortened(of)}, ${sizes}.`);
    // EBS user guide, "Modify an Amazon EBS volume": a volume cannot become smaller, which AWS only says at the update.
    return operators(
      "interrupts-service",
      `${what} cannot shrink: ${shortened(of)}, ${sizes}; AWS refuses it, and the update ends in the middle. Keep ${old} GiB or more.`,
    );
  });
}

function logNotices({ change }: NoticeInput): Notice[] {
  return changed(change, types.logGroup, "delete", "replace")
    .filter(({ before }) => !before?.retainOnDelete && before?.inputs.skipDestroy !== true)
    .map(({ name }) =>
      operators("destroys-data", `Log group ${name} is deleted with its logs.`, "data-loss"),
    );
}

/** Others may have let the NAT gateways' addresses through their firewalls. */
function addressNotices({ change }: NoticeInput): Notice[] {
  const gone = changed(change, types.eip, "replace", "delete");
  const added = changed(change, types.eip, "create");
  if (changed(change, types.vpc, "same", "update", "replace").length === 0) return [];
  const parts = [
    { of: gone, what: "given back" },
    { of: added, what: "new" },
  ].flatMap(({ of, what }) =>
    of.length === 0 ? [] : [`${plural(of.length, "address", "addresses")} ${what} (${names(of)})`],
  );
  return ofAny(parts, () =>
    operators("safe", `The nodes' public addresses for outgoing traffic change: ${parts.join(", ")}.`),
  );
}

function networkNotices({ change }: NoticeInput): Notice[] {
  const networks = changed(change, types.vpc, "replace", "delete").map(
    ({ name, operation, before, after }) => {
      const [old, next] = [text(before?.inputs.cidrBlock), text(after?.inputs.cidrBlock)];
      const blocks = old && next && old !== next ? `: ${old} → ${next}` : "";
      return operators(
        "interrupts-service",
        operation === "delete"
          ? `The network ${name} is deleted, and everything in it.`
          : `The network ${name} is replaced, and with it everything in it${blocks}.`,
      );
    },
  );
  return [...zoneNotices(change), ...networks];
}

/** Zones that a network comes to, or leaves. */
function zoneNotices(change: Change): Notice[] {
  const subnets = changed(change, types.subnet);
  const zonesOf = (side: "before" | "after") =>
    new Set(subnets.flatMap((subnet) => text(subnet[side]?.inputs.availabilityZone) ?? []));
  const [old, next] = [zonesOf("before"), zonesOf("after")];
  if (old.size === 0 || next.size === 0) return [];
  const added = [...next].filter((zone) => !old.has(zone));
  const gone = [...old].filter((zone) => !next.has(zone));
  return [
    ...(added.length > 0 ? [`The network comes to ${shortened(added)}.`] : []),
    ...(gone.length > 0 ? [`The network leaves ${shortened(gone)}.`] : []),
  ].map((words) => operators("safe", words));
}

function secretNotices({ change }: NoticeInput): Notice[] {
  if (change.resources.every(({ operation }) => operation === "create")) return [];
  const secrets = change.resources.filter(
    (resource) =>
      resource.type === types.password ||
      resource.type === types.privateKey ||
      (resource.type === types.parameter && isSecureString(resource)),
  );
  const kinds: [string, (secret: ResourceChange) => boolean][] = [
    ["Secrets made", ({ operation }) => operation === "create"],
    ["Secrets changed", changesSecret],
    [
      "Secrets kept, in another parameter",
      (secret) => secret.operation === "replace" && !changesSecret(secret),
    ],
    ["Secrets deleted", ({ operation }) => operation === "delete"],
  ];
  return kinds.flatMap(([label, belongs]) =>
    // A password and its parameter bear the same name.
    ofAny([...new Set(secrets.filter(belongs).map(({ name }) => name))], (affected) =>
      operators("safe", `${label}: ${shortened(affected)}.`),
    ),
  );
}

function isSecureString({ before, after }: ResourceChange): boolean {
  return (after ?? before)?.inputs.type === "SecureString";
}

/** Whether the secret itself becomes another one, not only the place where it is kept. */
function changesSecret(resource: ResourceChange): boolean {
  const { operation, type, properties } = resource;
  if (type === types.password || type === types.privateKey) return operation === "replace";
  return (
    type === types.parameter &&
    isSecureString(resource) &&
    (operation === "update" || operation === "replace") &&
    properties.some(({ path }) => path === "value" || path === "valueWo")
  );
}

/** The same component under another name: without an alias, everything in it goes and comes again. */
function renameNotices({ change }: NoticeInput): Notice[] {
  const components = change.resources.filter(({ custom, type }) => !custom && type !== types.stack);
  const pairs = components
    .filter(({ operation }) => operation === "delete")
    .flatMap((old) => {
      const next = components.find(
        ({ operation, type, name }) => operation === "create" && type === old.type && name !== old.name,
      );
      // Inner components move along with outer ones; the outer one says it all.
      const isInner = components.some(
        ({ operation, urn }) => operation === "delete" && urn === parentUrn(old),
      );
      return next && !isInner ? [`${old.name} → ${next.name}`] : [];
    });
  const renamed = change.resources.filter(({ renamedFrom }) => renamedFrom !== undefined);
  return [
    ...pairs.map((pair): Notice =>
      operators(
        "safe",
        `Looks like a rename without an alias: ${pair}. With an alias, most of it would stay.`,
      ),
    ),
    ...ofAny(renamed, () =>
      operators(
        "safe",
        `${plural(renamed.length, "resource")} renamed by an alias; that alone changes nothing in AWS.`,
      ),
    ),
  ];
}

function leftoverNotices({ change: { leftovers } }: NoticeInput): Notice[] {
  return ofAny(leftovers, () =>
    operators("safe", `What an interrupted update left behind is removed: ${shortened(leftovers)}.`),
  );
}
