/**
 * What of a deployment ends soon: certificate and licence. A preview says so as of the last update; what it is about to
 * change has no end yet, and is left out.
 */
import { dateOf, dayMs, inDays } from "../../../components/shared/expiry";
import { types } from "../types";
import type { Change, ResourceChange } from "./change";
import { changed, isKnown, parentUrn } from "./change";
import { text } from "./values";

/** The earliest that ACM renews what it issued is 60 days before its end; a licence takes time to be bought. */
const reminderDays = 60;

export interface Expiry {
  what: "certificate" | "licence";
  /** The resource or component that it belongs to. */
  name: string;
  ends: Date;
  /** Whole days from today on; below 0 once it is over. */
  days: number;
  /** What to do about it. */
  remedy: string;
}

export function expiriesOf(change: Change, today: Date): Expiry[] {
  return [...certificates(change), ...licenses(change)]
    .map((found) => ({ ...found, days: daysBetween(today, found.ends) }))
    .filter(({ days }) => days <= reminderDays)
    .sort((a, b) => a.days - b.days);
}

/** `The certificate of emqx-elb expires on 2027-01-31, in 12 days.` */
export function expiryText({ what, name, ends, days, remedy }: Expiry): string {
  const state = days < 0 ? "expired" : "expires";
  return `The ${what} of ${name} ${state} on ${dateOf(ends)}, ${inDays(days)}. ${remedy}`;
}

type Found = Omit<Expiry, "days">;

const remedies: Record<string, string> = {
  AMAZON_ISSUED:
    "ACM renews it by itself as long as its validation holds, and may have done so since the last update; `pulumi refresh` tells.",
  IMPORTED: "Import its successor under the same ARN: `aws acm import-certificate --certificate-arn …`.",
  selfSigned: "From 30 days before, the next update makes a new one under the same ARN.",
  server: "Upload its successor to IAM and put it on the listeners with `npm run certificate`.",
  licence: "Set the key of its successor: `pulumi config set --secret emqx-aws:licenseKey`.",
};

/** Those in ACM by their own state; others by what their load balancer's component says. */
function certificates(change: Change): Found[] {
  const inAcm = [...change.reads, ...changed(change, types.certificate, "same")].filter(
    ({ type, before, after }) =>
      type === types.certificate && before?.id !== undefined && (after?.id ?? before.id) === before.id,
  );
  const others = saying(change, "certificateExpires").filter(
    (component) => !childrenOf(change, component).some(isCertificateOrNewOne),
  );
  return [
    ...inAcm.flatMap((certificate) => {
      const origin = isSelfSigned(change, certificate)
        ? "selfSigned"
        : text(certificate.before?.outputs["type"]);
      return found("certificate", certificate, "notAfter", remedies[origin ?? "IMPORTED"]);
    }),
    ...others.flatMap((component) => found("certificate", component, "certificateExpires", remedies.server)),
  ];
}

function isSelfSigned(change: Change, certificate: ResourceChange): boolean {
  const parent = parentUrn(certificate);
  return changed(change, types.locallySignedCert).some((other) => parentUrn(other) === parent);
}

/** A certificate that speaks for itself, or a load balancer that is about to get another one. */
function isCertificateOrNewOne({ type, properties }: ResourceChange): boolean {
  return type === types.certificate || properties.some(({ path }) => path.includes("sslCertificateId"));
}

function licenses(change: Change): Found[] {
  const isRenewed = changed(change, types.parameter).some(
    ({ name, operation }) => name.endsWith("-license-key") && operation !== "same",
  );
  return isRenewed
    ? []
    : saying(change, "licenseExpires").flatMap((component) =>
        found("licence", component, "licenseExpires", remedies.licence),
      );
}

/** Components with such an output, but for those that only repeat what one inside them says. */
function saying(change: Change, output: string): ResourceChange[] {
  const says = ({ custom, type, before }: ResourceChange) =>
    !custom && type !== types.stack && before?.outputs[output] !== undefined;
  return change.resources.filter((component) => says(component) && !childrenOf(change, component).some(says));
}

function childrenOf(change: Change, component: ResourceChange): ResourceChange[] {
  return [...change.resources, ...change.reads].filter((resource) => parentUrn(resource) === component.urn);
}

function found(what: Found["what"], { name, before }: ResourceChange, output: string, remedy = ""): Found[] {
  const value = text(before?.outputs[output]);
  const ends = isKnown(value) ? new Date(value!) : undefined;
  return ends === undefined || Number.isNaN(ends.getTime()) ? [] : [{ what, name, ends, remedy }];
}

function daysBetween(from: Date, to: Date): number {
  return Math.floor(to.getTime() / dayMs) - Math.floor(from.getTime() / dayMs);
}
