/** What clients notice of a change of the load balancer and what hangs on it. */
import { type Change, type ResourceChange, changed, isKnown } from "./change";
import { type Listener, listenersOf } from "./network";
import { type Notice, type NoticeInput, clients, ofAny } from "./notice";
import { purposeOfListener } from "./ports";
import { oldestTls, referencePolicy } from "../access/tls";
import { types } from "../types";
import { byName, enumerate, grouped, number, record, same, text } from "./values";

export function loadBalancerNotices({ change }: NoticeInput): Notice[] {
  const ending = (words: string): Notice => clients("interrupts-service", words, "replace-load-balancer");
  const ofBoth = (operation: "replace" | "delete") =>
    [types.loadBalancer, types.networkLoadBalancer].flatMap((type) => changed(change, type, operation));
  return [
    ...ofBoth("replace").map(({ name, properties }) => {
      const causes = properties.filter(({ forcesReplacement }) => forcesReplacement);
      const why = causes.length > 0 ? ` (${causes.map(({ path }) => `\`${path}\``).join(", ")})` : "";
      return ending(
        `The load balancer ${name} is replaced${why}: all connections close and its DNS name changes.`,
      );
    }),
    ...ofBoth("delete").map(({ name }) =>
      ending(`The load balancer ${name} is deleted: its endpoint goes away.`),
    ),
    ...changed(change, types.loadBalancer, "update").flatMap(settingNotices),
  ];
}

interface Setting {
  path: string;
  label: string;
  unit?: string;
  audience: Notice["audience"];
}

const settings: Setting[] = [
  { path: "idleTimeout", label: "Idle timeout", unit: " s", audience: "clients" },
  { path: "connectionDrainingTimeout", label: "Draining timeout", unit: " s", audience: "operators" },
  { path: "connectionDraining", label: "Connection draining", audience: "operators" },
  { path: "crossZoneLoadBalancing", label: "Balancing across zones", audience: "operators" },
  { path: "healthCheck", label: "Health check", audience: "operators" },
  { path: "accessLogs", label: "Access logs", audience: "operators" },
];

function settingNotices({ before, after }: ResourceChange): Notice[] {
  return settings.flatMap(({ path, label, unit = "", audience }): Notice[] => {
    const [old, next] = [before?.inputs[path], after?.inputs[path]];
    const [oldText, nextText] = [inWords(old, unit), inWords(next, unit)];
    if (oldText === nextText) return [];
    const isShorter = path === "idleTimeout" && (number(next) ?? 0) < (number(old) ?? 0);
    const warning = isShorter
      ? ". Clients with a keep-alive of more than the new timeout are cut off while they rest"
      : "";
    return [{ audience, level: "safe", text: `${label}: ${oldText} → ${nextText}${warning}.` }];
  });
}

function inWords(value: unknown, unit: string): string {
  if (value === undefined || value === null) return "none";
  if (typeof value !== "object") return `${String(value)}${typeof value === "boolean" ? "" : unit}`;
  return Object.entries(record(value))
    .filter(([key, item]) => !key.startsWith("__") && item !== undefined && item !== null)
    .sort(([a], [b]) => byName(a, b))
    .map(([key, item]) => `${key} ${isKnown(item) ? String(item) : "(not known yet)"}`)
    .join(", ");
}

/** DNS records that clients connect to. */
export function recordNotices({ change }: NoticeInput): Notice[] {
  const records = changed(change, types.record);
  const nameOf = ({ before, after, name }: ResourceChange, side: "before" | "after") =>
    text((side === "before" ? before : after)?.inputs.name) ?? name;
  const ending = records.filter(({ operation }) => operation === "delete" || operation === "replace");
  const beginning = records.filter(({ operation }) => operation === "create" || operation === "replace");
  const [old, next] = [
    ending.map((item) => nameOf(item, "before")),
    beginning.map((item) => nameOf(item, "after")),
  ];
  return [
    ...old.map((name) =>
      next.includes(name)
        ? clients("interrupts-service", `The record of ${name} is deleted and made again.`)
        : clients("interrupts-service", `The name ${name} goes away.`),
    ),
    ...next.filter((name) => !old.includes(name)).map((name) => clients("safe", `New name: ${name}.`)),
    ...records
      .filter(({ operation }) => operation === "update")
      .map((item) => clients("safe", `The record of ${nameOf(item, "after")} leads somewhere else.`)),
  ];
}

export function listenerNotices({ change, before, after }: NoticeInput): Notice[] {
  return changed(change, types.loadBalancer, "update", "replace").flatMap((balancer): Notice[] => {
    const [old, next] = [before.get(balancer.urn), after.get(balancer.urn)];
    if (!old || !next) return [];
    const [oldListeners, nextListeners] = [listenersOf(old), listenersOf(next)];
    const ports = [...new Set([...oldListeners, ...nextListeners].map(({ port }) => port))].sort(
      (a, b) => a - b,
    );
    const notices = ports.flatMap((port) => {
      const was = oldListeners.find((listener) => listener.port === port);
      const is = nextListeners.find((listener) => listener.port === port);
      if (!was) return is ? [clients("safe", `New listener: ${described(is)}.`)] : [];
      if (!is) {
        return [
          clients("interrupts-service", `Listener removed: ${described(was)}. Its clients are cut off.`),
        ];
      }
      return described(was) === described(is)
        ? []
        : [clients("interrupts-service", `Listener changed: ${described(was)} → ${described(is)}.`)];
    });
    return [...notices, ...renewals(oldListeners, nextListeners)];
  });
}

/** Listeners whose certificate changes, together where it is the same. */
function renewals(before: Listener[], after: Listener[]): Notice[] {
  const renewed = after.flatMap((is) => {
    const was = before.find(({ port }) => port === is.port);
    return was && was.certificate !== is.certificate && described(was) === described(is)
      ? [{ port: String(is.port), transition: `${certificate(was)} → ${certificate(is)}` }]
      : [];
  });
  return [...grouped(renewed, ({ transition }) => transition)].map(([transition, alike]) =>
    clients(
      "safe",
      `New certificate on port ${enumerate(alike.map(({ port }) => port))}: ${transition}. The provider makes a listener ` +
        `anew for that: new connections are refused for some seconds, open ones stay. Without that loss: put it on the running ` +
        `listeners first with \`npm run certificate\`, then update with \`--refresh\` (docs/certificates.md).`,
    ),
  );
}

function described({ port, protocol, instancePort, instanceProtocol }: Listener): string {
  return `${protocol} ${port} → ${instanceProtocol} ${instancePort} (${purposeOfListener(protocol, instancePort)})`;
}

function certificate({ certificate: arn }: Listener): string {
  return isKnown(arn) ? `\`${arn}\`` : "one that is not made yet";
}

/** Certificates of the stack's own: clients were given the authority's, to trust what it issues. */
export function certificateNotices({ change }: NoticeInput): Notice[] {
  const authority = authorityNotices(change);
  return [
    ...authority,
    ...issuedNotices(
      change,
      authority.some(({ level }) => level !== "safe"),
    ),
  ];
}

function authorityNotices(change: Change): Notice[] {
  const keys = changed(change, types.privateKey, "replace", "create").map(({ name }) => name);
  const anew = [
    ...changed(change, types.selfSignedCert, "replace"),
    // Where there was a certificate before: another one's, or one from elsewhere that clients trusted so far.
    ...(changed(change, types.loadBalancer).some(
      ({ before, operation }) =>
        before !== undefined &&
        operation !== "replace" &&
        /sslCertificateId/.test(JSON.stringify(before.inputs)),
    ) || changed(change, types.selfSignedCert, "delete").length > 0
      ? changed(change, types.selfSignedCert, "create")
      : []),
  ];
  const made = changed(change, types.selfSignedCert, "create", "replace", "same", "update");
  const gone = made.length > 0 ? [] : changed(change, types.selfSignedCert, "delete");
  const stays = changed(change, types.loadBalancer).some(({ before, after }) => before && after);
  return [
    ...(stays ? gone : []).map(({ name }): Notice =>
      clients(
        "interrupts-service",
        `The certificate authority ${name} goes: clients that trust only it refuse the certificate from elsewhere.`,
      ),
    ),
    ...anew.map(({ name, before, after }): Notice => {
      // A chain is followed by the issuer's name as well as by its key (RFC 5280, 6.1.3).
      const keepsKey = !keys.includes(name) && same(before?.inputs.subject, after?.inputs.subject);
      return clients(
        keepsKey ? "safe" : "interrupts-service",
        keepsKey
          ? `The certificate authority ${name} gets a new certificate with the same key: clients trust what it issues until ` +
              `the old one ends, and need the new \`caCertificatePem\` by then.`
          : `The self-signed certificate ${name} is made anew: clients that verify it need the new \`caCertificatePem\`.`,
      );
    }),
  ];
}

function issuedNotices(change: Change, isOfNewAuthority: boolean): Notice[] {
  const before = changed(change, types.locallySignedCert, "replace", "delete");
  const after = changed(change, types.locallySignedCert, "replace", "create");
  return ofAny(before.length > 0 ? after : [], () =>
    clients(
      "safe",
      "The load balancer gets a new certificate of its own authority, under the same ARN: new connections see it, " +
        (isOfNewAuthority
          ? "open ones stay. Who trusts only the old authority refuses it."
          : "open ones stay, and clients that trust the authority notice nothing."),
    ),
  );
}

export function tlsNotices({ change, before, after }: NoticeInput): Notice[] {
  return changed(change, types.loadBalancerPolicy).flatMap((policy): Notice[] => {
    const [was, is] = [before.get(policy.urn)?.inputs, after.get(policy.urn)?.inputs];
    const [old, next] = [referencePolicy(was), referencePolicy(is)];
    if (!was || !is || !old || !next || old === next) return [];
    const [from, to] = [oldestTls(was), oldestTls(is)];
    const end =
      to > from
        ? `. Clients that know nothing newer than TLS ${(to - 0.1).toFixed(1)} can no longer connect.`
        : to === 0
          ? ", whose TLS versions are not known here."
          : to < from
            ? `. From now on, ${to < 1 ? "SSL" : `TLS ${to.toFixed(1)}`} is good enough.`
            : ".";
    return [
      clients(to > from || to === 0 ? "interrupts-service" : "safe", `TLS policy: ${old} → ${next}${end}`),
    ];
  });
}
