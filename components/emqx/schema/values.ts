/**
 * Which values EMQX takes for its primitive types: apps/emqx/src/emqx_schema.erl (`to_duration`, `to_bytesize`,
 * `to_ip_port` …), emqx/hocon src/hocon_postprocess.erl and hocon_schema_builtin.erl, which reads numbers out of texts
 * and texts out of whole numbers.
 */
import { HoconValue } from "../hocon";

type Test = (value: HoconValue) => boolean;

interface Primitive {
  fits: Test;
  /** Completes "… must be". */
  allowed: string;
}

const text: Test = (value) => typeof value === "string" || Number.isInteger(value) || isEmptyList(value);
const word = (pattern: RegExp): Test => {
  return (value) => (typeof value === "string" || typeof value === "number") && pattern.test(String(value));
};

/** A whole number, or one inside a text. `50%` counts as 50, as a percentage is an integer to EMQX's types. */
function integerOf(value: HoconValue): number | undefined {
  const digits = typeof value === "string" ? /^\s*([+-]?\d+)%?$/.exec(value)?.[1] : value;
  return Number.isInteger(Number(digits ?? Number.NaN)) && typeof digits !== "boolean"
    ? Number(digits)
    : undefined;
}

function integer(least: number, most: number): Primitive {
  const allowed =
    most === Infinity ? `a whole number from ${least} on` : `a whole number from ${least} to ${most}`;
  return {
    fits: (value) => {
      const number = typeof value === "object" ? undefined : integerOf(value);
      return number !== undefined && number >= least && number <= most;
    },
    allowed,
  };
}

const unitsMs: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 };

/** Milliseconds of `1h30m`; a bare number is in the type's own unit. */
function duration(most: number, unit: "ms" | "s"): Primitive {
  const least = most === Infinity ? -Infinity : 0;
  const limit = most === Infinity ? "" : `, at most ${most} ${unit}`;
  return {
    fits: (value) => {
      if (typeof value === "number") return Number.isInteger(value) && value >= least && value <= most;
      if (typeof value !== "string") return false;
      if (/^[+-]?\d+$/.test(value)) return Number(value) >= least && Number(value) <= most;
      if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/i.test(value)) return false;
      let ms = 0;
      for (const [, count, name] of value.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/gi)) {
        ms += Number(count) * unitsMs[name!.toLowerCase()]!;
      }
      return Math.ceil(ms / unitsMs[unit]!) <= most;
    },
    allowed: `a duration such as 30s, 5m or 1h30m (units: ms, s, m, h, d, w)${limit}`,
  };
}

function ipPort(value: HoconValue): boolean {
  if (typeof value === "number") return integerOf(value) !== undefined && value >= 0 && value <= 65535;
  const [, host, port] = /^(?:(.*):)?\s*\+?(\d{1,5})$/.exec(typeof value === "string" ? value : "") ?? [];
  if (port === undefined || Number(port) > 65535) return false;
  return host === undefined || host === "" || isAddress(host);
}

function isAddress(host: string): boolean {
  const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && host.split(".").every((part) => Number(part) <= 255);
  return ipv4 || /^\[?[0-9a-f:.]*:[0-9a-f:.]*\]?$/i.test(host);
}

// The longest time that an Erlang timer takes: MAX_INT_TIMEOUT_MS in emqx_schema.erl.
const longestTimeoutMs = 0xffffffff;
const anyText: Primitive = { fits: text, allowed: "a text" };
const atomText: Primitive = { fits: (value) => typeof value === "boolean" || text(value), allowed: "a text" };
const commaText: Primitive = { fits: text, allowed: "a text with commas" };
const commaBinary: Primitive = {
  fits: (value) => text(value) || (Array.isArray(value) && value.every(text)),
  allowed: "a text with commas, or a list of texts",
};
const bytes: Primitive = {
  fits: word(/^([+-]?\d+|\d+(B|b|KB|kb|MB|mb|GB|gb))$/),
  allowed: "a size such as 512KB or 10MB (units: B, KB, MB, GB; whole numbers)",
};
const address: Primitive = { fits: ipPort, allowed: 'a port, or "address:port" with an IP address' };

const primitives: Record<string, Primitive | undefined> = {
  "boolean()": { fits: word_("true", "false"), allowed: "true or false" },
  "binary()": anyText,
  "string()": anyText,
  "template()": { fits: (value) => text(value) || typeof value === "object", allowed: "a text" },
  "template_str()": anyText,
  "secret()": anyText,
  "json_binary()": { fits: (value) => text(value) || isObject(value), allowed: "JSON as a text" },
  "atom()": atomText,
  "comma_separated_list()": commaText,
  "comma_separated_binary()": commaBinary,
  "comma_separated_atoms()": commaText,
  "integer()": { fits: word(/^\s*[+-]?\d+$/), allowed: "a whole number" },
  "pos_integer()": integer(1, Infinity),
  "non_neg_integer()": integer(0, Infinity),
  "port_number()": integer(1, 65535),
  "qos()": integer(0, 2),
  "float()": { fits: word(/^[+-]?\d+(\.\d+)?$/), allowed: "a number with a decimal point" },
  "number()": { fits: word(/^\s*[+-]?(\d+|\d+\.\d+)$/), allowed: "a number" },
  "percent()": {
    fits: (value) =>
      (typeof value === "number" && !Number.isInteger(value)) ||
      (typeof value === "string" &&
        /^\d+(\.\d+)?%$/.test(value) &&
        Number(value.slice(0, -1)) >= 0 &&
        Number(value.slice(0, -1)) <= 100),
    allowed: "a percentage from 0% to 100%",
  },
  "bytesize()": bytes,
  "wordsize()": bytes,
  "size_limit()": {
    fits: word(/^(infinity|\+?0*[1-9]\d*|\d+(\.\d+)?\s*[KMGT]i?B)$/),
    allowed: "a size such as 10MB, or infinity",
  },
  "duration()": duration(Infinity, "ms"),
  "duration_ms()": duration(Infinity, "ms"),
  "duration_s()": duration(Infinity, "s"),
  "timeout_duration()": duration(longestTimeoutMs, "ms"),
  "timeout_duration_ms()": duration(longestTimeoutMs, "ms"),
  "timeout_duration_s()": duration(Math.floor(longestTimeoutMs / 1000), "s"),
  "ip_port()": address,
  "url()": {
    fits: (value) =>
      text(value) && /^\S+$/.test(String(value)) && !/^(?!https?:)[a-z]+:\/\//i.test(String(value)),
    allowed: "an http:// or https:// URL",
  },
  "map()": { fits: isObject, allowed: "an object { … }" },
};

/** What is allowed, if the value does not fit the type; types that are not known here fit anything but an object. */
export function primitiveProblem(type: string, value: HoconValue): string | undefined {
  const primitive = primitives[type] ?? range(type);
  return primitive === undefined || primitive.fits(value) ? undefined : primitive.allowed;
}

/** `1..65535` and `0..inf`. */
function range(type: string): Primitive | undefined {
  const [, least, most] = /^(-?\d+)\.\.(\d+|inf)$/.exec(type) ?? [];
  return least === undefined ? undefined : integer(Number(least), most === "inf" ? Infinity : Number(most));
}

function word_(...words: string[]): Test {
  return (value) => typeof value !== "object" && words.includes(String(value));
}

function isEmptyList(value: HoconValue): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isObject(value: HoconValue): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
