// What the program depends on, read from node_modules.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function directories(directory) {
  try {
    return fs.readdirSync(directory).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}

/** Every package below a node_modules folder, nested ones included. */
function* installedPackages(nodeModules) {
  for (const name of directories(nodeModules)) {
    const names = name.startsWith("@")
      ? directories(path.join(nodeModules, name)).map((inner) => `${name}/${inner}`)
      : [name];
    for (const packageName of names) {
      const directory = path.join(nodeModules, packageName);
      const manifest = readJson(path.join(directory, "package.json"));
      if (manifest) yield manifest;
      yield* installedPackages(path.join(directory, "node_modules"));
    }
  }
}

/** Installed packages that come with a Pulumi provider: its name, version and download server. */
function findPulumiPackages(directory) {
  const found = new Map();
  for (const manifest of installedPackages(path.join(directory, "node_modules"))) {
    if (!manifest.pulumi?.resource) continue;
    const name = manifest.pulumi.name || /^@pulumi\/(.+)$/.exec(manifest.name ?? "")?.[1];
    const version = manifest.pulumi.version || manifest.version;
    if (!name || !version) continue;
    const tagged = version.startsWith("v") ? version : `v${version}`;
    found.set(`${name}@${tagged}`, { name, version: tagged, server: manifest.pulumi.server ?? "" });
  }
  return [...found.values()];
}

/** The program's packages with their installed versions: those it names, or all that are installed. */
function findDependencies(directory, transitive) {
  const nodeModules = path.join(directory, "node_modules");
  if (transitive) {
    const all = [...installedPackages(nodeModules)].map(({ name, version }) => ({ name, version }));
    return all.filter(({ name, version }) => name && version);
  }
  const manifest = readJson(path.join(directory, "package.json")) ?? {};
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).map(([name, range]) => ({
    name,
    version: readJson(path.join(nodeModules, name, "package.json"))?.version ?? range,
  }));
}

module.exports = { findPulumiPackages, findDependencies };
