import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", ".region/", ".cache/", "coverage/"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  ...tseslint.configs.recommendedTypeCheckedOnly.map((config) => ({ ...config, files: ["**/*.ts"] })),
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-constant-binary-expression": "error",
      // Values of unknown shape (settings, state, what AWS says) are shown as they are.
      "@typescript-eslint/no-base-to-string": "off",
      // An interface asks for a promise, whether or not there is something to wait for.
      "@typescript-eslint/require-await": "off",
      // No `this` in objects of functions, which are taken apart.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    // What a resource has is of any type.
    files: ["simulator/**/*.ts", "**/test/**/*.ts"],
    rules: { "@typescript-eslint/restrict-template-expressions": "off" },
  },
  {
    // Tests read JSON, and run what stands in documents; examples see the package as it is built.
    files: ["**/test/**/*.ts", "examples/**/*.ts"],
    rules: Object.fromEntries(
      ["argument", "assignment", "call", "member-access", "return"]
        .map((name) => [`@typescript-eslint/no-unsafe-${name}`, "off"])
        .concat([["@typescript-eslint/no-implied-eval", "off"]]),
    ),
  },
  {
    // Loaded before anything that could read TypeScript, or by jest itself.
    files: ["**/*.cjs"],
    languageOptions: {
      sourceType: "commonjs",
      globals: Object.fromEntries(
        [
          "__dirname",
          "Buffer",
          "clearTimeout",
          "module",
          "performance",
          "process",
          "require",
          "setInterval",
          "setTimeout",
        ].map((name) => [name, "readonly"]),
      ),
    },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);
