/** This computer's disk, below `enter --disk`, as an instance of EC2: what an image has, and what happens to it. */
import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Outside } from "./outside";

const script = "/var/lib/cloud/scripts/per-boot/emqx-node";
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** systemd gives services little more. */
const environment = { PATH: path, LANG: "C.UTF-8", AWS_CA_BUNDLE: "/etc/ssl/certs/ca-certificates.crt" };

/** Ten times what a run takes. */
const longestMs = 280_000;

export interface Run {
  code: number | null;
  console: string;
}

export const sh = (command: string): string =>
  execFileSync("bash", ["-c", command], {
    encoding: "utf8",
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();

export const write = (file: string, content: string): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
};

export const read = (file: string): string => readFileSync(file, "utf8");

export class Machine {
  private readonly volume: string;
  private readonly device: string;
  private running: number | undefined;

  constructor(folder: string, outside: Outside) {
    // Never on a real disk
    if (!/^overlay$/.test(sh("stat -f -c %T / | sed s/overlayfs/overlay/")))
      throw new Error("not in test/node/enter --disk");
    const { userData, privateIp, hosts, authority, instanceId } = outside;
    sh(`ip addr add ${privateIp}/32 dev lo`);
    appendFileSync("/etc/hosts", `127.0.0.1 ${hosts.join(" ")}\n`);
    appendFileSync("/etc/ssl/certs/ca-certificates.crt", authority);
    write("/etc/fstab", "");
    // dnf wants a release and a repository, be it one out of reach
    write("/etc/dnf/vars/releasever", "2023");
    write(
      "/etc/yum.repos.d/amazonlinux.repo",
      "[amazonlinux]\nname=amazonlinux\nbaseurl=https://127.0.0.1:1/\ngpgcheck=0\nskip_if_unavailable=1\n",
    );
    sh("rm -f /usr/bin/systemctl /bin/systemctl");
    symlinkSync(join(__dirname, "systemctl"), "/usr/bin/systemctl");
    if (!existsSync("/usr/bin/node")) symlinkSync(process.execPath, "/usr/bin/node");
    // cloud-init as Amazon's image has it, as far as it concerns the node
    sh(
      "rm -rf /var/lib/cloud /etc/cloud/cloud.cfg.d/* /etc/systemd/system/emqx*; mkdir -p /etc/systemd/system",
    );
    write(
      "/etc/cloud/cloud.cfg",
      "disable_root: true\npreserve_hostname: true\ndatasource_list: [NoCloud]\nnetwork: {config: disabled}\n" +
        "cloud_init_modules: [write-files]\ncloud_config_modules: [runcmd]\ncloud_final_modules: [scripts-per-boot]\n",
    );
    write("/var/lib/cloud/seed/nocloud/meta-data", `instance-id: ${instanceId}\n`);
    write("/var/lib/cloud/seed/nocloud/user-data", userData);
    this.volume = join(folder, "volume");
    sh(`truncate -s 512M ${this.volume}`);
    this.device = sh(`losetup -f --show ${this.volume}`);
    symlinkSync(this.device, "/dev/sdf");
    // Files in place of this computer's kernel
    for (const [, key] of userData.matchAll(/^ *((?:net|fs)\.\S+) = /gm))
      write(`/proc/sys/${key!.replaceAll(".", "/")}`, "");
    for (const name of ["enabled", "defrag"]) write(`/sys/kernel/mm/transparent_hugepage/${name}`, "");
  }

  /** The end of a boot: what cloud-init does from its services. */
  boot(): Promise<Run> {
    const stages = ["init --local", "init", "modules --mode=final"];
    return this.run("bash", ["-c", stages.map((stage) => `cloud-init ${stage}`).join(" && ")]);
  }

  operate(...words: string[]): Promise<Run> {
    return this.run(script, words);
  }

  /** The way down after the drain: what is in memory goes. */
  stop(): void {
    sh("systemctl stop emqx && umount /var/lib/emqx && rm -rf /run/*");
  }

  /** Boots, and loses its power as soon as rpm begins the first script of the package. */
  async bootUntilRpm(): Promise<Run> {
    const run = this.boot();
    const begun = new AbortController();
    const watcher = watch("/var/tmp", (_event, name) => {
      if (name?.startsWith("rpm-tmp")) begun.abort();
    });
    const begins = new Promise((resolve) => begun.signal.addEventListener("abort", resolve));
    await Promise.race([begins, run]);
    watcher.close();
    this.cutPower();
    // What a boot forgets: /run, and what /usr/lib/tmpfiles.d/dnf.conf names
    sh("systemctl stop emqx; umount /var/lib/emqx; rm -rf /run/* /var/{cache,lib}/dnf/*_lock.pid");
    return run;
  }

  /** Another process has the lock until the function is called that comes back. */
  hold(lock: string, words: string): () => void {
    const child = spawn("flock", [
      lock,
      "bash",
      "-c",
      'echo "$1" >"$2" && exec sleep 60',
      "hold",
      words,
      lock,
    ]);
    sh(`until grep -qF '${words}' ${lock}; do sleep 0.05; done`);
    return () => void sh(`pkill -P ${child.pid}; true`);
  }

  private run(program: string, words: string[]): Promise<Run> {
    return new Promise((resolve, reject) => {
      // A session of its own: groups are what `timeout` makes, too
      const options = { env: environment, cwd: "/", detached: true };
      const child = spawn(program, words, { ...options, stdio: ["ignore", "pipe", "pipe"] });
      this.running = child.pid;
      const late = setTimeout(() => this.cutPower(), longestMs);
      let console = "";
      [child.stdout, child.stderr].forEach((stream) =>
        stream.on("data", (text) => {
          console += String(text);
          // So that nobody waits without a word
          process.stderr.write((String(text).match(/^emqx-node: .*\n/gm) ?? []).join(""));
        }),
      );
      child.on("error", reject).on("exit", (code) => {
        clearTimeout(late);
        this.running = undefined;
        // What else there is, cloud-init says into its log on an instance
        const lines = console.split("\n").filter((line) => line.startsWith("emqx-node: "));
        resolve({ code, console: lines.join("\n") });
      });
    });
  }

  private cutPower(): void {
    if (this.running !== undefined) sh(`pkill -KILL -s ${this.running}`);
  }

  dispose(): void {
    sh(`systemctl stop emqx; umount /var/lib/emqx; losetup -d ${this.device}`);
    rmSync(this.volume, { force: true });
  }
}
