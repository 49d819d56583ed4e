/** rpm and dnf. An RPM here holds its own address, from which follows what is in it; the database is below /var/lib/rpm. */
import { existsSync, readFileSync } from "node:fs";
import { installedPackage } from "../../packages";
import { fail, readOptions, type StandIn } from "../standIn";
import type { Root } from "../root";
import type { System } from "../system";
import { agentProgram } from "./agent";

const repository = "al2023-repos-eu-west-1-de612dc2.s3.dualstack.eu-west-1.amazonaws.com";
const databaseOf = (name: string) => `/var/lib/rpm/${name}`;

/** The version of an installed package. */
function installedVersion(root: Root, name: string): string | undefined {
  return root.read(databaseOf(name))?.trim();
}

/** EMQX's version, of whichever edition. */
export function installedEmqx(root: Root): string | undefined {
  return installedVersion(root, "emqx") ?? installedVersion(root, "emqx-enterprise");
}

const rpm: StandIn = ({ args }, { root }) => {
  const options = readOptions(args, ["-q", "--quiet"], ["--qf", "--queryformat"]);
  if (typeof options === "string" || !options.flags.has("-q") || options.rest.length === 0) {
    return fail(`rpm: ${typeof options === "string" ? options : "no arguments given for query"}`);
  }
  const isQuiet = options.flags.has("--quiet");
  const said = options.rest.map((name) => {
    const version = installedVersion(root, name);
    return {
      isThere: version !== undefined,
      line: version === undefined ? `package ${name} is not installed` : `${name}-${version}-1.amzn2023`,
    };
  });
  return {
    code: said.filter(({ isThere }) => !isThere).length,
    out: isQuiet ? "" : said.map(({ line }) => `${line}\n`).join(""),
  };
};

const dnf: StandIn = ({ args }, system) => {
  const options = readOptions(args, ["-q", "-y", "--quiet", "--assumeyes", "--nogpgcheck"], ["--setopt"]);
  if (typeof options === "string") {
    return fail(`dnf: error: ${options}`, 2);
  }
  const [verb, ...wanted] = options.rest;
  if ((verb !== "install" && verb !== "reinstall") || wanted.length === 0) {
    return fail(`dnf: error: the simulated dnf knows only "install" and "reinstall": ${args.join(" ")}`, 2);
  }
  for (const what of wanted) {
    const problem = what.endsWith(".rpm") ? installEmqx(what, system) : installFromRepository(what, system);
    if (problem !== undefined) {
      return fail(problem);
    }
  }
  return {};
};

function installEmqx(file: string, { root, facts }: System): string | undefined {
  if (!existsSync(file)) {
    return `Can not load RPM file: ${file}.\nCould not open: ${file}`;
  }
  let version: string;
  const address = readFileSync(file, "utf8").trim();
  const name = /enterprise/.test(address) ? "emqx-enterprise" : "emqx";
  try {
    version = installedPackage(address, facts().architecture, environment(root));
  } catch (error) {
    return `Error: \n Problem: conflicting requests\n  - ${(error as Error).message}`;
  }
  const other = name === "emqx" ? "emqx-enterprise" : "emqx";
  if (installedVersion(root, other) !== undefined) {
    return `Error: Transaction test error:\n  file /usr/bin/emqx from install of ${name}-${version} conflicts with file from package ${other}`;
  }
  root.addUser("emqx");
  // A file that is there already is not replaced (%config(noreplace)).
  if (root.read("/etc/emqx/emqx.conf") === undefined) root.write("/etc/emqx/emqx.conf", "");
  if (root.read("/etc/emqx/vm.args") === undefined)
    root.write("/etc/emqx/vm.args", "+P 2097152\n+Q 1048576\n");
  root.write("/usr/lib/emqx/releases/emqx_vars", `REL_VSN="${version}"\nREL_NAME="emqx"\n`);
  // deploy/packages/emqx.service in github.com/emqx/emqx (5.8 to 6.x), as far as it matters here.
  root.write(
    "/usr/lib/systemd/system/emqx.service",
    "[Unit]\nAfter=network.target\n[Service]\nUser=emqx\nGroup=emqx\nType=simple\nExecStart=/bin/bash /usr/bin/emqx foreground\n" +
      "LimitNOFILE=1048576\nTimeoutStopSec=120s\nRestart=on-failure\nRestartSec=120s\n[Install]\nWantedBy=multi-user.target\n",
  );
  root.addCommand("/bin/emqx");
  root.write(databaseOf(name), `${version}\n`);
  return undefined;
}

function installFromRepository(name: string, { root, egress }: System): string | undefined {
  const verdict = egress(repository, 443);
  if (!verdict.allowed) {
    return `Errors during downloading metadata for repository 'amazonlinux':\n  - Curl error (28): Timeout was reached for https://${repository}: ${verdict.reason}\nError: Failed to download metadata for repo 'amazonlinux': Cannot prepare internal mirrorlist`;
  }
  if (name === "tar") {
    // Among the tools that every machine has here.
    return undefined;
  }
  if (name !== "amazon-cloudwatch-agent") {
    return `Error: Unable to find a match: ${name}`;
  }
  root.addCommand(agentProgram);
  root.write(
    "/usr/lib/systemd/system/amazon-cloudwatch-agent.service",
    "[Service]\nType=simple\nExecStart=/opt/aws/amazon-cloudwatch-agent/bin/start-amazon-cloudwatch-agent\nRestart=on-failure\n[Install]\nWantedBy=multi-user.target\n",
  );
  root.write(databaseOf(name), "1.300\n");
  return undefined;
}

/** node.env, for a package whose name does not say its version. */
function environment(root: Root): Record<string, string> {
  const version = /^VERSION='(.*)'$/m.exec(root.read("/etc/emqx-node/node.env") ?? "")?.[1];
  return version === undefined ? {} : { VERSION: version };
}

export const packagePrograms: Record<string, StandIn> = { rpm, dnf };
