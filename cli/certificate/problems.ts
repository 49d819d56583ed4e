/** What speaks against a certificate before it is put on a load balancer. Pure. */
import { certificateGrammar } from "../../components/certificate/arn";
import { dateOf, daysUntil, inDays, warningDays } from "../../components/shared/expiry";
import type { CertificateFacts } from "./account";

export interface Wanted {
  arn: string;
  /** The load balancer's region. */
  region: string;
  /** The name that clients connect to; undefined where the stack does not know it. */
  hostname?: string;
  now: Date;
}

/** What can be seen from the ARN alone. */
export function arnProblems({ arn, region }: Wanted): string[] {
  const problem = certificateGrammar(arn, { region });
  return problem === undefined ? [] : [`it ${problem}`];
}

/** Everything that is wrong with it, one line each. */
export function certificateProblems(facts: CertificateFacts | undefined, wanted: Wanted): string[] {
  const { hostname, now } = wanted;
  if (facts === undefined) return ["there is no such certificate in this account and region"];
  if (facts.status !== "ISSUED") return [`its status is ${facts.status}; only an ISSUED one can be used`];
  const days = daysUntil(facts.expires, now);
  return [
    ...(days < 0 ? [`it expired on ${dateOf(facts.expires)}, ${inDays(days)}`] : []),
    ...(hostname !== undefined && !covers(facts.names, hostname)
      ? [`it is for ${facts.names.join(", ") || "no host name"}, but clients connect to ${hostname}`]
      : []),
  ];
}

/** What works, and should be known. */
export function certificateRemarks(facts: CertificateFacts, { hostname, now }: Wanted): string[] {
  const days = daysUntil(facts.expires, now);
  return [
    ...(days <= warningDays ? [`It expires on ${dateOf(facts.expires)}, ${inDays(days)}.`] : []),
    ...(hostname === undefined
      ? [
          `Its names were not checked: the stack has no hostname, so which name clients connect to is not known. ` +
            `It is for ${facts.names.join(", ")}.`,
        ]
      : []),
  ];
}

/** A wildcard stands for exactly one label (RFC 6125, 6.4.3). */
export function covers(names: readonly string[], hostname: string): boolean {
  const wildcard = hostname.replace(/^[^.]+/, "*");
  return names.some((name) => [hostname, wildcard].includes(name.toLowerCase()));
}
