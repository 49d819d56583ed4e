// Which package manager a program uses, and how it installs from the lock file.
import fs from "node:fs";
import path from "node:path";

const lockFiles = {
  "yarn.lock": "yarn",
  "pnpm-lock.yaml": "pnpm",
  "bun.lock": "bun",
  "bun.lockb": "bun",
  "package-lock.json": "npm",
};

/** The one that is set, else the one whose lock file lies there, else npm. */
export function packageManager(option, directory) {
  if (option !== "auto") return option;
  const lockFile = Object.keys(lockFiles).find((name) => fs.existsSync(path.join(directory, name)));
  return lockFile === undefined ? "npm" : lockFiles[lockFile];
}

export function installCommand(manager, directory, production) {
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
