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
import { isParameterName } from "../shared/awsNames";
import type { Grammar } from "../shared/inputs";
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

/** Where a secret is that somebody else keeps: a parameter of SSM, or a secret of Secrets Manager, perhaps a field of it. */
export interface SecretSource {
  kind: "parameter" | "secret";
  /** The parameter's name, or the secret's ARN. */
  name: string;
  field?: string;
}

/** An ARN ends in six characters of AWS's own; what comes after it is as ECS has it: a field, and twice nothing. */
const secretArn =
  /^(arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[\w/+=.@!-]{1,512}-[A-Za-z0-9]{6})(?::([\w.-]+))?(?:::)?$/;

export function secretSource(value: string): SecretSource {
  const [, arn, , field] = secretArn.exec(value) ?? [];
  return arn === undefined
    ? { kind: "parameter", name: value }
    : { kind: "secret", name: arn, ...(field === undefined ? {} : { field }) };
}

/** What is wrong with the name of a secret that somebody else keeps, in words that follow it. */
export const secretSourceWords: Grammar = (value, { region }) => {
  const [, , place] = secretArn.exec(value) ?? [];
  if (place !== undefined) {
    return region === undefined || place === region
      ? undefined
      : `is in another region than the nodes, ${region}; keep a copy of it there`;
  }
  if (value.startsWith("arn:")) {
    return (
      "is not the ARN of a secret, for example arn:aws:secretsmanager:eu-west-1:123456789012:secret:users-AbCdEf, after which a " +
      "field may stand, :password; a parameter of SSM is given by its name"
    );
  }
  return isParameterName(value)
    ? undefined
    : "is neither the name of a parameter of SSM, for example /prod/users/password, nor the ARN of a secret of Secrets Manager";
};

/**
 * The file, which is never empty, in the order of the paths, so that the order of a list of settings means nothing. Nodes add
 * what they find elsewhere (operations/existing.ts).
 */
export function renderSecretConfig(
  secrets: Record<string, string>,
  sources: Record<string, string> = {},
): string {
  const lines = (of: Record<string, string>, line: (path: string, value: string) => string) =>
    Object.entries(of)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, value]) => `${line(path, value)}\n`);
  const all = [
    ...lines(secrets, (path, value) => `${path} = ${JSON.stringify(value)}`),
    ...lines(sources, (path, value) => {
      const { name, field } = secretSource(value);
      return ["# from", path, name, ...(field === undefined ? [] : [field])].join(" ");
    }),
  ];
  return all.join("") || "# none\n";
}

export function secretSizeProblems(
  input: string,
  secrets: Record<string, string>,
  sources?: Record<string, string>,
): string[] {
  const bytes = Buffer.byteLength(renderSecretConfig(secrets, sources));
  return bytes > mostParameterBytes
    ? [
        `${input}: has ${bytes} bytes, and its parameter holds ${mostParameterBytes}; give fewer or shorter secrets`,
      ]
    : [];
}
