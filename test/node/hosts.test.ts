/** install.sh of `hosts`, as it is rendered, on an overlay over this computer's disk: apt-get, dpkg, nft and HAProxy are the real ones. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { renderInto } from "@emqx-aws/cli/hosts/render";
import { skipped, testWith } from "../components/emqx/tools";
import { packageFiles } from "./package";

const folder = mkdtempSync(join(tmpdir(), "emqx-hosts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const enter = join(__dirname, "enter");
const canEnter = spawnSync(enter, ["--disk", "dpkg-deb", "--version"]).status === 0;
const test_ = canEnter
  ? testWith("haproxy")
  : skipped("no overlay over a disk with dpkg: hosts' scripts are not run");

test_("the scripts install a node and a balancer, again without a change, and stop at what is wrong", () => {
  execFileSync(
    "bash",
    [
      "-c",
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hosts -keyout key -out made && cat made key >emqx.pem",
    ],
    { cwd: folder, stdio: "ignore" },
  );
  const hosts = {
    nodes: [
      { name: "emqx1", address: "192.168.0.2" },
      { name: "emqx2", address: "192.168.0.3" },
    ],
    balancers: [{ name: "lb1", address: "192.168.0.4" }],
    listeners: ["Mqtts"],
    certificate: { file: "emqx.pem" },
    // The stand-in for EMQX does not know the header.
    proxy: { proxyProtocol: false, maxConnections: 500 },
  };
  writeFileSync(join(folder, "hosts.yaml"), stringify(hosts));
  renderInto(join(folder, "hosts.yaml"), join(folder, "out"));
  packageFiles(folder);
  const { stdout, stderr } = spawnSync(enter, ["--disk", join(__dirname, "hosts.sh"), folder], {
    encoding: "utf8",
  });
  const said = Object.fromEntries(
    `${stdout}\n${stderr}`
      .split(/^# (?!CONNACK|exit)/m)
      .map((part) => [part.slice(0, part.indexOf("\n")), part]),
  );
  expect(said["another package"]).toMatch(
    /FAILED: the SHA-256 sum of emqx-.*\.deb is \w{64}, not 0{64}: not installed[^]*# exit code 1/,
  );
  expect(said["a node"]).toMatch(
    /== installing https:\/\/packages\.emqx\.io\/emqx-ce\/v5\.8\.9\/emqx-5\.8\.9-[^]*== emqx1 runs\n# exit code 0/,
  );
  expect(said["again"]).not.toContain("installing");
  expect(said["again"]).not.toContain("changed:");
  expect(said["again"]).toContain("# exit code 0");
  expect(said["of the node"]).toContain("== changed: /etc/emqx/emqx.conf \n");
  expect(said["of the node"]).toContain(
    "/etc/emqx-node/secrets.env root:root 600\n/etc/emqx-node/mqtt-users.csv root:emqx 640\n",
  );
  expect(said["a balancer"]).toMatch(/== lb1 proxies\n# exit code 0\n# CONNACK 20020000/);
  expect(said["its new configuration"]).toMatch(
    /== reloading, which cuts nobody: \/etc\/haproxy\/haproxy\.cfg[^]*# exit code 0/,
  );
  expect(said["its damaged configuration"]).toMatch(
    /haproxy refuses the new configuration; the old one stays[^]*# exit code 1/,
  );
  expect(said["on another host"]).toMatch(/no interface here has 192\.168\.0\.3[^]*# exit code 1/);
  expect(said["on another host"]).toContain("tcp dport { 8404, 8883 } drop");
  expect(
    readFileSync(join(folder, "out/secrets.json"), "utf8")
      .match(/\w{32,}/g)!
      .filter((secret) => stdout.includes(secret)),
  ).toEqual([]);
});
