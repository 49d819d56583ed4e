/**
 * Whether a client may publish or subscribe: EMQX's rules (emqx/emqx@v5.8.9: apps/emqx_auth/src/emqx_authz/emqx_authz_rule.erl), the
 * first that fits; `authorization.no_match` where none does. What is not acted out denies: such a condition of a rule that allows
 * never holds, one of a rule that denies always does.
 */
import { readAcl, type AclRule, type AclWho } from "../../../components/emqx/acl";
import { topicMatches } from "./topics";

export interface Authorization {
  rules: AclRule[];
  noMatch: "allow" | "deny";
  denyAction: "ignore" | "disconnect";
}

export interface Asking {
  username: string | undefined;
  clientId: string;
  isSuperuser?: boolean;
}

export interface Action {
  type: "publish" | "subscribe";
  qos: number;
  retain?: boolean;
}

/**
 * The package's acl.conf (apps/emqx_auth/etc/acl.conf). From 6.2.1 on the last rule holds in the legacy security profile only. No
 * client here stands on the node itself.
 */
export const packageRules = readAcl(`
{allow, {username, {re, "^dashboard$"}}, subscribe, ["$SYS/#"]}.
{allow, {ipaddr, "127.0.0.1"}, all, ["$SYS/#", "#"]}.
{deny, all, subscribe, ["$SYS/#", {eq, "#"}, {eq, "+/#"}]}.
{allow, all}.
`);

export function isAllowed(
  { rules, noMatch }: Authorization,
  client: Asking,
  action: Action,
  topic: string,
): boolean {
  if (client.isSuperuser) return true;
  const rule = rules.find((each) => fits(each, client, action, topic));
  return (rule?.permission ?? noMatch) === "allow";
}

function fits(rule: AclRule, client: Asking, action: Action, topic: string): boolean {
  return (
    (rule.action === "all" || rule.action === action.type) &&
    (rule.qos === undefined || rule.qos.includes(action.qos)) &&
    (rule.retain === undefined || action.type === "subscribe" || rule.retain === action.retain) &&
    isMeant(rule.who, client, rule.permission === "deny") &&
    rule.topics.some((each) => isAbout(each, client, topic))
  );
}

function isMeant(who: AclWho, client: Asking, otherwise: boolean): boolean {
  switch (who.kind) {
    case "all":
      return true;
    case "username":
    case "clientid": {
      const name = who.kind === "username" ? client.username : client.clientId;
      return name !== undefined && (who.isPattern ? new RegExp(who.value).test(name) : who.value === name);
    }
    case "and":
      return who.of.every((each) => isMeant(each, client, otherwise));
    case "or":
      return who.of.some((each) => isMeant(each, client, otherwise));
    case "ipaddr":
      return otherwise;
    case "other":
      return otherwise;
  }
}

function isAbout({ filter, exactly }: AclRule["topics"][number], client: Asking, topic: string): boolean {
  if (exactly) return filter === topic;
  const values: Record<string, string | undefined> = {
    username: client.username,
    clientid: client.clientId,
    zone: "default",
  };
  // What a client does not have, EMQX does not put in place of nothing: the topic does not fit.
  let isKnown = true;
  const rendered = filter.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    isKnown &&= values[name] !== undefined;
    return values[name] ?? "";
  });
  // A filter that is asked for is compared level by level: `+` in a rule fits `+` and `#`, `#` fits all.
  return isKnown && topicMatches(rendered, topic);
}

/** Whose conditions are not acted out in these rules, by the names that the rules give them. */
export function notActedOut(rules: AclRule[]): string[] {
  const names = (who: AclWho): string[] =>
    "of" in who
      ? who.of.flatMap(names)
      : who.kind === "ipaddr"
        ? ["ipaddr"]
        : who.kind === "other"
          ? [who.name]
          : [];
  return [...new Set(rules.flatMap(({ who }) => names(who)))];
}
