/** Bad input is refused before anything is registered, all of it at once. */
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";

/** Throws one error that lists every problem; does nothing when there is none. */
export function refuse(subject: string, problems: string[]): void {
  if (problems.length > 0) {
    const lines = [...new Set(problems)].map((problem) => `  - ${problem}`);
    throw runError(`${subject}: nothing was changed, because its input cannot work:\n${lines.join("\n")}`);
  }
}

/** An error that Pulumi shows without a stack trace. */
export function runError(message: string): pulumi.RunError {
  const error = withFixedMessage(new pulumi.RunError(message));
  // Once the program's own code has ended, the SDK shows the stack of any error.
  error.stack = message;
  return error;
}

/**
 * An error that stays what it is on its way through the SDK (pulumi/pulumi@v3.248.0:sdk/nodejs).
 *
 * - The SDK writes the name of every property that waits for a value in front of the message of the error that it got
 *   instead (`error serializing property "outputs": …`). The person who reads it needs the message.
 * - It hangs the promise that failed on the error (runtime/debuggable.ts) and prints errors with `util.inspect`
 *   (cmd/run/error.ts), which follows both that promise and a ResourceError's resource through the whole program: minutes,
 *   and gigabytes, before the message is shown.
 */
export function withFixedMessage<E extends Error>(error: E): E {
  const { message } = error;
  Object.defineProperties(error, {
    message: { get: () => message, set: () => undefined },
    promise: { get: () => undefined, set: () => undefined },
    [inspect.custom]: { value: () => message },
    ...(pulumi.ResourceError.isInstance(error) && { resource: { value: error.resource, enumerable: false } }),
  });
  return error;
}

/** A value that is known now, or undefined if it comes from another resource. */
export function plain<T>(input: pulumi.Input<T> | undefined): T | undefined {
  return pulumi.Output.isInstance(input) || input instanceof Promise ? undefined : (input as T | undefined);
}

/** What is wrong with a whole number, in words. */
export function wholeNumberProblems(
  input: string,
  value: number | undefined,
  minimum: number,
  maximum: number,
  unit: string,
): string[] {
  if (value === undefined || (Number.isInteger(value) && value >= minimum && value <= maximum)) {
    return [];
  }
  return [
    `${input}: ${JSON.stringify(value)} is not a whole number of ${unit} from ${minimum} to ${maximum}`,
  ];
}

/** What is wrong with the choice of a named value. */
export function choiceProblems(
  input: string,
  value: string | undefined,
  allowed: Record<string, string>,
): string[] {
  const names = Object.values(allowed);
  return value === undefined || names.includes(value)
    ? []
    : [`${input}: ${JSON.stringify(value)} is not one of ${names.join(", ")}`];
}

/** What is wrong with an ARN of one of the given services, in `region` if that is known. */
export function arnProblems(
  input: string,
  arn: string | undefined,
  what: { pattern: RegExp; example: string; region?: string },
): string[] {
  if (arn === undefined) {
    return [];
  }
  const match = typeof arn === "string" ? what.pattern.exec(arn) : null;
  if (!match) {
    return [`${input}: ${JSON.stringify(arn)} is not of the form ${what.example}`];
  }
  const region = match.groups?.["region"];
  return region && what.region && region !== what.region
    ? [
        `${input}: "${arn}" is in ${region}, but the deployment is in ${what.region}; use one of ${what.region}`,
      ]
    : [];
}
