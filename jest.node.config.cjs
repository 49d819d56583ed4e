/** `npm run test:node` (docs/testing.md): apart, because it needs root and takes over a computer's disk. */
const { projects, ...options } = require("./jest.config.cjs");

module.exports = {
  ...options,
  projects: [{ ...projects[0], displayName: "node", testMatch: ["<rootDir>/test/node/*.check.ts"] }],
  reporters: ["default"],
  // The list of checks is what it is run for.
  verbose: true,
  testTimeout: 600_000,
};
