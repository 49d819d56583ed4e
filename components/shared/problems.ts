/** Bad input is refused before anything is registered, all of it at once. */
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { isLater } from "./words";

/** Throws one error that lists every problem, before the component has registered anything; nothing when there is none. */
export function refuse(subject: string, problems: string[]): void {
  // At preview nothing is changed at all; in an update, other parts of the program may have been.
  const unchanged = pulumi.runtime.isDryRun() ? "nothing was changed" : "nothing of it was changed";
  refuseFor(`${subject}: ${unchanged}, because its input cannot work:`, problems);
}

/** The same for what is known only after the component began: at preview if its values are known then. */
export function refuseLater(subject: string, problems: string[]): void {
  const preview = pulumi.runtime.isDryRun();
  refuseFor(`${subject}: ${preview ? "nothing was changed, because " : ""}its input cannot work:`, problems);
}

function refuseFor(reason: string, problems: string[]): void {
  if (problems.length > 0) {
    const lines = [...new Set(problems)].map((problem) => `  - ${problem}`);
    throw runError(`${reason}\n${lines.join("\n")}`);
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
  return isLater(input) ? undefined : (input as T | undefined);
}
