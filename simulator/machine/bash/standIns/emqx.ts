/**
 * bin/emqx, asked of the region's EMQX. Exit codes: bin/nodetool in github.com/emqx/emqx (5.8 to 6.x) ends with 0 only where
 * the command returns `ok`, and with 1 where it returns a list, true, false or an error; docs/emqx-commands.md has the table.
 */
import { basename } from "node:path";
import type { ClusterStatus } from "../../../dataplane/cluster/membership";
import { archive, contentOf } from "../../dataArchive";
import { hasEvacuation } from "../../editions";
import type { EmqxNode } from "../../emqxNode";
import { BadHocon } from "../../emqxSettings";
import { fail, readOptions, type StandIn, valueOf } from "../standIn";
import { type Answer } from "../call";
import type { System } from "../system";

type Command = (args: string[], node: EmqxNode, system: System) => Answer | Promise<Answer>;

const said = (out: string, code = 0): Answer => ({ code, out: `${out}\n` });

const commands: Record<string, Command> = {
  status: (args, node) =>
    args.length === 0
      ? said(`Node '${node.settings.nodeName}' ${node.settings.version} is started`)
      : usage("status"),
  broker: (args, node) => {
    if (args[0] !== "stats") {
      return args.length === 0 ? said(`version   : ${node.settings.version}`) : usage("broker stats");
    }
    const stats = {
      "channels.count": node.channels,
      "connections.count": node.channels,
      "live_connections.count": node.connections,
      "sessions.count": node.channels,
    };
    // A list comprehension: its value is a list, not ok.
    return said(
      Object.entries(stats)
        .map(([name, value]) => `${name.padEnd(30)}: ${value}`)
        .join("\n"),
      1,
    );
  },
  cluster: async (args, node) => {
    const [verb, given] = args;
    switch (verb) {
      case "status":
        return said(given === "--json" ? statusJson(node.cluster()) : statusTerm(node.cluster()));
      case "leave":
        return node.leaveCluster().then(
          () => said(`Leave the cluster successfully.\n${statusTerm(node.cluster())}`),
          (error: Error) => said(`Failed to leave the cluster: ${error.message}`),
        );
      case "force-leave":
        if (given === undefined) break;
        return node.forceLeave(given).then(
          (how) =>
            said(
              how === "ignored"
                ? "Ignore."
                : `Remove the node from cluster successfully.\n${statusTerm(node.cluster())}`,
            ),
          (error: Error) => said(`Failed to remove the node from cluster: ${error.message}`),
        );
      case undefined:
      default:
        break;
    }
    return usage("cluster leave | force-leave <Node> | status [--json]");
  },
  admins: (args, node) => {
    const [verb, user, password] = args;
    if (verb !== "passwd" || password === undefined) {
      return usage("admins passwd <Username> <Password>");
    }
    if (user !== "admin") {
      return said("Error: username_not_found");
    }
    return node.setDashboardPassword(password).then(
      () => said("ok"),
      (error: Error) => said(`Error: ${error.message}`),
    );
  },
  // emqx_conf_cli.erl: conf/1, reload_etc_conf_on_local_node/1, check_res/5.
  conf: ([verb, ...rest], node) =>
    verb !== "reload" || rest.length > 0
      ? usage("conf reload")
      : node.reload().then(
          (roots) => said(roots.map((root) => `load ${root} on ${node.settings.nodeName} ok`).join("\n")),
          (error: Error) =>
            said(
              `${error instanceof BadHocon ? "bad_hocon_file\n " : "check config failed\n"}${error.message}`,
              1,
            ),
        ),
  // emqx_mgmt_cli.erl: pem_cache/1, with_log/2.
  pem_cache: ([verb, scope, name, ...rest], node) => {
    if (verb !== "clean" || scope !== "node" || rest.length > 0) {
      return scope === "all"
        ? fail("emqx: in the simulated region only pem_cache clean node <Node>")
        : usage("pem_cache clean all | clean node <Node>");
    }
    if (name !== node.settings.nodeName) return said(`${name} PEM cache clean FAILED\nunknown_node`, 1);
    node.cleanPemCache();
    return said(`${name} PEM cache clean OK`);
  },
  data: async (args, node, system) => {
    const [verb, given] = args;
    if (verb === "export" && given === undefined) {
      return exportData(node, system);
    }
    return verb === "import" && given !== undefined
      ? importData(given, node, system)
      : usage("data import <File> | export");
  },
  // Durable storage is off here: its command says how it would be used.
  ds: () => usage("ds"),
  // cli/1 of emqx_node_rebalance_cli.erl: true and false are no ok either.
  rebalance: (args, node) => {
    const [verb, ...rest] = args;
    try {
      if (verb === "start") {
        const names = ["--wait-health-check", "--conn-evict-rate", "--wait-takeover", "--sess-evict-rate"];
        const options = readOptions(rest, ["--evacuation"], names);
        if (typeof options === "string" || options.rest.length > 0 || !options.flags.has("--evacuation")) {
          return said(`Rebalance start error: unknown arguments: ["${rest.join('","')}"]`, 1);
        }
        const [waitHealthCheck, connEvictRate, waitTakeover, sessEvictRate] = names.map((name) =>
          Number(valueOf(options, name)),
        ) as [number, number, number, number];
        node.startEvacuation({ waitHealthCheck, connEvictRate, waitTakeover, sessEvictRate });
        return said("Rebalance(evacuation) started", 1);
      }
      if (verb === "stop") {
        node.stopEvacuation();
        return said("Rebalance(evacuation) stopped", 1);
      }
      if (verb === "node-status") {
        const { status } = node.evacuationStatus();
        return said(
          status === "disabled"
            ? "Rebalance disabled"
            : `Rebalance type: evacuation\nRebalance state: ${status}`,
        );
      }
    } catch (error) {
      return said((error as Error).message, 1);
    }
    return usage("rebalance start --evacuation | stop | node-status");
  },
};

export const emqx: StandIn = ({ args }, system) => {
  const [program, name = "", ...rest] = args;
  const node = system.emqx();
  if (program !== "ctl" && program !== "ping" && program !== "eval") {
    return fail(`emqx: in the simulated region only "ctl", "eval" and "ping": ${args.join(" ")}`);
  }
  if (node === undefined) {
    const nodeName =
      /^\s*name = "(.*)"$/m.exec(system.root.read("/etc/emqx/emqx.conf") ?? "")?.[1] ?? "emqx@127.0.0.1";
    return fail(`Node '${nodeName}' not responding to pings.`);
  }
  if (program === "ping") {
    return said("pong");
  }
  if (program === "eval") {
    return evaluated(args.slice(1).join(" "), node, system);
  }
  const command = name === "rebalance" && !hasEvacuation(node.settings.version) ? undefined : commands[name];
  if (command === undefined) {
    return { code: 1, out: "Usage: emqx ctl\n" };
  }
  return command(rest, node, system);
};

/**
 * `emqx eval`: what the expression prints, then its value; where it crashes, 1 (bin/nodetool, "eval"). Of Erlang only calls, strings and lists, and of EMQX
 * only its command line's own modules, which `emqx_ctl` calls with the same list (apps/emqx_dashboard/src/emqx_dashboard_cli.erl).
 */
async function evaluated(expression: string, node: EmqxNode, system: System): Promise<Answer> {
  let printed = "";
  const functions: Record<string, (...args: unknown[]) => unknown> = {
    "file:read_file": (path) => {
      const bytes = system.root.readBytes(String(path), "emqx");
      return bytes === undefined ? ["error", "enoent"] : ["ok", bytes];
    },
    element: (n, tuple) => (tuple as unknown[])[Number(n) - 1],
    binary_to_list: (bytes) => {
      if (!Buffer.isBuffer(bytes)) throw new Error("badarg");
      return bytes.toString("latin1");
    },
    "emqx_dashboard_cli:admins": async (words) => {
      printed += (await commands["admins"]!(words as string[], node, system)).out ?? "";
      return "ok";
    },
  };
  const tokens = expression.match(/"(?:[^"\\]|\\.)*"|\d+|[a-z]\w*(?::[a-z]\w*)?|[()[\],.]/g) ?? [];
  const list = async (end: string): Promise<unknown[]> => {
    const values: unknown[] = [];
    while (tokens[0] !== end) {
      values.push(await value());
      if (tokens[0] === ",") tokens.shift();
      else if (tokens[0] !== end) throw new Error(`syntax error before: ${tokens[0] ?? "the end"}`);
    }
    tokens.shift();
    return values;
  };
  const value = async (): Promise<unknown> => {
    const token = tokens.shift() ?? "";
    if (token.startsWith('"')) return JSON.parse(token);
    if (token === "[") return list("]");
    if (/^\d/.test(token)) return Number(token);
    if (tokens[0] !== "(") throw new Error(`in the simulated region no Erlang like ${token}`);
    tokens.shift();
    const called = functions[token];
    if (called === undefined) throw new Error("undef");
    return called(...(await list(")")));
  };
  try {
    const result = String(await value());
    return said(printed + result);
  } catch (error) {
    return said(`${printed}RPC to '${node.settings.nodeName}' error: ${(error as Error).message}`, 1);
  }
}

/** `emqx_ctl:usage/1` prints, and returns ok. */
function usage(words: string): Answer {
  return said(words);
}

function statusTerm({ running, stopped }: ClusterStatus): string {
  const list = (names: string[]) => `[${names.map((name) => `'${name}'`).join(",")}]`;
  return `Cluster status: #{running_nodes => ${list(running)},stopped_nodes => ${list(stopped)}}`;
}

/** As jsx indents it. */
function statusJson({ running, stopped }: ClusterStatus): string {
  return JSON.stringify({ running_nodes: running, stopped_nodes: stopped }, null, 2).replaceAll(
    '": ',
    '" : ',
  );
}

const backupFolder = "/var/lib/emqx/backup";

async function exportData(node: EmqxNode, { root, timeOfDay }: System): Promise<Answer> {
  const name = exportName(timeOfDay());
  const path = `${backupFolder}/${name}.tar.gz`;
  const data = await node.exportData();
  const content = await archive(name, data);
  const { tables } = content;
  // EMQX lets everybody read what it writes.
  root.write(path, "");
  root.owners.set(root.at(path), "emqx:emqx");
  root.replace(path, content.bytes);
  const shown = path;
  return said(
    [
      `Exporting data to "${shown}"...`,
      "Exporting cluster configuration...",
      `Exporting additional files from EMQX data_dir: "/var/lib/emqx"...`,
      "Exporting built-in database...",
      ...tables.map((table) => `Exporting ${table} database table...`),
      `Data has been successfully exported to ${shown}.`,
    ].join("\n"),
  );
}

async function importData(given: string, node: EmqxNode, { root }: System): Promise<Answer> {
  const place = given.includes("/") ? given : `${backupFolder}/${given}`;
  const lines = [`Importing data from "${place}"...`];
  const failed = (why: string) =>
    said([...lines, `[error] Data import failed, reason: "${why}".`].join("\n"));
  const bytes = root.readBytes(place, "emqx");
  if (bytes === undefined) {
    return said(`[error] Data import failed, reason: "backup file not found".`);
  }
  try {
    const data = await contentOf(bytes, basename(place, ".tar.gz"));
    await node.importData(data);
  } catch (error) {
    return failed((error as Error).message);
  }
  lines.push(
    "Importing cluster configuration...",
    "Importing built-in database...",
    "Data has been imported successfully.",
  );
  return said(lines.join("\n"));
}

/** prepare_new_backup/1 of emqx_mgmt_data_backup.erl; a node's clock is in UTC. */
function exportName(now: Date): string {
  const [date, time] = now.toISOString().slice(0, -1).split("T");
  return `emqx-export-${date}-${time!.replaceAll(":", "-")}`;
}
