/**
 * Which licence keys EMQX reads (emqx/emqx@e5.10.4:apps/emqx_license/src/emqx_license_parser.erl and
 * emqx_license_parser_v20220101.erl). Who signed one is not looked at: nobody but EMQ could make one for a test.
 */

/** Why EMQX does not start with this key, or without the file that should hold it; undefined for one that it reads. */
export function unreadable(key: string | undefined): string | undefined {
  if (key === "default" || key === "evaluation") {
    return undefined;
  }
  const read = key === undefined ? "read_error: enoent" : parse(key);
  return typeof read === "string" ? `failed_to_parse_license: ${read}` : undefined;
}

/** A community licence is for one node; without a key, EMQX has such a one of its own. */
export function isForOneNode(key: string | undefined): boolean {
  const fields = key === undefined ? undefined : parse(key);
  return key === undefined || key === "" || key === "default" || (Array.isArray(fields) && fields[1] === "2");
}

function parse(key: string): string[] | string {
  const [payload, signature] = split(key.replace(/[ \r\n]/g, "")).map(decode);
  if (payload === undefined || signature === undefined || payload === "") {
    return "bad_license_format";
  }
  const fields = payload
    .trim()
    .split("\n")
    .map((line) => line.trim());
  const [version, type, customer, , , , start, days, sessions] = fields;
  if (fields.length < 9) {
    return "unexpected_number_of_fields";
  }
  if (version !== "220111") {
    return "invalid_version";
  }
  const [kind, who, count, limit] = [type, customer, days, sessions].map(number);
  const unlimited = kind === 2 || who === 3 || who === 10;
  const right =
    Number.isInteger(kind) &&
    Number.isInteger(who) &&
    isDay(start!) &&
    count! > 0 &&
    limit! >= (unlimited ? 0 : 1);
  return right ? fields : "invalid fields";
}

function split(text: string): [string, string] {
  const dot = text.indexOf(".");
  return dot < 0 ? ["-", "-"] : [text.slice(0, dot), text.slice(dot + 1)];
}

/** Erlang's base64:decode wants whole groups of four. */
function decode(text: string): string | undefined {
  return /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) && text !== ""
    ? Buffer.from(text, "base64").toString()
    : undefined;
}

function number(text: string | undefined): number {
  const plain = (text ?? "").replace(",", "");
  return /^[+-]?\d+$/.test(plain) ? Number(plain) : NaN;
}

function isDay(text: string): boolean {
  const [, y, m, d] = /^(\d{4})(\d\d)(\d\d)$/.exec(text.replace(",", "")) ?? [];
  const day = new Date(Date.UTC(Number(y), Number(m) - 1, Number(d)));
  return (
    Number(`${y}${m}${d}`) >= 20211101 &&
    day.getUTCDate() === Number(d) &&
    day.getUTCMonth() === Number(m) - 1
  );
}
