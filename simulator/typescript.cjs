// Loads TypeScript as tsconfig.json says, and as the tests do (.swcrc): CommonJS modules, dynamic imports included. Types are checked by `npm run check`.
// What was compiled is kept beside the packages, until these are installed anew.
"use strict";

const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const swc = require("@swc/core");

const root = join(__dirname, "..");
const options = { swcrc: false, ...JSON.parse(readFileSync(join(root, ".swcrc"), "utf8")) };
const cache = join(root, "node_modules", ".cache", "typescript");
mkdirSync(cache, { recursive: true });

require.extensions[".ts"] = (module, file) => {
  const source = readFileSync(file, "utf8");
  const key = createHash("sha1")
    .update(JSON.stringify([swc.version, options, file, source]))
    .digest("hex");
  const compiled = join(cache, `${key}.js`);
  let code;
  try {
    code = readFileSync(compiled, "utf8");
  } catch {
    ({ code } = swc.transformSync(source, { ...options, filename: file }));
    writeFileSync(`${compiled}.${process.pid}`, code);
    renameSync(`${compiled}.${process.pid}`, compiled);
  }
  module._compile(code, file);
};
process.setSourceMapsEnabled(true);
