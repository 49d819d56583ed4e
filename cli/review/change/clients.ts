/** What clients notice of a change of the load balancer and what hangs on it. */
import type { ResourceChange } from "./change";
import { changed, isKnown } from "./change";
import type { Listener } from "./network";
import { listenersOf } from "./network";
import type { Notice, NoticeInput } from "./notices";
import { purposeOfListener } from "./ports";
import { types } from "../types";
import { byName, list, number, record, text } from "./values";

export function loadBalancerNotices({ change }: NoticeInput): Notice[] {
  return changed(change, types.loadBalancer).flatMap((balancer): Notice[] => {
    switch (balancer.operation) {
      case "replace": {
        const causes = balancer.properties.filter(({ forcesReplacement }) => forcesReplacement);
        const why = causes.length > 0 ? ` (${causes.map(({ path }) => `\`${path}\``).join(", ")})` : "";
        return [
          {
            audience: "clients",
            level: "interrupts-service",
            text: `The load balancer ${balancer.name} is replaced${why}: all connections close and its DNS name changes.`,
            gate: "replace-load-balancer",
          },
        ];
      }
      case "delete":
        return [
          {
            audience: "clients",
            level: "interrupts-service",
            text: `The load balancer ${balancer.name} is deleted: its endpoint goes away.`,
            gate: "replace-load-balancer",
          },
        ];
      case "update":
        return settingNotices(balancer);
      default:
        return [];
    }
  });
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
  return changed(change, types.record, "create", "replace", "delete", "update").flatMap((item): Notice[] => {
    const [old, next] = [text(item.before?.inputs.name), text(item.after?.inputs.name)];
    switch (item.operation) {
      case "create":
        return [{ audience: "clients", level: "safe", text: `New name: ${next ?? item.name} leads to the load balancer.` }];
      case "delete":
        return [
          { audience: "clients", level: "interrupts-service", text: `The name ${old ?? item.name} goes away.` },
        ];
      case "replace":
        return old === next
          ? [{ audience: "clients", level: "interrupts-service", text: `The record of ${old ?? item.name} is made anew.` }]
          : [
              {
                audience: "clients",
                level: "interrupts-service",
                text: `The name changes: ${old ?? "?"} → ${next ?? "?"}. Clients must use the new one.`,
              },
            ];
      default:
        return [{ audience: "clients", level: "safe", text: `The record of ${next ?? item.name} is changed.` }];
    }
  });
}

export function listenerNotices({ change, before, after }: NoticeInput): Notice[] {
  return changed(change, types.loadBalancer, "update", "replace").flatMap((balancer): Notice[] => {
    const [old, next] = [before.get(balancer.urn), after.get(balancer.urn)];
    if (!old || !next) return [];
    const [oldListeners, nextListeners] = [listenersOf(old), listenersOf(next)];
    const ports = [...new Set([...oldListeners, ...nextListeners].map(({ port }) => port))].sort((a, b) => a - b);
    return ports.flatMap((port): Notice[] => {
      const was = oldListeners.find((listener) => listener.port === port);
      const is = nextListeners.find((listener) => listener.port === port);
      if (!was && is) return [{ audience: "clients", level: "safe", text: `New listener: ${described(is)}.` }];
      if (was && !is) {
        return [
          { audience: "clients", level: "interrupts-service", text: `Listener removed: ${described(was)}. Its clients are cut off.` },
        ];
      }
      if (!was || !is) return [];
      if (described(was) !== described(is)) {
        return [
          { audience: "clients", level: "interrupts-service", text: `Listener changed: ${described(was)} → ${described(is)}.` },
        ];
      }
      if (was.certificate === is.certificate) return [];
      return [
        {
          audience: "clients",
          level: "safe",
          text:
            `New certificate on port ${port}: ${certificate(was)} → ${certificate(is)}. ` +
            `The listener is made anew: new connections are refused for some seconds, open ones stay.`,
        },
      ];
    });
  });
}

function described({ port, protocol, instancePort, instanceProtocol }: Listener): string {
  return `${protocol} ${port} → ${instanceProtocol} ${instancePort} (${purposeOfListener(protocol, instancePort)})`;
}

function certificate({ certificate: arn }: Listener): string {
  return isKnown(arn) ? `\`${arn}\`` : "one that is not made yet";
}

/** A certificate of the stack's own. Clients were given the old one to verify. */
export function certificateNotices({ change }: NoticeInput): Notice[] {
  return changed(change, types.selfSignedCert, "replace").map(({ name }) => ({
    audience: "clients",
    level: "interrupts-service",
    text: `The self-signed certificate ${name} is made anew: clients that verify it need the new \`caCertificatePem\`.`,
  }));
}

const newestVersions: Record<string, number> = {
  "ELBSecurityPolicy-TLS-1-2-2017-01": 1.2,
  "ELBSecurityPolicy-TLS-1-1-2017-01": 1.1,
};

/** The oldest TLS version that one of AWS's policies admits; all others admit TLS 1.0. */
function oldestTls(policy: string): number {
  return newestVersions[policy] ?? 1.0;
}

export function tlsNotices({ change, before, after }: NoticeInput): Notice[] {
  return changed(change, types.loadBalancerPolicy).flatMap((policy): Notice[] => {
    const [old, next] = [referencePolicy(before.get(policy.urn)?.inputs), referencePolicy(after.get(policy.urn)?.inputs)];
    if (!old || !next || old === next) return [];
    const tighter = oldestTls(next) > oldestTls(old);
    const looser = oldestTls(next) < oldestTls(old);
    const oldest = (value: number) => `TLS ${value.toFixed(1)}`;
    return [
      {
        audience: "clients",
        level: tighter ? "interrupts-service" : "safe",
        text:
          `TLS policy: ${old} → ${next}` +
          (tighter
            ? `. Clients that know nothing newer than TLS ${(oldestTls(next) - 0.1).toFixed(1)} can no longer connect.`
            : looser
              ? `. From now on, ${oldest(oldestTls(next))} is good enough.`
              : "."),
      },
    ];
  });
}

function referencePolicy(inputs: Record<string, unknown> | undefined): string | undefined {
  return list(inputs?.policyAttributes)
    .map(record)
    .flatMap(({ name, value }) => (name === "Reference-Security-Policy" ? [text(value)] : []))[0];
}
