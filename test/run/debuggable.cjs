/**
 * Pulumi's own module, which notes of every promise where it was made and whether it is still open when the process ends, for
 * debugging programs. No test looks at it, and with jest's stack traces it was most of the time of registering a resource.
 */
module.exports = {
  ...require("../../node_modules/@pulumi/pulumi/runtime/debuggable.js"),
  debuggablePromise: (promise) => promise,
};
