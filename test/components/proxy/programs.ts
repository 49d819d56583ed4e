/** The real programs on rendered files, whose paths lead into a folder of the test's own. */
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolEnvironment } from "../emqx/tools";

export const proxyPrograms = { Haproxy: "haproxy", Nginx: "nginx" } as const;

export class ProxyFolder {
  readonly path = mkdtempSync(join(tmpdir(), "emqx-proxy-"));
  readonly certificate = join(this.path, "etc/emqx-proxy/emqx.pem");

  constructor() {
    for (const folder of ["etc/emqx-proxy", "run/haproxy", "var/log/nginx"]) {
      mkdirSync(join(this.path, folder), { recursive: true });
    }
    this.renewCertificate();
  }

  /** Another certificate of its own, which clients use, too; those of before are trusted as well. */
  renewCertificate(): void {
    const made = join(this.path, "made.pem");
    const key = join(this.path, "key.pem");
    const curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
    execFileSync(
      "openssl",
      `req -x509 ${curve} -nodes -days 30 -subj /CN=localhost -keyout ${key} -out ${made}`.split(" "),
      { stdio: "ignore" },
    );
    const certificate = readFileSync(made);
    writeFileSync(this.certificate, Buffer.concat([certificate, readFileSync(key)]));
    appendFileSync(join(this.path, "etc/emqx-proxy/ca.pem"), certificate);
  }

  /** The file as it is, but for where its paths lead, and for what only root may do. */
  local(configuration: string): string {
    return configuration
      .replaceAll(/(?<=[\s:])\/(?=(?:etc\/emqx-proxy|run|var\/log)\/)/g, `${this.path}/`)
      .replaceAll(/^ *(?:user|group|chroot) .*\n/gm, "");
  }

  /** What the program says against a configuration; nothing when it loads. */
  refusal(program: string, configuration: string): string {
    const file = join(this.path, `checked.${program}`);
    writeFileSync(file, configuration);
    const { status, stdout, stderr } = spawnSync(
      program,
      program === "haproxy" ? ["-c", "-f", file] : ["-t", "-c", file],
      { env: toolEnvironment, encoding: "utf8" },
    );
    const said = (stdout + stderr)
      .split("\n")
      .filter((line) => /alert|warning|emerg/i.test(line) && !line.includes("error.log"));
    return status === 0 ? said.join("\n") : said.join("\n") || `exit code ${status}`;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Section "HAProxy -> EMQX" of EMQ's deployment guide. */
export const guideHaproxy = (folder: ProxyFolder, seconds: string) => `
listen mqtt-ssl
  bind *:8883 ssl crt ${folder.certificate} no-sslv3
  mode tcp
  maxconn 50000
  timeout client 600s
  default_backend emqx_cluster

backend emqx_cluster
  mode tcp
  balance source
  timeout server ${seconds}
  timeout check 5000
  server emqx1 192.168.0.2:1883 check inter 10000 fall 2 rise 5 weight 1
  server emqx2 192.168.0.3:1883 check inter 10000 fall 2 rise 5 weight 1
`;
