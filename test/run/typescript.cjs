/** What Pulumi loads TypeScript by, once it is used: half a second of every test file that loads Pulumi. */
const load = () => require("../../node_modules/@pulumi/pulumi/typescript-shim.js");

module.exports = new Proxy({}, { get: (_, name) => load()[name] });
