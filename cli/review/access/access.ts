/**
 * Who may do what, before and after: every safeguard of which a preview tells, compared. What opens a way for packets is in
 * ../change/exposure.ts; here is what they meet when they arrive, and who may do what in AWS.
 */
import type { Change } from "../change/change";
import type { Side } from "../change/side";
import { byName } from "../change/values";
import { balancerSafeguards } from "./balancer";
import { clientChanges } from "./clients";
import { nodeSafeguards } from "./nodes";
import { permissionChanges } from "./permissions";
import { resourceSafeguards } from "./resources";
import type { AccessChange, Direction, Owned } from "./safeguard";

export function accessOf(before: Side, after: Side, change: Change): AccessChange[] {
  const [old, next] = [safeguardsBy(before), safeguardsBy(after)];
  const changes = [...new Set([...old.keys(), ...next.keys()])].flatMap((key) =>
    compared(
      old.get(key) ?? missing(next.get(key)!, before, old),
      next.get(key) ?? missing(old.get(key)!, after, next),
    ),
  );
  return together([
    ...changes,
    ...permissionChanges(before, after),
    ...clientChanges(before, after),
    ...hiddenChanges(change),
  ]).sort((a, b) => order.indexOf(a.direction) - order.indexOf(b.direction) || byName(a.what, b.what));
}

/** What a safeguard amounts to on the side where it is not there; nothing if what it protects is not there either. */
function missing(owned: Owned, side: Side, others: Map<string, Owned>): Owned | undefined {
  const isThere =
    owned.subject === undefined
      ? [...others.values()].some(({ key }) => key === owned.key)
      : side.get(owned.subject) !== undefined;
  return isThere && owned.absent
    ? { ...owned, detail: undefined, rank: undefined, ...owned.absent }
    : undefined;
}

/** User data that changes and is secret as a whole: what changes in it cannot be told. */
function hiddenChanges({ resources }: Change): AccessChange[] {
  return resources
    .filter(({ properties }) =>
      properties.some(({ path, before, after }) => path.startsWith("userData") && before === after),
    )
    .map(({ name }) => ({
      what: "User data, which is secret",
      owners: [name],
      ...{ before: "not shown", after: "not shown, and another", direction: "other", affectsClients: false },
    }));
}

const order: Direction[] = ["weaker", "other", "stronger"];

function safeguardsBy(side: Side): Map<string, Owned> {
  const found = new Map<string, Owned>();
  for (const owned of [...nodeSafeguards(side), ...balancerSafeguards(side), ...resourceSafeguards(side)]) {
    const key = `${owned.key} ${owned.what}`;
    const known = found.get(key);
    found.set(key, known ? weakest(known, owned) : owned);
  }
  return found;
}

/** Of several nodes, the one that lets most through speaks for all. */
function weakest(a: Owned, b: Owned): Owned {
  return (b.rank ?? -Infinity) < (a.rank ?? -Infinity) ? b : a;
}

function compared(old: Owned | undefined, next: Owned | undefined): AccessChange[] {
  if (!old || !next) return [];
  if (old.state === next.state && old.rank === next.rank && old.detail === next.detail) return [];
  const isAlike = old.state === next.state;
  const direction = directionOf(old.rank, next.rank);
  return [
    {
      what: next.what,
      owners: [next.owner],
      before: old.state,
      after: isAlike ? `${next.state}, with other settings` : next.state,
      direction,
      affectsClients:
        next.affectsClients === "always" || (next.affectsClients === "stricter" && direction !== "weaker"),
    },
  ];
}

function directionOf(old: number | undefined, next: number | undefined): Direction {
  if (old === undefined || next === undefined || old === next) return "other";
  return next < old ? "weaker" : "stronger";
}

/** The same change of several resources is one. */
function together(changes: AccessChange[]): AccessChange[] {
  const groups = new Map<string, AccessChange>();
  for (const change of changes) {
    const key = [change.what, change.before, change.after].join("\n");
    const group = groups.get(key);
    if (group) group.owners = [...new Set([...group.owners, ...change.owners])];
    else groups.set(key, { ...change });
  }
  return [...groups.values()];
}
