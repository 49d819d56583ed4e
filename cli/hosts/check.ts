/** Asks the real programs about rendered files. A program that this computer lacks is named, and nothing is said of its files. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Answer } from "../command";
import { UserError } from "../console";

interface Check {
  /** From the folder. */
  file: string;
  program: string;
  result: "fine" | "refused" | "not checked";
  says?: string;
}

interface Program {
  program: string;
  asks: RegExp;
  args: (file: string) => string[];
  /** Of what it says, that which is no news here. */
  beside?: RegExp;
  /** It ends with 0 whatever it finds. */
  speaks?: true;
  /** It looks at the kernel's network even when it only checks. */
  asRoot?: true;
}

const programs: Program[] = [
  { program: "haproxy", asks: /\/haproxy\.cfg$/, args: (file) => ["-c", "-f", file] },
  { program: "nginx", asks: /\/nginx\.conf$/, args: (file) => ["-t", "-c", file] },
  {
    program: "keepalived",
    asks: /\/keepalived\.conf$/,
    args: (file) => ["-t", "-f", file],
    // It is the balancers' interface, not this computer's.
    beside: /WARNING - interface \S+ for vrrp_instance \w+ doesn't exist|Non-existent interface specified/,
    asRoot: true,
  },
  { program: "nft", asks: /\.nft$/, args: (file) => ["-c", "-f", file], asRoot: true },
  { program: "bash", asks: /\/install\.sh$/, args: (file) => ["-n", file] },
  { program: "shellcheck", asks: /\/install\.sh$/, args: (file) => [file] },
  {
    program: "systemd-analyze",
    asks: /\/system\/[\w-]+\.service$/,
    args: (file) => ["verify", "--man=no", file],
    // About this computer's other units.
    beside: /^(?!.*emqx)/,
    speaks: true,
  },
];

export function checkHosts(folder: string): Answer {
  const hosts = existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "install.sh")))
    : [];
  if (hosts.length === 0) throw new UserError(`${folder} has no folder of a host: hosts render writes them`);
  const checks = hosts.flatMap((host) => checkHost(folder, host));
  return {
    facts: { checks },
    text: () => checks.map(line).join("\n"),
    exitCode: checks.some(({ result }) => result === "refused") ? 1 : 0,
  };
}

function line({ file, program, result, says }: Check): string {
  return `${{ fine: "✓", refused: "✗", "not checked": "-" }[result]} ${file}: ${program} ${
    { fine: "takes it", refused: "refuses it:", "not checked": "is not installed here; not checked" }[result]
  }${says === undefined ? "" : `\n${says.replaceAll(/^/gm, "    ")}`}`;
}

function checkHost(folder: string, host: string): Check[] {
  const work = mkdtempSync(join(tmpdir(), "emqx-hosts-"));
  try {
    cpSync(join(folder, host), work, { recursive: true });
    for (const below of ["run/haproxy", "var/log/nginx"])
      mkdirSync(join(work, "files", below), { recursive: true });
    const units = join(work, "files/etc/systemd/system");
    // A drop-in is judged with its unit, which comes with the package.
    for (const name of readdirSync(units).filter((unit) => unit.endsWith(".d"))) {
      writeFileSync(join(units, name.replace(/\.d$/, "")), "[Service]\nExecStart=/bin/true\n");
    }
    return readdirSync(work, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .flatMap((file) => {
        if (/(haproxy\.cfg|nginx\.conf)$/.test(file)) localise(file, join(work, "files"));
        return programs
          .filter(({ asks }) => asks.test(file))
          .map((program): Check => {
            const name = join(host, file.slice(work.length + 1));
            return { file: name, program: program.program, ...ask(program, file) };
          });
      });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The certificates are in the copy, and the rest of this computer is left alone. */
function localise(file: string, root: string): void {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replaceAll(/(?<=[\s])\/(?=(?:etc\/emqx-proxy|run|var\/log)\/)/g, `${root}/`));
}

function ask(
  { program, args, beside, speaks, asRoot }: Program,
  file: string,
): Pick<Check, "result" | "says"> {
  const env = { ...process.env, PATH: [process.env["PATH"], "/usr/sbin", "/sbin"].join(delimiter) };
  const command = [...(asRoot && process.getuid?.() !== 0 ? ["unshare", "-rn"] : []), program, ...args(file)];
  if (spawnSync("sh", ["-c", `command -v ${program}`], { env }).status !== 0)
    return { result: "not checked" };
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), { env, encoding: "utf8" });
  const said = (stdout + stderr).split("\n").filter((words) => words.trim() !== "" && !beside?.test(words));
  return said.length === 0 || (status === 0 && !speaks)
    ? fineUnless(status, beside)
    : { result: "refused", says: said.join("\n") };
}

function fineUnless(status: number | null, beside: RegExp | undefined): Pick<Check, "result" | "says"> {
  return status === 0 || beside ? { result: "fine" } : { result: "refused", says: `exit code ${status}` };
}
