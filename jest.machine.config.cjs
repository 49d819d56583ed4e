/** `npm run test:node` and `npm run test:boot` (docs/testing.md): apart, because they need root, and take over a computer's disk or minutes. */
const { projects, ...options } = require("./jest.config.cjs");

module.exports = {
  ...options,
  projects: ["node", "boot"].map((displayName) => ({
    ...projects[0],
    displayName,
    testMatch: [`<rootDir>/test/${displayName}/*.check.ts`],
  })),
  // They share the disk.
  maxWorkers: 1,
  reporters: ["default"],
  // The list of checks is what these are run for.
  verbose: true,
  // An emulated machine takes minutes; what it waits for has bounds of its own.
  testTimeout: 1_200_000,
};
