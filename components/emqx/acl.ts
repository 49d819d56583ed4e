/**
 * What clients may do: EMQX's file of rules (acl.conf), read and written. Pure. The file is Erlang terms, and the first rule
 * that fits decides (emqx/emqx@v5.8.9: apps/emqx_auth/src/emqx_authz/emqx_authz_rule.erl, sources/emqx_authz_file.erl).
 *
 * `emqx ctl conf reload` reads the file again in every version, whether its setting changed or not, throws away what was
 * remembered of decisions, and keeps clients (emqx_authz.erl, overwrite_entire_sources/1 and post_config_update/5, in v5.8.0, v5.8.9,
 * e5.9.0, e5.10.4, 6.2.2 and 6.3.0-beta.2). A file that cannot be read leaves the old rules.
 */
import * as semver from "semver";
import { nearest } from "../shared/nearest";
import { mostParameterBytes } from "./parameters";

export const AclPermission = { Allow: "allow", Deny: "deny" } as const;
export type AclPermission = (typeof AclPermission)[keyof typeof AclPermission];
export const AclAction = { Publish: "publish", Subscribe: "subscribe", All: "all" } as const;
export type AclAction = (typeof AclAction)[keyof typeof AclAction];

/** A rule of what clients may do. Conditions that are given together have to hold together; without one, it is for everybody. */
export interface EmqxAclRuleArgs {
  /** Whether what fits is allowed or denied. The first rule that fits decides. */
  permission: AclPermission;
  /** The client's user name. */
  username?: string;
  /** A regular expression that the user name fits. */
  usernamePattern?: string;
  /** The client's id. */
  clientId?: string;
  /** A regular expression that the client's id fits. */
  clientIdPattern?: string;
  /** IPv4 blocks of the client's address; a load balancer without PROXY protocol hides it. */
  cidrBlocks?: string[];
  /** What the client does. Default: all. */
  action?: AclAction;
  /** Topic filters, of which one has to fit; `${username}` and `${clientid}` are the client's own, `eq #` is this very filter. */
  topics: string[];
}

/** What clients may do: rules, or EMQX's file of them. Nodes take it up while they run. */
export interface EmqxAclArgs {
  /** Rules, the first one first. */
  rules?: EmqxAclRuleArgs[];
  /** Rules in the form of EMQX's acl.conf, instead. */
  file?: string;
  /** What happens with what no rule fits. Default: deny. */
  noMatch?: AclPermission;
}

/** A rule as EMQX has read it. */
export interface AclRule {
  permission: AclPermission;
  who: AclWho;
  action: AclAction;
  /** Undefined for all. */
  qos?: number[];
  retain?: boolean;
  topics: { filter: string; exactly: boolean }[];
}

export type AclWho =
  | { kind: "all" }
  | { kind: "username" | "clientid"; value: string; isPattern: boolean }
  | { kind: "ipaddr"; blocks: string[] }
  | { kind: "and" | "or"; of: AclWho[] }
  /** By what is not looked at here. */
  | { kind: "other"; name: string; value: string };

/**
 * The package's own rules up to 6.2.0. From 6.2.1 on the last one of the package holds in the legacy security profile only,
 * so that nobody may do anything in the hardened one (apps/emqx_auth/etc/acl.conf): then these are given.
 */
export const ownRules = `{allow, {username, {re, "^dashboard$"}}, subscribe, ["$SYS/#"]}.
{allow, {ipaddr, "127.0.0.1"}, all, ["$SYS/#", "#"]}.
{deny, all, subscribe, ["$SYS/#", {eq, "#"}, {eq, "+/#"}]}.
{allow, all}.
`;

/** EMQX's file of an ACL. */
export function renderAcl({ rules = [], file = "", noMatch }: EmqxAclArgs): string {
  const text = file.replaceAll("\r\n", "\n").trim();
  const lines = [...(text === "" ? [] : [text]), ...rules.map(renderRule)];
  // As the package's own file ends; what is left otherwise, `authorization.no_match` denies.
  if (noMatch === AclPermission.Allow) lines.push("{allow, all}.");
  return lines.map((line) => `${line}\n`).join("") || "{deny, all}.\n";
}

function renderRule(rule: EmqxAclRuleArgs): string {
  const { permission, username, usernamePattern, clientId, clientIdPattern, cidrBlocks, topics } = rule;
  const who = [
    ...(username === undefined ? [] : [`{username, ${quoted(username)}}`]),
    ...(usernamePattern === undefined ? [] : [`{username, {re, ${quoted(usernamePattern)}}}`]),
    ...(clientId === undefined ? [] : [`{clientid, ${quoted(clientId)}}`]),
    ...(clientIdPattern === undefined ? [] : [`{clientid, {re, ${quoted(clientIdPattern)}}}`]),
    ...(cidrBlocks === undefined ? [] : [`{ipaddrs, [${cidrBlocks.map(quoted).join(", ")}]}`]),
  ];
  const all = who.length > 1 ? `{'and', [${who.join(", ")}]}` : (who[0] ?? "all");
  return `{${permission}, ${all}, ${rule.action ?? AclAction.All}, [${topics.map(quoted).join(", ")}]}.`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

export function aclProblems(input: string, acl: EmqxAclArgs, version: string): string[] {
  if ((acl.rules === undefined) === (acl.file === undefined)) {
    return [`${input}: give either rules or file`];
  }
  try {
    if (acl.file !== undefined) checkVersion(readAcl(acl.file), version);
  } catch (error) {
    if (!(error instanceof AclError)) throw error;
    return [`${input}.file: ${error.message}`];
  }
  const bytes = Buffer.byteLength(renderAcl(acl));
  return bytes > mostParameterBytes
    ? [
        `${input}: has ${bytes} bytes as EMQX's file, and its parameter holds ${mostParameterBytes}; write one rule for many clients with ` +
          `\${username} or \${clientid} in a topic or with a pattern, or let EMQX ask a back end (authorization.sources in extraConfig)`,
      ]
    : [];
}

/** What a topic of a rule is, in words that follow it; undefined for a right one. */
export function aclTopicWords(topic: string): string | undefined {
  const filter = topic.replace(/^eq /, "");
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (filter === "" || /[\u0000-\u001f\u007f]/.test(filter)) return "is not a topic filter";
  if (/^\$(share\/[^/]*|queue)\//.test(filter)) {
    return "is never asked for: EMQX asks for the topic without $share/group/ or $queue/";
  }
  const levels = filter.split("/");
  if (levels.some((level, i) => level.includes("#") && (level !== "#" || i !== levels.length - 1))) {
    return "is not a topic filter: # stands alone in the last level";
  }
  if (levels.some((level) => level.includes("+") && level !== "+")) {
    return "is not a topic filter: + stands alone in its level";
  }
  const [, unknown] = /\$\{((?!(?:username|clientid|zone|client_attrs\.\w+)\})[^}]*)\}/.exec(filter) ?? [];
  return unknown === undefined || topic !== filter
    ? undefined
    : `has \${${unknown}}, which EMQX does not know here; it knows \${username}, \${clientid} and \${client_attrs.NAME}`;
}

/** What is wrong with a text that somebody is called by, or with a pattern, in words that follow it. */
export function aclNameWords(text: string): string | undefined {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text === "" || /[\u0000-\u001f\u007f]/.test(text) ? "is not a name" : undefined;
}

export function aclPatternWords(text: string): string | undefined {
  if (aclNameWords(text) !== undefined) return "is not a regular expression";
  try {
    new RegExp(text);
    return undefined;
  } catch {
    // PCRE, which EMQX uses, knows more after "(?" than this engine.
    return text.includes("(?") ? undefined : "is not a regular expression";
  }
}

export class AclError extends Error {
  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
  }
}

type Term = { atom: string } | { tuple: Term[] } | Term[] | string | number;

/** All rules of a file. Throws an AclError where EMQX would not take it. */
export function readAcl(text: string): (AclRule & { line: number })[] {
  return new TermReader(text).terms().map(({ term, line }) => ({ ...ruleOf(term, line), line }));
}

const conditions = [
  "user",
  "username",
  "client",
  "clientid",
  "client_attr",
  "ipaddr",
  "ipaddrs",
  "and",
  "or",
];
/** Of which version a condition is (emqx_authz_rule.erl). */
const newer: Record<string, string> = {
  client_attr: "5.8.5",
  zone: "6.2.1",
  listener: "6.2.1",
  security_profile: "6.2.1",
};

function checkVersion(rules: (AclRule & { line: number })[], version: string): void {
  const look = (who: AclWho, line: number): void => {
    if ("of" in who) who.of.forEach((each) => look(each, line));
    const since = who.kind === "other" ? newer[who.name] : undefined;
    if (since !== undefined && semver.lt(version, since)) {
      throw new AclError(line, `EMQX knows the condition ${(who as { name: string }).name} from ${since} on`);
    }
  };
  rules.forEach(({ who, line }) => look(who, line));
}

function ruleOf(term: Term, line: number): AclRule {
  const refuse = (problem: string): never => {
    throw new AclError(line, problem);
  };
  const atom = (at: Term | undefined) => (typeof at === "object" && "atom" in at ? at.atom : undefined);
  const tuple = (at: Term | undefined): Term[] => (typeof at === "object" && "tuple" in at ? at.tuple : []);
  const [first, ...rest] = tuple(term);
  const permission = atom(first);
  if (permission !== "allow" && permission !== "deny") {
    return refuse("a rule is {allow, …} or {deny, …}");
  }
  const text = (at: Term | undefined, what: string): string =>
    typeof at === "string" ? at : refuse(`${what} is not a text in quotes`);
  const who = (at: Term | undefined): AclWho => {
    if (atom(at) === "all") return { kind: "all" };
    const [head, value, third] = tuple(at);
    const name = atom(head) ?? "?";
    const pattern = (given: Term | undefined) => {
      const [re, expression] = tuple(given);
      if (atom(re) !== "re") return { value: text(given, name), isPattern: false };
      const words = aclPatternWords(text(expression, name));
      return words === undefined
        ? { value: expression as string, isPattern: true }
        : refuse(`"${String(expression)}" ${words}`);
    };
    const list = (given: Term | undefined): Term[] =>
      Array.isArray(given) ? given : refuse(`${name} has no list`);
    const block = (given: Term) => {
      const address = text(given, name);
      return /^[\d.]+(\/\d+)?$|^[\da-fA-F:.]+(\/\d+)?$/.test(address)
        ? address
        : refuse(`"${address}" is not an address or a block of addresses`);
    };
    switch (name) {
      case "user":
      case "username":
        return { kind: "username", ...pattern(value) };
      case "client":
      case "clientid":
        return { kind: "clientid", ...pattern(value) };
      case "ipaddr":
        return { kind: "ipaddr", blocks: [block(value!)] };
      case "ipaddrs":
        return { kind: "ipaddr", blocks: list(value).map(block) };
      case "and":
      case "or":
        return { kind: name, of: list(value).map(who) };
      case "client_attr":
        return { kind: "other", name, value: `${text(value, name)} ${pattern(third).value}` };
      case "zone":
      case "listener":
        return { kind: "other", name, value: pattern(value).value };
      case "security_profile":
        return { kind: "other", name, value: atom(value) ?? refuse(`${name} is legacy or hardened`) };
      default: {
        const meant = nearest(name, conditions);
        return refuse(
          `there is no condition ${name === "?" ? "like that" : name}${meant ? `; did you mean ${meant}?` : `; there are all, ${conditions.join(", ")}`}`,
        );
      }
    }
  };
  const everything = [
    { filter: "#", exactly: false },
    { filter: "$SYS/#", exactly: false },
  ];
  // {allow, all}, and {allow, {security_profile, legacy}}.
  if (rest.length === 1) {
    return { permission, who: who(rest[0]), action: AclAction.All, topics: everything.slice(0, 1) };
  }
  if (rest.length !== 3) refuse("a rule has a permission, who, an action and a list of topics");
  const [simple, options] = tuple(rest[1]);
  const action = atom(rest[1]) ?? atom(simple);
  if (action !== "publish" && action !== "subscribe" && action !== "all") {
    return refuse("an action is publish, subscribe or all");
  }
  const option = (name: string) =>
    (Array.isArray(options) ? options : []).map(tuple).find(([key]) => atom(key) === name)?.[1];
  const [qos, retain] = [option("qos"), atom(option("retain"))];
  const topics = Array.isArray(rest[2])
    ? rest[2].map((topic) => {
        const [eq, exact] = tuple(topic);
        const written = atom(eq) === "eq" ? `eq ${text(exact, "eq")}` : text(topic, "a topic");
        const words = aclTopicWords(written);
        if (words !== undefined) refuse(`"${written}" ${words}`);
        return { filter: written.replace(/^eq /, ""), exactly: written.startsWith("eq ") };
      })
    : atom(rest[2]) === "all"
      ? everything
      : refuse("the topics are not a list");
  return {
    permission,
    who: who(rest[0]),
    action,
    ...(qos === undefined ? {} : { qos: [qos].flat().map(Number) }),
    ...(retain === "true" || retain === "false" ? { retain: retain === "true" } : {}),
    topics,
  };
}

/** Erlang's terms, each with a full stop after it, as far as rules are made of them. */
class TermReader {
  private at = 0;

  constructor(private readonly text: string) {}

  terms(): { term: Term; line: number }[] {
    const found: { term: Term; line: number }[] = [];
    for (this.skip(); this.at < this.text.length; this.skip()) {
      const line = this.line();
      const term = this.term();
      if (!this.take(/\.(?=\s|%|$)/y)) this.fail("a rule ends in a full stop");
      found.push({ term, line });
    }
    return found;
  }

  private term(): Term {
    const open = this.take(/[{[]/y);
    if (open !== undefined) {
      const items = this.items(open === "{" ? /\}/y : /\]/y);
      return open === "{" ? { tuple: items } : items;
    }
    const binary = this.take(/<</y);
    const text = this.take(/"(?:[^"\\]|\\[^])*"/y);
    if (text !== undefined) {
      if (binary !== undefined && !this.take(/(?:\/utf8)?\s*>>/y)) this.fail("<<…>> is not closed");
      return text.slice(1, -1).replace(/\\([^])/g, (_, sign: string) => escapes[sign] ?? sign);
    }
    const number = this.take(/[+-]?\d+/y);
    if (number !== undefined) return Number(number);
    const atom = this.take(/[a-z][\w@]*|'(?:[^'\\]|\\[^])*'/y);
    return atom === undefined
      ? this.fail(`${JSON.stringify(this.text.charAt(this.at) || "the end")} does not belong here`)
      : { atom: atom.replaceAll("'", "") };
  }

  private items(close: RegExp): Term[] {
    const items: Term[] = [];
    if (this.take(close) !== undefined) return items;
    do items.push(this.term());
    while (this.take(/,/y) !== undefined);
    if (this.take(close) === undefined) this.fail(`a comma or ${close.source.slice(1)} is missing`);
    return items;
  }

  private take(pattern: RegExp): string | undefined {
    this.skip();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private skip(): void {
    const blank = /(?:\s|%[^\n]*)*/y;
    blank.lastIndex = this.at;
    this.at += blank.exec(this.text)![0].length;
  }

  private line(): number {
    return this.text.slice(0, this.at).split("\n").length;
  }

  private fail(problem: string): never {
    throw new AclError(this.line(), problem);
  }
}

const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", s: " ", e: "\u001b" };
