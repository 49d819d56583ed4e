/**
 * Pulumi takes the whole stack trace of every resource; jest maps every frame of it to its source, and no test looks at it. See
 * test/run/debuggable.cjs, too.
 */
import { runInThisContext } from "node:vm";

/** `Resource.callsites` of @pulumi/pulumi. */
const unseen = new Set(["callsites", "Function.callsites"]);

/** Jest's own formatter is installed outside of the tests' context, and after this file. */
const outside = runInThisContext("Error") as ErrorConstructor;

Error.prepareStackTrace = (error, frames) =>
  unseen.has(frames[0]?.getFunctionName() ?? "")
    ? String(error)
    : (outside.prepareStackTrace?.(error, frames) as unknown);
