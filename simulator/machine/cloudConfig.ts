/**
 * User data read as cloud-init reads it: what is no cloud-config is left alone, files are written in their order, and a
 * file that cannot be written ends the module, so that those after it are missing.
 */
import { gunzipSync } from "node:zlib";
import { parse } from "yaml";
import { FileSystem, MachineFile } from "./fileSystem";

export interface CloudInitResult {
  files: Map<string, MachineFile>;
  /** What runs at the end of the boot, in its order: per-boot scripts by name, then `runcmd`, the latter at the first boot only. */
  commands: { words: string[]; isPerBoot: boolean }[];
  /** cloud-init's own lines for the console log. */
  log: string[];
}

interface WriteFile {
  path?: unknown;
  content?: unknown;
  permissions?: unknown;
  owner?: unknown;
  encoding?: unknown;
  append?: unknown;
  defer?: unknown;
}

const perBootFolder = "/var/lib/cloud/scripts/per-boot/";
const knownModules = ["write_files", "runcmd"];

export function runCloudInit(userData: string): CloudInitResult {
  const files: CloudInitResult["files"] = new Map();
  const log: string[] = [];
  const nothing = { files, commands: [], log };
  if (userData.trim() === "") {
    log.push("cloud-init: no user data");
    return nothing;
  }
  if (!/^#cloud-config\s*$/m.test(userData.split("\n", 1)[0] ?? "")) {
    log.push(
      'cloud-init: WARNING: unhandled non-multipart user data: it does not begin with "#cloud-config"',
    );
    return nothing;
  }
  const config = readYaml(userData, log);
  if (config === undefined) {
    return nothing;
  }
  for (const key of Object.keys(config)) {
    if (!knownModules.includes(key)) {
      log.push(`cloud-init: module "${key}" is not simulated; its settings have no effect here`);
    }
  }
  const entries = Array.isArray(config["write_files"]) ? (config["write_files"] as WriteFile[]) : [];
  writeFiles(
    entries.filter((entry) => entry.defer !== true),
    files,
    log,
  );
  writeFiles(
    entries.filter((entry) => entry.defer === true),
    files,
    log,
  );
  return { files, commands: [...perBootScripts(files, log), ...runCommands(config["runcmd"])], log };
}

function readYaml(userData: string, log: string[]): Record<string, unknown> | undefined {
  try {
    const config: unknown = parse(userData);
    if (typeof config === "object" && config !== null && !Array.isArray(config)) {
      return config as Record<string, unknown>;
    }
    log.push("cloud-init: WARNING: the cloud-config is not a mapping");
  } catch (error) {
    log.push(`cloud-init: WARNING: failed loading yaml blob: ${(error as Error).message.split("\n")[0]}`);
  }
  return undefined;
}

function writeFiles(entries: WriteFile[], files: FileSystem, log: string[]): void {
  for (const entry of entries) {
    try {
      writeFile(entry, files);
    } catch (error) {
      log.push(
        `cloud-init: ERROR: module write_files failed: ${(error as Error).message}; later files are not written`,
      );
      return;
    }
  }
}

function writeFile(entry: WriteFile, files: FileSystem): void {
  if (typeof entry.path !== "string" || !entry.path.startsWith("/")) {
    throw new Error(`no absolute path in ${JSON.stringify(entry.path)}`);
  }
  const owner = typeof entry.owner === "string" ? entry.owner : "root:root";
  const user = owner.split(":")[0];
  if (user !== "root" && entry.defer !== true) {
    throw new Error(`${entry.path}: unknown user ${user} (the package that makes it is not installed yet)`);
  }
  const content = decode(entry, entry.path);
  const before = entry.append === true ? (files.get(entry.path)?.content ?? "") : "";
  files.set(entry.path, { content: before + content, mode: modeOf(entry), owner });
}

function decode(entry: WriteFile, path: string): string {
  const content = typeof entry.content === "string" ? entry.content : "";
  switch (entry.encoding ?? "text/plain") {
    case "text/plain":
      return content;
    case "b64":
    case "base64":
      return Buffer.from(content, "base64").toString();
    case "gz+b64":
    case "gz+base64":
    case "gzip+b64":
    case "gzip+base64":
      return gunzipSync(Buffer.from(content, "base64")).toString();
    default:
      throw new Error(`${path}: unknown encoding ${JSON.stringify(entry.encoding)}`);
  }
}

/** A string is read as octal digits; a YAML number is taken as it is, which is the classical mistake. */
function modeOf(entry: WriteFile): number {
  if (entry.permissions === undefined) {
    return 0o644;
  }
  const mode =
    typeof entry.permissions === "number" ? entry.permissions : Number.parseInt(String(entry.permissions), 8);
  return Number.isNaN(mode) ? 0o644 : mode;
}

function perBootScripts(files: CloudInitResult["files"], log: string[]): CloudInitResult["commands"] {
  const commands: CloudInitResult["commands"] = [];
  for (const path of [...files.keys()].filter((name) => name.startsWith(perBootFolder)).sort()) {
    const file = files.get(path)!;
    if ((file.mode & 0o100) === 0) {
      log.push(
        `cloud-init: WARNING: skipping ${path}: it is not executable (mode 0${file.mode.toString(8)})`,
      );
    } else {
      commands.push({ words: [path], isPerBoot: true });
    }
  }
  return commands;
}

function runCommands(runcmd: unknown): CloudInitResult["commands"] {
  return (Array.isArray(runcmd) ? runcmd : []).map((item: unknown) => ({
    words: Array.isArray(item) ? item.map(String) : ["bash", "-c", String(item)],
    isPerBoot: false,
  }));
}
