/** Types are checked once by `npm run check`; here they are only stripped. */
module.exports = {
  testEnvironment: "node",
  transform: { "^.+\\.ts$": "@swc/jest" },
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.region"],
  testTimeout: 30000,
  // Programs warn about what they are told to; the tests look at warnings where they matter.
  silent: true,
};
