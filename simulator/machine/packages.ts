/** What installing EMQX's package leaves on a machine, and what systemd makes of the service's drop-ins. */
import { FileSystem, parseEnvironment } from "./fileSystem";

const dropInFolder = "/etc/systemd/system/emqx.service.d/";
const variablesFile = "/usr/lib/emqx/releases/emqx_vars";
/** The kernel's own limit, unless a sysctl file raises it. */
const defaultOpenFiles = 1048576;

const architectureWords: Record<string, string> = {
  amd64: "x86_64",
  x86_64: "x86_64",
  arm64: "arm64",
  aarch64: "arm64",
};

/**
 * The version in an RPM's name; fails as dnf does when the file is for another processor. What else the file contains cannot
 * be known without fetching it.
 */
export function installedPackage(url: string, architecture: string, values: Record<string, string>): string {
  const file = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
  const word = /amd64|x86_64|arm64|aarch64/.exec(file)?.[0];
  if (word !== undefined && architectureWords[word] !== architecture) {
    throw new Error(
      `dnf: package ${file} has incompatible architecture ${word}; this machine is ${architecture}`,
    );
  }
  return /(?:emqx|enterprise)-v?(\d+\.\d+\.\d+)/.exec(file)?.[1] ?? values["VERSION"] ?? "";
}

/** The environment in which systemd starts emqx.service; rejects what keeps the unit from starting. */
export function serviceEnvironment(files: FileSystem): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [path, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (path.startsWith(dropInFolder) && path.endsWith(".conf")) {
      applyDropIn(file.content, files, environment);
    }
  }
  const sourced = /(?:^|[\s;])\. (\S+?);?(?:\s|$)/.exec(files.get(variablesFile)?.content ?? "")?.[1];
  return { ...environment, ...parseEnvironment(files.get(sourced ?? "")?.content ?? "") };
}

function applyDropIn(content: string, files: FileSystem, environment: Record<string, string>): void {
  for (const line of content.split("\n")) {
    const [, key, value = ""] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === "EnvironmentFile") {
      const path = value.replace(/^-/, "");
      const file = files.get(path);
      if (file === undefined && !value.startsWith("-")) {
        throw new Error(`emqx.service: Failed to load environment files: ${path}: No such file or directory`);
      }
      Object.assign(environment, parseEnvironment(file?.content ?? ""));
    } else if (key === "Environment") {
      Object.assign(environment, parseEnvironment(value.replace(/^"(.*)"$/, "$1")));
    } else if (key === "LimitNOFILE" && Number(value) > openFilesLimit(files)) {
      throw new Error(
        `emqx.service: Failed to adjust resource limit LIMIT_NOFILE: Operation not permitted ` +
          `(${value} is more than fs.nr_open, ${openFilesLimit(files)})`,
      );
    }
  }
}

function openFilesLimit(files: FileSystem): number {
  let limit = defaultOpenFiles;
  for (const [path, file] of files) {
    if (path.startsWith("/etc/sysctl.d/")) {
      limit = Number(/^\s*fs\.nr_open\s*=\s*(\d+)/m.exec(file.content)?.[1] ?? limit);
    }
  }
  return limit;
}
