/**
 * Settings of EMQX whose values are secret: a HOCON file of its own on each node, which emqx.conf includes at its end.
 *
 * Why an included file, and not `file://` or the environment: it carries every setting in every version (a JWT's secret
 * and HTTP headers are plain texts, apps/emqx_auth_jwt/src/emqx_authn_jwt_schema.erl up to 6.3, so they take no `file://`, and what
 * comes from the environment is logged where a field is not marked as sensitive), it reaches into lists, and a changed
 * one counts at `emqx ctl conf reload`. Tried with emqx/hocon 0.43.3 (EMQX 5.8.0), 0.44.0 (5.8.9) and 0.45.9 (6.2): an
 * absolute path is included as it is, a later `authentication.1.password` is set in the list's first item, and a text in quotes is
 * taken literally but for JSON's escapes.
 */
import { mostParameterBytes } from "./parameters";

/** Which words of a setting's path EMQX takes without quotes. */
const pathPattern = /^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/;

export function secretPathProblems(input: string, paths: string[]): string[] {
  return paths.flatMap((path) =>
    pathPattern.test(path)
      ? []
      : [
          `${input}: "${path}" is not the path of a setting; write it with dots and the places of a list as numbers ` +
            `from 1, for example authentication.1.password`,
        ],
  );
}

/** What is wrong with a secret text, without a word of it. */
export function secretValueProblems(input: string, value: unknown): string[] {
  if (typeof value !== "string") return [`${input}: is not a text`];
  if (value === "") return [`${input}: is empty; give the secret`];
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) {
    return [`${input}: has a control character, which EMQX does not take in a text`];
  }
  return value.endsWith("\\")
    ? [`${input}: ends in a backslash, which EMQX does not take at the end of a text`]
    : [];
}

/** The file, which is never empty, in the order of the paths, so that the order of a list of settings means nothing. */
export function renderSecretConfig(secrets: Record<string, string>): string {
  const lines = Object.entries(secrets)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, value]) => `${path} = ${JSON.stringify(value)}\n`);
  return lines.join("") || "# none\n";
}

export function secretSizeProblems(input: string, secrets: Record<string, string>): string[] {
  const bytes = Buffer.byteLength(renderSecretConfig(secrets));
  return bytes > mostParameterBytes
    ? [
        `${input}: has ${bytes} bytes, and its parameter holds ${mostParameterBytes}; give fewer or shorter secrets`,
      ]
    : [];
}
