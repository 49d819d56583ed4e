/** One node's life by the rendered scripts as they are, with the real programs: docs/testing.md. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { operations } from "../../components/emqx/operations";
import { Machine, read, sh, write } from "./machine";
import { openOutside, type Outside, version } from "./outside";

let folder: string;
let outside: Outside;
let machine: Machine;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "emqx-node-"));
  outside = await openOutside(folder);
  machine = new Machine(folder, outside);
});
afterAll(async () => {
  machine?.dispose();
  await outside?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("first boot (cloud-init, blkid, mkfs.xfs, mount, curl, sha256sum, rpm, dnf, useradd, aws)", () => {
  test("a package that arrives in part is not installed: the console and the parameter say so", async () => {
    outside.disturb = (request) =>
      request === damaged ? { status: 200, body: "the first half" } : undefined;
    const damaged = `GET /emqx-ee/e${version}/emqx-enterprise-${version}-amzn2023-amd64.rpm`;
    const { console } = await machine.boot();
    outside.disturb = undefined;
    expect(console).toMatch(
      /NODE 0 FAILED while installing .*: its SHA-256 sum is \w{64}, not \w{64}: not installed$/m,
    );
    expect(outside.parameter("nodes/0/ready")).toMatch(
      RegExp(`^failed ${outside.instanceId}: installing .*: its SHA-256 sum is`),
    );
    expect(read("/run/systemctl")).toContain("start --no-block emqx-node-retry\n");
  });

  test("the power goes while rpm runs the package's scripts", async () => {
    expect((await machine.bootUntilRpm()).code).toBe(null);
    expect(sh("ls /etc/emqx-node")).not.toContain("installed");
  });

  test("the next run ends it all: volume formatted and mounted, EMQX runs, the node is ready", async () => {
    const { console, code } = await machine.operate();
    expect({ code, console }).toEqual({
      code: 0,
      console: expect.stringMatching(/node 0 is ready$/m) as string,
    });
    expect(outside.parameter("nodes/0/ready")).toBe(outside.instanceId);
    expect(outside.parameter("nodes/0/applied")).toBe(
      "dashboard-password=1 mqtt-password=1 license-key=1 secret-config=1",
    );
    expect(read("/var/lib/emqx/light.conf")).toContain("Config-Secret-1");
    expect(sh("findmnt -no FSTYPE,OPTIONS /var/lib/emqx")).toMatch(/^xfs .*noatime/);
    expect(sh("rpm -q emqx-enterprise; readlink /usr/bin/emqx")).toBe(
      `emqx-enterprise-${version}-1.noarch\n/usr/lib/emqx/bin/emqx`,
    );
  });

  test("fstab names the file system by its UUID, and the kernel's settings are all set", () => {
    expect(sh("findmnt --verify --tab-file /etc/fstab | tail -n 1")).toMatch(
      /^Success|^0 parse errors, 0 errors/,
    );
    expect(read("/etc/fstab")).toContain(`UUID=${sh("findmnt -no UUID /var/lib/emqx")} /var/lib/emqx xfs `);
    const settings = [...read("/etc/sysctl.d/90-emqx.conf").matchAll(/^(\S+) = (.*)$/gm)];
    const found = settings.map(([, key]) => read(`/proc/sys/${key!.replaceAll(".", "/")}`).trim());
    expect(found).toEqual(settings.map(([, , value]) => value));
    expect(read("/sys/kernel/mm/transparent_hugepage/defrag").trim()).toBe("never");
  });

  test("secrets are root's or EMQX's, and in no other file and no list of processes", () => {
    expect(
      sh("cd /etc/emqx-node; stat -c '%n %U:%G %a' secrets.env mqtt-users.csv license.key secret.conf"),
    ).toBe(
      "secrets.env root:root 600\nmqtt-users.csv root:emqx 640\nlicense.key root:emqx 640\nsecret.conf root:emqx 640",
    );
    expect(sh("grep -rlF --devices=skip Config-Secret /etc /run /var/log /var/lib/cloud || true")).toBe(
      "/etc/emqx-node/secret.conf",
    );
    const password = outside.role.getParameter(`${outside.prefix}/mqtt-password`, {
      withDecryption: true,
    }).value;
    expect(sh(`grep -rlF --devices=skip '${password}' /etc /run /var/log /var/lib/cloud || true`)).toBe(
      "/etc/emqx-node/mqtt-users.csv",
    );
    expect(sh("ps -eo args")).not.toContain(password);
  });

  test("systemd takes the units as they are", () => {
    const units = sh("ls /etc/systemd/system/emqx*.{service,timer}").replaceAll("\n", " ");
    expect(sh(`systemd-analyze verify --man=no ${units} 2>&1 | grep emqx || true`)).toBe("");
    const calendar = /OnCalendar=(.*)/.exec(read("/etc/systemd/system/emqx-backup.timer"))![1]!;
    expect(sh(`systemd-analyze calendar --iterations=2 '${calendar}'`)).toMatch(/(00|06|12|18):00:00 UTC/);
  });
});

describe("sync (aws, curl, grep, sed, flock)", () => {
  test("asks AWS once and does nothing, without starting the AWS CLI, where nothing is new", async () => {
    const ofChildren = () => {
      const [user, system] = read("/proc/self/stat").split(" ").slice(15, 17);
      return (Number(user) + Number(system)) / 100;
    };
    // Fetches the role's credentials
    expect(await machine.operate("sync")).toEqual({ code: 0, console: "" });
    outside.requests.length = 0;
    const before = ofChildren();
    expect(await machine.operate("sync")).toEqual({ code: 0, console: "" });
    const seconds = ofChildren() - before;
    process.stderr.write(`An idle minute of sync took ${seconds.toFixed(2)} s of a core\n`);
    expect(seconds).toBeLessThan(0.5);
    expect(outside.requests).toEqual(["GetParameters /"]);
  });

  test("names what EMQX refuses of the secret settings, without them, and reports them as not taken up", async () => {
    outside.changeParameter("secret-config", 'connectors.http.hook.headers.authorization = "Config-Secret');
    const { code, console } = await machine.operate("sync");
    expect(code).toBe(1);
    expect(console).toMatch(
      /FAILED while taking up the secret settings: emqx ctl conf reload: bad_hocon_file exit code 1$/,
    );
    expect(console).not.toContain("Config-Secret");
  });

  test("takes up new secrets in the running EMQX, and repairs an operation that is damaged", async () => {
    outside.changeParameter(
      "secret-config",
      'connectors.http.hook.headers.authorization = "Config-Secret-2"\n',
    );
    outside.changeParameter("dashboard-password", "Another-Secret-1");
    outside.changeParameter("mqtt-password", "Another-Secret-2");
    write("/etc/emqx-node/operations/drain", "");
    expect((await machine.operate("sync")).code).toBe(0);
    expect(JSON.parse(read("/var/lib/emqx/light.json"))).toEqual({
      admin: "Another-Secret-1",
      users: { mqtt: "Another-Secret-2" },
    });
    expect(read("/var/lib/emqx/light.conf")).toContain("Config-Secret-2");
    expect(outside.parameter("nodes/0/applied")).toBe(
      "dashboard-password=2 mqtt-password=2 license-key=1 secret-config=3",
    );
    expect(read("/etc/emqx-node/operations/drain")).toBe(operations["drain"]!.trimEnd());
  });

  test("leaves alone what another run is at, says whose it is, and exits with 75", async () => {
    const held = machine.hold("/run/emqx-node.lock", "boot, process 1");
    const { code, console } = await machine.operate("sync");
    held();
    expect([code, console.trim()]).toEqual([
      75,
      "emqx-node: nothing done: another run has the lock: boot, process 1",
    ]);
  });
});

describe("backup and restore (tar, aws s3)", () => {
  let stored: string;
  const exports = () => sh("ls -A /var/lib/emqx/backup");

  test("an export is whole in the bucket, and leaves no trace on the disk", async () => {
    const { code, console } = await machine.operate("backup", "here");
    expect(code).toBe(0);
    [, stored] = /stored s3:\/\/\S*\/(\S+\.tar\.gz), \d+ bytes/.exec(console) as unknown as [string, string];
    const [object] = outside.role.listObjects(outside.bucket, "exports/");
    expect(object!.key).toBe(`exports/${stored}`);
    expect([exports(), outside.exportFailed()]).toEqual(["", 0]);
  });

  test("S3 refuses the upload: it is a failed export, in AWS's words, and leaves no trace either", async () => {
    const body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    outside.disturb = (request) => (request.startsWith("PUT /exports/") ? { status: 403, body } : undefined);
    // Tried again for ten minutes otherwise
    sh("sed -i 's/try 600 upload/try 1 upload/' /etc/emqx-node/operations/backup");
    const { code, console } = await machine.operate("backup", "here");
    outside.disturb = undefined;
    expect(code).toBe(1);
    expect(console).toMatch(
      /FAILED while uploading .*An error occurred \(AccessDenied\) when calling the PutObject operation/,
    );
    expect([exports(), outside.exportFailed()]).toEqual(["", 1]);
    await machine.operate("sync");
  });

  test("the newest is imported, and this cluster's own passwords are set again", async () => {
    write("/var/lib/emqx/light.json.other", "");
    outside.changeParameter("mqtt-password", "Another-Secret-3");
    const { code, console } = await machine.operate("restore", "latest");
    expect({ code, console }).toMatchObject({
      code: 0,
      console: expect.stringContaining(`imported ${stored}`) as string,
    });
    expect(console).toContain(`made by EMQX ${version}`);
    expect(JSON.parse(read("/var/lib/emqx/light.json"))).toMatchObject({
      users: { mqtt: "Another-Secret-3" },
    });
    expect(exports()).toBe("");
  });
});

describe("the way down (EMQX's exit codes, runuser)", () => {
  let clients: MqttClient[];
  const reasons: (number | undefined)[] = [];
  beforeAll(async () => {
    clients = await Promise.all(
      Array.from({ length: 150 }, () =>
        connectAsync(`mqtt://${outside.privateIp}`, { protocolVersion: 5, reconnectPeriod: 0 }),
      ),
    );
    clients.forEach((client) => client.on("disconnect", ({ reasonCode }) => reasons.push(reasonCode)));
  });
  afterAll(() => clients?.forEach((client) => client.end(true)));

  test("a drain moves 150 clients to the other node, and exits with 0", async () => {
    const { code, console } = await machine.operate("drain");
    expect({ code, console }).toEqual({
      code: 0,
      console: expect.stringMatching(/evacuating 150 connections/) as string,
    });
    expect(console).toContain("emqx-node: 0 connections left");
    expect(reasons).toEqual(Array.from({ length: 150 }, () => 0x9c));
    expect(JSON.parse(read("/var/lib/emqx/light.json"))).not.toHaveProperty("evacuation");
    machine.stop();
  });

  test("a drain without EMQX says that there is nothing to drain", async () => {
    sh("mount /var/lib/emqx");
    expect(await machine.operate("drain")).toMatchObject({
      code: 0,
      console: expect.stringContaining("nothing to drain") as string,
    });
    sh("umount /var/lib/emqx");
  });
});

describe("a later boot", () => {
  test("formats and installs nothing, and brings the node back", async () => {
    const before = sh(`blkid -o value -s UUID /dev/sdf`);
    outside.requests.length = 0;
    const group =
      "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/emqx-1883/0123456789abcdef";
    outside.changeParameter("cluster", `${outside.parameter("cluster")}TARGET_GROUPS='${group}'\n`);
    const states = ["initial", "healthy"];
    outside.disturb = (request) =>
      request.startsWith("DescribeTargetHealth ") ? targetHealth(states.shift()!) : undefined;
    const { console } = await machine.boot();
    outside.disturb = undefined;
    expect(states).toEqual([]);
    expect(console).toMatch(/node 0 is ready$/m);
    expect(console).not.toMatch(/formatting|installing/);
    expect(sh(`blkid -o value -s UUID /dev/sdf`)).toBe(before);
    expect(outside.requests.filter((request) => request.endsWith(".rpm"))).toEqual([]);
  });

  test("what a drain does to the health check leaves the machine its own answers, and a sync takes it back (ip)", async () => {
    const [close] = /ip rule add .*prohibit/.exec(operations["drain"]!)!;
    sh(close);
    expect(sh(`${close} 2>&1 || echo $?`)).toBe("RTNETLINK answers: File exists\n2");
    expect(sh("curl -fsS http://127.0.0.1:18083/status")).toContain("emqx is running");
    write("/run/emqx-node.closed", "");
    expect((await machine.operate("sync")).code).toBe(0);
    expect(sh("ip rule")).not.toContain("18083");
  });

  test("a node that was removed leaves the cluster before it stops", async () => {
    outside.changeParameter("cluster", `MEMBERS='${outside.peer}'\nDRAIN_SECONDS='5'\n`);
    expect(await machine.operate("drain")).toMatchObject({
      code: 0,
      console: expect.stringContaining("leaving the cluster") as string,
    });
    expect(sh("runuser -u emqx -- env HOME=/var/lib/emqx emqx ctl cluster status --json")).not.toContain(
      outside.peer,
    );
  });
});

/** As Elastic Load Balancing v2 answers (botocore/data/elbv2/2015-12-01/service-2.json). */
function targetHealth(state: string) {
  const name = "DescribeTargetHealth";
  const health = `<TargetHealth><State>${state}</State></TargetHealth><Target><Id>i-1</Id><Port>1883</Port></Target>`;
  const result = `<TargetHealthDescriptions><member>${health}</member></TargetHealthDescriptions>`;
  const space = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";
  const body = `<${name}Response xmlns="${space}"><${name}Result>${result}</${name}Result></${name}Response>`;
  return { status: 200, body, headers: { "Content-Type": "text/xml" } };
}
