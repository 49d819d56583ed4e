const { availableParallelism } = require("node:os");

/** What is proven where, and how long it takes: docs/testing.md. */
const common = {
  testEnvironment: "node",
  // Types are checked once by `npm run check`; here they are only stripped.
  // aedes is an ES module, which jest does not load as it is.
  transform: { "^.+\\.ts$": "@swc/jest", "/node_modules/aedes/.+\\.js$": "@swc/jest" },
  transformIgnorePatterns: ["/node_modules/(?!aedes/)"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/plugin", "<rootDir>/.region", "<rootDir>/.cache"],
  setupFiles: ["<rootDir>/test/setup.ts"],
  moduleNameMapper: {
    "^\\.{1,2}(/runtime)?/debuggable$": "<rootDir>/test/run/debuggable.cjs",
    "/typescript-shim$": "<rootDir>/test/run/typescript.cjs",
    "^@npmcli/arborist$": "<rootDir>/test/run/unused.cjs",
  },
};

/** Files in the order in which they are begun: what takes longest must not be what is waited for at the end. */
const projects = {
  slow: ["test/docs/pages/*", "test/endToEnd/{deployment,secretConfig,year}"],
  journey: ["test/endToEnd/journey"],
  engine: [
    "test/engine/*",
    "test/bench/*",
    "cli/test/cost/command",
    "test/package/*",
    "test/policies/engine",
    "cli/test/review/{changes,command}",
    "cli/test/hosts/*",
    "test/components/proxy/proxying",
    "test/node/*",
  ],
  unit: ["test/**/*"],
};

const filesOf = (globs) => globs.map((glob) => `**/${glob}.test.ts`);

module.exports = {
  projects: Object.entries(projects).map(([displayName, globs], index, all) => ({
    ...common,
    displayName,
    testMatch: [
      ...filesOf(globs),
      // A file belongs to the first project that names it.
      ...all.slice(0, index).flatMap(([, others]) => filesOf(others).map((glob) => `!${glob}`)),
    ],
  })),
  // Bounds against hanging, not expectations: the machine may be busy.
  testTimeout: 120_000,
  // One file more at once than there are cores: with as many, a quarter of their time went by waiting.
  maxWorkers: availableParallelism() + 1,
  testSequencer: "<rootDir>/test/run/sequencer.cjs",
  reporters: ["default", "<rootDir>/test/run/reporter.cjs"],
  // Programs warn about what they are told to; the tests look at warnings where they matter.
  silent: true,
};
