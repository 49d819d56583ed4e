/**
 * Pulumi takes a stack trace for every promise and every resource, and shows none of them unless it is debugged; jest maps
 * every frame of it to its source. That was half of the time of every test that registers resources, so these are left out.
 */
import { runInThisContext } from "node:vm";

/** `debuggablePromise` and `Resource.callsites` of @pulumi/pulumi. */
const unseen = new Set(["debuggablePromise", "callsites", "Function.callsites"]);

/** Jest's own formatter is installed outside of the tests' context, and after this file. */
const outside = runInThisContext("Error") as ErrorConstructor;

Error.prepareStackTrace = (error, frames) =>
  unseen.has(frames[0]?.getFunctionName() ?? "")
    ? String(error)
    : (outside.prepareStackTrace?.(error, frames) as unknown);
