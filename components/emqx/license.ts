/**
 * What an EMQX licence key says of itself. Its payload is read, its signature is not checked: that is EMQX's work.
 *
 * A key is `<payload>.<signature>`, both Base64. The payload has nine lines: format version, licence type, customer type,
 * customer, email, deployment, first day (YYYYMMDD), days, connections
 * (emqx/emqx, apps/emqx_license/src/emqx_license_parser_v20220101.erl and include/emqx_license.hrl).
 */
import { dateOf, dayMs, inDays, warningDays } from "../expiry";

export const LicenseType = { Trial: 0, Official: 1 } as const;

/** Of the customer types, the one that EMQX treats in a way of its own when its licence is over. */
const smallCustomer = 0;
/** Days after its licence's end that a small customer's EMQX goes on (`EXPIRED_DAY`). */
const smallCustomerGraceDays = 90;

export interface License {
  /** 0 a trial, 1 an official licence. */
  type: number;
  /** 0 small, 1 medium, 2 large, 3 business critical, 4 bring your own cloud, 10 evaluation. */
  customerType: number;
  /** The last day on which it is valid, at 00:00 UTC. EMQX shows the same day as `expiry_at`. */
  expires: Date;
  /** The most connections (from EMQX 5.9 on, sessions) of the whole cluster. */
  maxConnections: number;
}

const formatVersion = "220111";
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The licence in a key; undefined for what is none, such as `default`, `evaluation` or the path of a file. */
export function parseLicense(key: string): License | undefined {
  const [payload, signature, ...more] = key.replace(/[ \r\n]/g, "").split(".");
  if (!base64.test(payload ?? "") || !base64.test(signature ?? "") || more.length > 0) {
    return undefined;
  }
  const lines = Buffer.from(payload!, "base64").toString("utf8").trim().split("\n");
  const [version, type, customerType, , , , firstDay, days, maxConnections] = lines.map((line) =>
    line.trim(),
  );
  if (lines.length !== 9 || version !== formatVersion) {
    return undefined;
  }
  const start = dayFrom(firstDay!);
  const numbers = [type, customerType, days, maxConnections].map((text) => wholeNumber(text!));
  if (start === undefined || numbers.includes(undefined)) {
    return undefined;
  }
  const [typeNumber, customer, count, connections] = numbers as [number, number, number, number];
  if (count <= 0 || connections <= 0) {
    return undefined;
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
  if (!match) {
    return undefined;
  }
  const iso = match.slice(1).join("-");
  const day = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && dateOf(day) === iso ? day : undefined;
}
