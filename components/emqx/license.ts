/**
 * What an EMQX licence key says of itself. Its payload is read, its signature is not checked: that is EMQX's work.
 *
 * A key is `<payload>.<signature>`, both Base64. The payload has nine lines or more: format version, licence type, customer
 * type, customer, email, deployment, first day (YYYYMMDD), days, connections
 * (emqx/emqx@e5.10.4:apps/emqx_license/src/emqx_license_parser_v20220101.erl and include/emqx_license.hrl).
 */
import { dateOf, dayMs, inDays, warningDays } from "../shared/expiry";

export const LicenseType = { Trial: 0, Official: 1, Community: 2 } as const;

/** Of the customer types, the one that EMQX treats in a way of its own when its licence is over. */
const smallCustomer = 0;
/** Days after its licence's end that a small customer's EMQX goes on (`EXPIRED_DAY`). */
const smallCustomerGraceDays = 90;
/** Customer types whose licence may leave the limit of connections to EMQX: business critical, evaluation. */
const withDefaultLimit = [3, 10];

export interface License {
  /** 0 a trial, 1 an official licence, 2 a community licence, which is for one node. */
  type: number;
  /** 0 small, 1 medium, 2 large, 3 business critical, 4 bring your own cloud, 5 education, 10 evaluation, 11 developer. */
  customerType: number;
  /** The last day on which it is valid, at 00:00 UTC. EMQX shows the same day as `expiry_at`. */
  expires: Date;
  /** The most connections (from EMQX 5.9 on, sessions) of the whole cluster; 0 for EMQX's default of this kind of licence. */
  maxConnections: number;
}

const formatVersion = "220111";
const firstStart = 20211101;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A key as EMQX takes it whatever way it was pasted: without the blanks and line ends that EMQX leaves out, too. */
export function normalizeLicense(key: string): string {
  return key.replace(/\s/g, "");
}

/**
 * What EMQX would refuse about a licence key, so that a node with it would not start. The key is never part of what is
 * said. Its signature is EMQX's to check.
 */
export function licenseProblems(input: string, key: unknown, nodeCount = 1): string[] {
  if (typeof key !== "string") {
    return [`${input}: is not a text; give the key, or leave it out`];
  }
  const license = readLicense(normalizeLicense(key));
  if (typeof license === "string") {
    return [`${input}: ${license}`];
  }
  // emqx_license_parser:is_single_node.
  return license.type === LicenseType.Community && nodeCount > 1
    ? [
        `${input}: is a community licence, with which EMQX runs as a single node; give a key for ${nodeCount} nodes`,
      ]
    : [];
}

/** The licence in a key; undefined for what is none. */
export function parseLicense(key: string): License | undefined {
  const license = readLicense(normalizeLicense(key));
  return typeof license === "string" ? undefined : license;
}

/** The licence in a normalized key, or in words why there is none. */
function readLicense(key: string): License | string {
  if (key === "") {
    return "is empty; give the key, or leave it out";
  }
  if (key === "default" || key === "evaluation") {
    return (
      `"${key}" is EMQX's word for a licence of its own, and no key; leave it out to run a single node, ` +
      `or give a key (a trial is free: https://emqx.com/apply-licenses/emqx)`
    );
  }
  if (/^file:/i.test(key)) {
    return "is the address of a file, which the nodes do not have; give the text in that file";
  }
  const [payload = "", signature = "", ...more] = key.split(".");
  if (
    more.length > 0 ||
    payload === "" ||
    signature === "" ||
    !base64.test(payload) ||
    !base64.test(signature)
  ) {
    return (
      "is not an EMQX licence key: that is two Base64 texts with a dot between them; " +
      "is it whole, and the file's text rather than its name?"
    );
  }
  const lines = Buffer.from(payload, "base64").toString("utf8").trim().split("\n");
  const [version, type, customerType, , , , firstDay, days, maxConnections] = lines.map((line) =>
    line.trim(),
  );
  if (lines.length < 9 || version !== formatVersion) {
    return `is not an EMQX licence key: its text is not of the format ${formatVersion} that EMQX reads; is it whole?`;
  }
  const start = dayFrom(firstDay!);
  const numbers = [type, customerType, days, maxConnections].map((text) => wholeNumber(text!));
  if (start === undefined || numbers.includes(undefined)) {
    return "is not a licence key that EMQX reads: a date or a number in it is none";
  }
  const [typeNumber, customer, count, connections] = numbers as [number, number, number, number];
  const mayBeZero = typeNumber === LicenseType.Community || withDefaultLimit.includes(customer);
  if (count <= 0 || connections < 0 || (connections === 0 && !mayBeZero)) {
    return "is not a licence key that EMQX reads: it is for no days or no connections";
  }
  return {
    type: typeNumber,
    customerType: customer,
    expires: new Date(start.getTime() + count * dayMs),
    maxConnections: connections,
  };
}

/** The last day on which a licence key is valid, at 00:00 UTC; undefined when the key does not say. */
export function licenseExpiry(key: string): Date | undefined {
  return parseLicense(key)?.expires;
}

/** What to say about a licence's end, if anything. The key itself is never part of it. */
export function licenseWarnings(key: string, today: Date): string[] {
  const license = parseLicense(key);
  if (license === undefined) {
    return [];
  }
  const days = Math.floor(license.expires.getTime() / dayMs) - Math.floor(today.getTime() / dayMs);
  if (days > warningDays) {
    return [];
  }
  const state = days < 0 ? "expired" : "expires";
  return [
    `licenseKey: the licence ${state} on ${dateOf(license.expires)}, ${inDays(days)}; ${consequence(license)}. ` +
      `Give the key of its successor: the nodes take it up without a restart (docs/certificates.md)`,
  ];
}

/** What EMQX does when it is over (emqx_license_checker:is_overdue). */
function consequence({ type, customerType }: License): string {
  if (type !== LicenseType.Official) {
    return "from the day after on, EMQX takes no new connections";
  }
  return customerType === smallCustomer
    ? `from ${smallCustomerGraceDays} days after on, EMQX takes no new connections`
    : "EMQX goes on, with an alarm";
}

/** Digits, as EMQX reads them: with commas between thousands, if one likes. */
function wholeNumber(text: string): number | undefined {
  const plain = text.replace(",", "");
  return /^[+-]?\d+$/.test(plain) ? Number(plain) : undefined;
}

/** `20260131`; undefined for what is no day. */
function dayFrom(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)$/.exec(text.replace(",", ""));
  if (!match || Number(match[0]) < firstStart) {
    return undefined;
  }
  const iso = match.slice(1).join("-");
  const day = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && dateOf(day) === iso ? day : undefined;
}
