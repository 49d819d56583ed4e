/** The archive that `emqx ctl data export` writes: META.hocon, cluster.hocon and a file for each table, in a folder of its name. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DataExport } from "../dataplane/cluster/dataBackup";
import { hostTools } from "./bash/hostTools";

const run = promisify(execFile);

/** Tables by their names in mnesia. */
const tables = {
  emqx_admin: "dashboardUsers",
  emqx_authn_mnesia: "users",
  emqx_retainer_message: "retained",
} as const satisfies Record<string, keyof DataExport>;

export async function archive(name: string, data: DataExport): Promise<{ bytes: Buffer; tables: string[] }> {
  return inFolder(async (folder) => {
    mkdirSync(join(folder, name, "mnesia"), { recursive: true });
    const { edition, version } = data.meta;
    writeFileSync(join(folder, name, "META.hocon"), `edition = ${edition}\nversion = "${version}"\n`);
    writeFileSync(join(folder, name, "cluster.hocon"), "");
    const files = Object.entries(tables).map(([table, key]) => {
      writeFileSync(join(folder, name, "mnesia", table), JSON.stringify(data[key]));
      return `${name}/mnesia/${table}`;
    });
    const file = join(folder, "archive");
    await run(hostTools().get("tar")!, [
      "-C",
      folder,
      "-czf",
      file,
      `${name}/META.hocon`,
      `${name}/cluster.hocon`,
      ...files,
    ]);
    return { bytes: readFileSync(file), tables: Object.keys(tables) };
  });
}

/** What is in such an archive; rejects with EMQX's reason. */
export async function contentOf(bytes: Buffer, name: string): Promise<unknown> {
  return inFolder(async (folder) => {
    writeFileSync(join(folder, "archive"), bytes);
    await run(hostTools().get("tar")!, ["-C", folder, "-xzf", join(folder, "archive")]).catch(() => {
      throw new Error("invalid_gzip_tar_file");
    });
    const read = (path: string) =>
      existsSync(join(folder, name, path)) ? readFileSync(join(folder, name, path), "utf8") : undefined;
    const meta = read("META.hocon") ?? "";
    const field = (key: string) => new RegExp(`^\\s*${key} = "?([^"\\n]*)"?$`, "m").exec(meta)?.[1];
    const table = (file: string, nothing: unknown) =>
      JSON.parse(read(`mnesia/${file}`) ?? JSON.stringify(nothing)) as unknown;
    return {
      meta: { version: field("version"), edition: field("edition") },
      users: table("emqx_authn_mnesia", {}),
      dashboardUsers: table("emqx_admin", {}),
      retained: table("emqx_retainer_message", []),
    };
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "emqx-export-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
