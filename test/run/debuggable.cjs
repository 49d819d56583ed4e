/**
 * Pulumi's own module, whose every promise would take a stack trace for debugging Pulumi itself; jest keeps 100 frames of each.
 * That was half of the time of every test that registers resources.
 */
const debuggable = require("../../node_modules/@pulumi/pulumi/runtime/debuggable.js");

const { debuggablePromise } = debuggable;
debuggable.debuggablePromise = (promise, context) => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return debuggablePromise(promise, context);
  } finally {
    Error.stackTraceLimit = limit;
  }
};

module.exports = debuggable;
