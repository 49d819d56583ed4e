/** The real programs on rendered files, whose paths lead into a folder of the test's own. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
    const made = join(this.path, "made.pem");
    const key = join(this.path, "key.pem");
    execFileSync(
      "openssl",
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost -keyout ${key} -out ${made}`.split(
        " ",
      ),
      { stdio: "ignore" },
    );
    execFileSync("bash", ["-c", `cat ${made} ${key} > ${this.certificate}`]);
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
