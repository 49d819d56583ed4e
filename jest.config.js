/** Types are checked once by `npm run check`; here they are only stripped. */
module.exports = {
  testEnvironment: "node",
  // aedes is an ES module, which jest does not load as it is.
  transform: { "^.+\\.ts$": "@swc/jest", "/node_modules/aedes/.+\\.js$": "@swc/jest" },
  transformIgnorePatterns: ["/node_modules/(?!aedes/)"],
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.region"],
  setupFiles: ["<rootDir>/test/setup.ts"],
  testTimeout: 30000,
  // Programs warn about what they are told to; the tests look at warnings where they matter.
  silent: true,
};
