/**
 * What MQTT clients may do, and who is one: the rules and the users that nodes read from parameters while they run
 * (components/nodes/secrets.ts). The rules are text; of the users a preview shows the names, which stand in the description.
 */
import { ownRules } from "../../../components/emqx/acl";
import { namesOfUsers } from "../../../components/emqx/users";
import type { Existing, Side } from "../change/side";
import { text } from "../change/values";
import { isUnknown } from "../preview/engine";
import { types } from "../types";
import type { AccessChange, Direction } from "./safeguard";

export function clientChanges(before: Side, after: Side): AccessChange[] {
  // A cluster that comes or goes as a whole has nothing to be compared with.
  const clusters = (side: Side) => parameters(side, "cluster").map(({ key }) => key.replace(/-cluster$/, ""));
  const both = clusters(before).filter((cluster) => clusters(after).includes(cluster));
  const of = (side: Side, cluster: string, name: string) => side.get(`${cluster}-${name}`);
  return both.flatMap((cluster) => {
    const [oldRules, newRules] = [before, after].map((side) => of(side, cluster, "acl"));
    const [oldUsers, newUsers] = [before, after].map((side) => of(side, cluster, "mqtt-users"));
    const owners = [(newRules ?? oldRules ?? newUsers ?? oldUsers)?.name ?? ""];
    return [
      ...rulesChange(rulesOf(oldRules), rulesOf(newRules)),
      ...usersChange(namesIn(oldUsers), namesIn(newUsers)),
    ].map((change) => ({ ...change, owners }));
  });
}

function parameters(side: Side, name: string): Existing[] {
  return side.ofType(types.parameter).filter(({ inputs }) => text(inputs.name)?.endsWith(`/${name}`));
}

function rulesOf(parameter: Existing | undefined): string[] | undefined {
  if (parameter === undefined) return lines(ownRules);
  const rules = text(parameter.inputs.insecureValue);
  return rules === undefined || isUnknown(rules) ? undefined : lines(rules);
}

function lines(rules: string): string[] {
  return rules.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("%"));
}

function namesIn(parameter: Existing | undefined): string[] {
  return namesOfUsers(text(parameter?.inputs.description) ?? "");
}

type Words = Omit<AccessChange, "owners">;

/** Undefined rules cannot be told yet. */
export function rulesChange(before: string[] | undefined, after: string[] | undefined): Words[] {
  if (before === undefined || after === undefined) return [];
  const gone = before.filter((rule) => !after.includes(rule));
  const added = after.filter((rule) => !before.includes(rule));
  const isReordered =
    before.filter((rule) => after.includes(rule)).join() !==
    after.filter((rule) => before.includes(rule)).join();
  if (gone.length + added.length === 0 && !isReordered) return [];
  const some = (rules: string[], permission: string) =>
    rules.some((rule) => rule.startsWith(`{${permission},`));
  const allowsMore = some(added, "allow") || some(gone, "deny");
  const allowsLess = some(added, "deny") || some(gone, "allow");
  const direction: Direction =
    isReordered || allowsMore === allowsLess ? "other" : allowsMore ? "weaker" : "stronger";
  return [
    {
      what: "What MQTT clients may do",
      before: shownRules(gone, isReordered),
      after: shownRules(added, isReordered),
      direction,
      affectsClients: direction !== "weaker",
    },
  ];
}

const mostShown = 5;

function shownRules(rules: string[], isReordered: boolean): string {
  if (rules.length === 0) return isReordered ? "the same rules in another order" : "without";
  const shown = rules.slice(0, mostShown).map((rule) => `\`${rule.replaceAll("`", "'")}\``);
  const rest = rules.length - shown.length;
  return shown.join(" ") + (rest > 0 ? ` and ${rest} more` : "");
}

export function usersChange(before: string[], after: string[]): Words[] {
  const gone = before.filter((name) => !after.includes(name));
  const added = after.filter((name) => !before.includes(name));
  return gone.length + added.length === 0
    ? []
    : [
        {
          what: "MQTT users",
          before: gone.length === 0 ? "without" : gone.join(", "),
          after: added.length === 0 ? "without" : added.join(", "),
          direction: added.length === 0 ? "stronger" : gone.length === 0 ? "weaker" : "other",
          affectsClients: gone.length > 0,
        },
      ];
}
