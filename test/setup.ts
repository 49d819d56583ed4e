/**
 * Pulumi takes the whole stack trace of every resource; jest maps every frame of it to its source, and no test looks at it. See
 * test/run/debuggable.cjs, too.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { runInThisContext } from "node:vm";

/** `Resource.callsites` of @pulumi/pulumi. */
const unseen = new Set(["callsites", "Function.callsites"]);

/** Jest's own formatter is installed outside of the tests' context, and after this file. */
const outside = runInThisContext("Error") as ErrorConstructor;

Error.prepareStackTrace = (error, frames) =>
  unseen.has(frames[0]?.getFunctionName() ?? "")
    ? String(error)
    : (outside.prepareStackTrace?.(error, frames) as unknown);

/**
 * Jest runs each test in a context that Node hands from promise to promise, a sixth of the time of tests with many resources,
 * in order to tell whose an error is that nobody handles. Without it such an error fails the file.
 */
AsyncLocalStorage.prototype.run = <R, Args extends unknown[]>(
  _context: unknown,
  callback: (...args: Args) => R,
  ...args: Args
): R => callback(...args);
