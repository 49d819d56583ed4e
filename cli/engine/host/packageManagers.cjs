// Which package manager a program uses, and how it installs from the lock file.
"use strict";

const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const lockFiles = {
  "yarn.lock": "yarn",
  "pnpm-lock.yaml": "pnpm",
  "bun.lock": "bun",
  "bun.lockb": "bun",
  "package-lock.json": "npm",
};

/** The one that is set, else the one whose lock file lies there, else npm. */
function packageManager(option, directory) {
  if (option !== "auto") return option;
  const lockFile = Object.keys(lockFiles).find((name) => fs.existsSync(path.join(directory, name)));
  return lockFile === undefined ? "npm" : lockFiles[lockFile];
}

function installCommand(manager, directory, production) {
  const locked = manager === "npm" && fs.existsSync(path.join(directory, "package-lock.json"));
  const omitDevelopment = {
    npm: ["--omit=dev"],
    yarn: ["--production"],
    pnpm: ["--prod"],
    bun: ["--production"],
  };
  return {
    command: manager,
    args: [locked ? "ci" : "install", ...(production ? omitDevelopment[manager] : [])],
  };
}

/** Read from the package that the command belongs to: the engine asks in every command, and npm takes a quarter second to say it. */
function packageManagerVersion(manager) {
  const command = (process.env.PATH ?? "")
    .split(path.delimiter)
    .map((directory) => path.join(directory, manager))
    .find((file) => fs.existsSync(file));
  if (command === undefined) return undefined;
  const file = path.join(path.dirname(fs.realpathSync(command)), "..", "package.json");
  const { name, version } = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
  return name === manager ? version : spawnSync(command, ["--version"], { encoding: "utf8" }).stdout?.trim();
}

module.exports = { packageManager, packageManagerVersion, installCommand };
