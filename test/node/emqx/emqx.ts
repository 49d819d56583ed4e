/**
 * A light stand-in for EMQX's own program, as the test's package installs it on a machine: `emqx foreground` listens on EMQX's
 * ports, `emqx ctl WORDS` asks that process, with the words and exit codes of docs/emqx-commands.md. Its data are below
 * /var/lib/emqx. MQTT is only as much as keeps clients connected. Runs on the machine itself, with nothing but node.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, createServer, type Socket } from "node:net";

interface Data {
  admin: string;
  users: Record<string, string>;
  evacuation?: number;
}

const home = "/var/lib/emqx";
const dataFile = `${home}/light.json`;
const settingsFile = `${home}/light.conf`;
const configuration = readFileSync("/etc/emqx/emqx.conf", "utf8");
const own = /name = "(emqx@.*?)"/.exec(configuration)![1]!;
const seeds = [...configuration.matchAll(/^\s+"(emqx@.*?)",$/gm)].map((seed) => seed[1]!);
const vmArgs = existsSync("/etc/emqx/vm.args") ? readFileSync("/etc/emqx/vm.args", "utf8") : "";
const distribution = Number(/inet_dist_listen_min (\d+)/.exec(vmArgs)?.[1] ?? 4370);
const version = process.env["REL_VSN"] ?? "";

/** What the last line of emqx.conf includes, by path: a text a line. */
function included(): [string, string][] {
  const file = /^include "(.*)"\s*$/m.exec(configuration)?.[1];
  const lines = file === undefined ? [] : readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [path = "", text] = line.split(" = ");
    return [path, JSON.parse(text!) as string];
  });
}

function dial(node: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: node.replace("emqx@", ""), port, timeout: 2000 });
    const fail = () => resolve((socket.destroy(), undefined));
    socket.on("connect", () => resolve(socket.setTimeout(0)));
    socket.on("error", fail).on("timeout", fail);
  });
}

/** What the running EMQX does with the words of `emqx ctl`. */
class Light {
  readonly clients = new Set<Socket>();
  private readonly data: Data;
  private leaving = false;

  constructor() {
    const password = process.env["EMQX_DASHBOARD__DEFAULT_PASSWORD"] ?? "";
    if ((process.env["EMQX_NODE__COOKIE"] ?? "") === "") throw new Error("no cookie in the environment");
    // EMQX reads them at its start, as user emqx.
    for (const [, file] of configuration.matchAll(/"file:\/\/(.*?)"/g)) readFileSync(file!);
    const users = /bootstrap_file = "(.*?)"/.exec(configuration)?.[1];
    const [user, secret] = (users === undefined ? "" : readFileSync(users, "utf8").split("\n")[1]!).split(
      ",",
    );
    this.data = existsSync(dataFile)
      ? (JSON.parse(readFileSync(dataFile, "utf8")) as Data)
      : { admin: password.replace(/^"|"$/g, ""), users: user ? { [user]: secret! } : {} };
    this.save();
    writeFileSync(settingsFile, JSON.stringify(included()));
    setInterval(() => this.evict(), 1000);
  }

  hasLogin = (password: string): boolean => password === this.data.admin;

  setUser(name: string, password: string): boolean {
    const isKnown = name in this.data.users;
    if (isKnown) this.data.users[name] = password;
    this.save();
    return isKnown;
  }

  async command(words: string[]): Promise<{ code: number; out: string }> {
    const says = (out: string, code = 0) => ({ code, out: `${out}\n` });
    const line = words.join(" ");
    const [running, stopped] = await this.members();
    if (line === "status") return says(`Node '${own}' ${version} is started`);
    if (line === "cluster status --json") {
      return says(JSON.stringify({ running_nodes: running, stopped_nodes: stopped }, null, 2));
    }
    if (line === "broker stats") {
      const count = this.clients.size;
      return says(
        [`connections.count`, `connections.max`].map((n) => `${n.padEnd(30)}: ${count}`).join("\n"),
        1,
      );
    }
    if (line.startsWith("rebalance start --evacuation ")) {
      this.data.evacuation = Number(/--conn-evict-rate (\d+)/.exec(line)?.[1] ?? 500);
      this.save();
      return says("Rebalance(evacuation) started", 1);
    }
    if (line === "rebalance stop") {
      const was = this.data.evacuation;
      delete this.data.evacuation;
      this.save();
      return says(was === undefined ? "Rebalance is already disabled" : "Rebalance(evacuation) stopped", 1);
    }
    if (line === "conf reload") return this.reload();
    if (line === "cluster leave") {
      this.leaving = true;
      return says("Leave the cluster successfully.");
    }
    // The one expression that it knows; the file is read by EMQX's own user.
    const file =
      /^eval emqx_dashboard_cli:admins\(\["passwd", "admin", binary_to_list\(element\(2, file:read_file\("(.+)"\)\)\)\]\)$/;
    const password = file.exec(line)?.[1];
    if (password !== undefined) {
      this.data.admin = readFileSync(password, "latin1");
      this.save();
      return says("ok\nok");
    }
    if (line === "data export") return says(this.export());
    if (line.startsWith("data import ")) return says(this.import(words[2]!));
    return { code: 1, out: "Usage: emqx ctl\n" };
  }

  /** Seeds count as running when their distribution port takes a connection. */
  private async members(): Promise<[string[], string[]]> {
    if (this.leaving) return [[own], []];
    const up = await Promise.all(
      seeds.map(async (seed) => {
        const socket = seed === own ? undefined : await dial(seed, distribution);
        socket?.destroy();
        return seed === own || socket !== undefined;
      }),
    );
    return [seeds.filter((_, at) => up[at]), seeds.filter((_, at) => !up[at])];
  }

  private reload(): { code: number; out: string } {
    let settings: [string, string][];
    try {
      settings = included();
    } catch (error) {
      return { code: 1, out: `bad_hocon_file\n ${(error as Error).message}\n` };
    }
    // Without the environment
    if (settings.every(([path]) => path !== "node.cookie"))
      return { code: 1, out: 'check config failed\n#{path => "node.cookie",reason => required_field}\n' };
    writeFileSync(settingsFile, JSON.stringify(settings));
    return { code: 0, out: `load connectors on ${own} ok\n` };
  }

  private evict(): void {
    // DISCONNECT of MQTT 5, "Use another server".
    [...this.clients]
      .slice(0, this.data.evacuation ?? 0)
      .forEach((client) => client.end(Buffer.from([0xe0, 2, 0x9c, 0])));
  }

  private export(): string {
    const name = `emqx-export-${new Date().toISOString().slice(0, -1).replace("T", "-").replaceAll(":", "-")}`;
    const file = `${home}/backup/${name}.tar.gz`;
    mkdirSync(`/tmp/${name}/mnesia`, { recursive: true });
    writeFileSync(`/tmp/${name}/META.hocon`, `edition = ee\nversion = "${version}"\n`);
    writeFileSync(`/tmp/${name}/mnesia/emqx_authn_mnesia`, JSON.stringify(this.data));
    execFileSync("tar", ["-C", "/tmp", "-czf", file, name]);
    rmSync(`/tmp/${name}`, { recursive: true });
    return `Exporting data to "${file}"...\nData has been successfully exported to ${file}.`;
  }

  private import(file: string): string {
    const name = file.replace(/.*\/|\.tar\.gz$/g, "");
    const table = execFileSync("tar", ["-xzOf", file, `${name}/mnesia/emqx_authn_mnesia`], {
      encoding: "utf8",
    });
    Object.assign(this.data, JSON.parse(table));
    this.save();
    return `Importing data from "${file}"...\nData has been imported successfully.`;
  }

  private save(): void {
    writeFileSync(`${dataFile}.new`, JSON.stringify(this.data));
    renameSync(`${dataFile}.new`, dataFile);
  }
}

function foreground(): void {
  const light = new Light();
  createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("close", () => light.clients.delete(socket));
    socket.on("data", (packet) => {
      if (packet[0] === 0x10) {
        light.clients.add(socket);
        // Behind the name MQTT stands the version: 5 has properties.
        const isFive = packet[packet.indexOf("MQTT") + 4] === 5;
        socket.write(Buffer.from(isFive ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]));
      } else if (packet[0] === 0xc0) socket.write(Buffer.from([0xd0, 0]));
    });
  }).listen(1883);
  // The distribution: other nodes only dial, `emqx ctl` sends its words on a line.
  createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (line) => {
      light.command(JSON.parse(line.toString()) as string[]).then(
        (answer) => socket.end(JSON.stringify(answer)),
        (error: Error) => socket.end(JSON.stringify({ code: 1, out: `${error.message}\n` })),
      );
    });
  }).listen(distribution, own.replace("emqx@", ""));
  const answerHttp = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { password = "" } = body === "" ? {} : (JSON.parse(body) as { password?: string });
    const answer = (code: number, text: string) => response.writeHead(code).end(text);
    const user = /^\/api\/v5\/authentication\/password_based:built_in_database\/users\/(.+)$/.exec(
      request.url!,
    )?.[1];
    if (request.url === "/status") answer(200, `Node ${own} is started\nemqx is running`);
    else if (request.url === "/api/v5/login") {
      if (light.hasLogin(password)) answer(200, `{"token":"the.token","version":"${version}"}`);
      else answer(401, `{"code":"BAD_USERNAME_OR_PWD"}`);
    } else if (request.headers.authorization !== "Bearer the.token") answer(401, "{}");
    else if (user !== undefined && light.setUser(user, password)) answer(200, `{"user_id":"${user}"}`);
    else answer(404, `{"code":"NOT_FOUND"}`);
  };
  createHttpServer((request, response) => void answerHttp(request, response)).listen(18083);
  process.on("SIGTERM", () => process.exit(0));
}

async function ask(words: string[]): Promise<void> {
  const socket = await dial(own, distribution);
  if (socket === undefined) {
    process.stderr.write(`Node '${own}' not responding to pings.\n`);
    process.exit(1);
  }
  socket.write(JSON.stringify(words));
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  if (text === "") process.exit((process.stdout.write(`RPC to '${own}' failed: nodedown\n`), 1));
  const { code, out } = JSON.parse(text) as { code: number; out: string };
  process.stdout.write(out, () => process.exit(code));
}

const [verb, ...words] = process.argv.slice(2);
if (verb === "foreground") foreground();
else if (verb === "ctl") void ask(words);
else if (verb === "eval") void ask([verb, ...words]);
else process.exit(1);
