import { blockProblem } from "../cidr";

/** Checks of single values, shaped for the `check` field of a property. */

export const oneOf =
  (...allowed: (string | number)[]) =>
  (value: string | number): string | undefined =>
    allowed.includes(value)
      ? undefined
      : `expected one of ${allowed.join(", ")}, got ${JSON.stringify(value)}`;

export const between =
  (min: number, max: number) =>
  (value: number): string | undefined =>
    value >= min && value <= max ? undefined : `expected a number from ${min} to ${max}, got ${value}`;

export const atLeast =
  (min: number) =>
  (value: number): string | undefined =>
    value >= min ? undefined : `expected at least ${min}, got ${value}`;

export const matches =
  (pattern: RegExp, what: string) =>
  (value: string): string | undefined =>
    pattern.test(value) ? undefined : `${what}, got ${JSON.stringify(value)}`;

export const maxLength =
  (max: number) =>
  (value: string): string | undefined =>
    value.length <= max ? undefined : `expected at most ${max} characters, got ${value.length}`;

/** An IPv4 network, as the provider wants it: no host bits. */
export const ipv4Network = (value: string): string | undefined => blockProblem(value);

export const arn = (value: string): string | undefined =>
  /^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.+$/.test(value)
    ? undefined
    : `${JSON.stringify(value)} is an invalid ARN`;
