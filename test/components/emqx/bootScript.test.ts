import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { bootScript } from "../../../components/emqx/bootstrap";
import { bootFailure } from "../../../components/nodes/reports";
import { operations } from "../../../components/emqx/operations";
import { calls, instanceId, Machine, refused, Run, saying, secrets, testMachines } from "./machine";
import { testWith } from "./tools";

const { fresh: machine } = testMachines();
const packageVmArgs = "+P 2097152\n+Q 1048576\n";

/** One line that says what and where, a code that is not zero, and a report of just that. */
function expectFailure(node: Machine, run: Run, line: string | RegExp): void {
  const failures = run.console.split("\n").filter((text) => text.includes("FAILED"));
  expect(failures).toHaveLength(1);
  expect(failures[0]).toMatch(line);
  expect(run.code).not.toBe(0);
  const [, what] = /FAILED while (.*)$/.exec(failures[0]!)!;
  expect(node.readParameter("nodes/0/ready")).toBe(`failed ${instanceId}: ${what!.replaceAll("\t", " ")}`);
  expect(calls(run, "systemctl start --no-block")).toEqual(["systemctl start --no-block emqx-node-retry"]);
}

testWith("shellcheck")("shellcheck finds nothing", () => {
  const result = spawnSync("shellcheck", ["--severity=style", "-"], { input: bootScript, encoding: "utf8" });
  expect(result.stdout + result.stderr).toBe("");
  expect(result.status).toBe(0);
});

test("a first boot ends as a ready node", async () => {
  const node = machine();
  rmSync(node.root.at("/etc/emqx-node/operations"), { recursive: true });
  node.write("etc/fstab", "UUID=root / xfs defaults 0 0\nUUID=old /var/lib/emqx xfs defaults 0 0\n");
  const run = await node.boot();
  expect(run.console).toMatch(/emqx-node: node 0 is ready\n$/);
  expect(run.code).toBe(0);
  expect(node.readParameter("nodes/0/ready")).toBe(instanceId);

  expect(calls(run, "mkfs")).toEqual([expect.stringMatching(/^mkfs\.xfs -q -L emqx .*\/dev\/sdf$/)]);
  expect(node.read("etc/fstab")).toBe(
    "UUID=root / xfs defaults 0 0\n" +
      `UUID=${node.disks.uuidOf("vol-1")} /var/lib/emqx xfs defaults,noatime,nofail,x-systemd.device-timeout=300s 0 0\n`,
  );
  // In this order: the volume before the package, the owner after it, the service last.
  expect(node.read("etc/emqx-node/operations/restore")).toBe(operations["restore"]!.trimEnd());
  const order = ["systemctl start var-lib-emqx.mount", "xfs_growfs", "dnf", "find", "systemctl restart emqx"];
  const positions = order.map((start) => run.calls.findIndex((call) => call.startsWith(start)));
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
  expect(positions).not.toContain(-1);

  expect(node.read("etc/emqx/vm.args")).toBe(
    `${packageVmArgs}-kernel inet_dist_listen_min 6369\n-kernel inet_dist_listen_max 6369\n`,
  );
  expect(node.read("usr/lib/emqx/releases/emqx_vars")).toBe(
    'REL_VSN="5.8.9"\nREL_NAME="emqx"\nset -a; . /etc/emqx-node/emqx.env; set +a\n',
  );
  expect(node.read("etc/emqx-node/secrets.env")).toBe(
    `EMQX_NODE__COOKIE=${secrets.cookie}\n` +
      `EMQX_DASHBOARD__DEFAULT_PASSWORD='"${secrets.dashboardPassword}"'\n`,
  );
  expect(node.mode("etc/emqx-node/secrets.env")).toBe("root:root 600");
  expect(node.read("etc/emqx-node/mqtt-users.csv")).toBe(
    `user_id,password,is_superuser\nmqtt,${secrets.mqttPassword},false\n`,
  );
  expect(node.mode("etc/emqx-node/mqtt-users.csv")).toBe("root:emqx 640");
  expect(node.has("etc/emqx-node/license.key")).toBe(false);
});

test("a second run changes nothing", async () => {
  const node = machine({ hasLicense: true, version: "6.2.3" });
  expect((await node.boot()).code).toBe(0);
  const before = node.files(true);
  const run = await node.boot();
  expect(run.code).toBe(0);
  expect(node.files(true)).toEqual(before);
  for (const start of [
    "mkfs",
    "dnf",
    "chown",
    "systemctl restart",
    "aws ssm put-parameter",
    "curl -fsS --connect-timeout 10 -L",
  ]) {
    expect(calls(run, start)).toEqual([]);
  }
});

test("a run after a boot that was cut off goes on where it stopped", async () => {
  const node = machine();
  const mend = node.disturb("find", /./, { fail: 5 });
  expectFailure(
    node,
    await node.boot(),
    /NODE 0 FAILED while configuring EMQX: line \d+ of install, exit code 5$/,
  );
  expect(node.has("etc/emqx-node/secrets.env")).toBe(false);
  mend();
  const run = await node.boot();
  expect(run.code).toBe(0);
  expect(calls(run, "mkfs")).toEqual([]);
  expect(calls(run, "dnf")).toEqual([]);
});

describe("the data volume", () => {
  test.each([
    ["ext4", "blkid", saying('/dev/sdf: TYPE="ext4"'), /not XFS, left alone: .*ext4/],
    ["partitions", "blkid", saying('/dev/sdf: PTTYPE="dos"'), /not XFS, left alone: .*dos/],
    ["two of them", "blkid", { fail: 8, words: "ambivalent result" }, /not XFS, left alone: ambivalent/],
    ["signature", "wipefs", saying("0x1fe dos"), /not blank, not formatted: 0x1fe dos/],
  ] as const)("with %s on it is never formatted", async (_content, program, how, line) => {
    const node = machine();
    node.disturb(program, /./, how);
    const run = await node.boot();
    expectFailure(node, run, line);
    expect(run.console).toContain("FAILED while mounting /dev/sdf: ");
    expect(calls(run, "mkfs")).toEqual([]);
    expect(calls(run, "systemctl start var-lib-emqx.mount")).toEqual([]);
  });

  test("of an earlier instance is mounted as it is", async () => {
    const node = machine();
    node.formatted.add("vol-1");
    const run = await node.boot();
    expect(run.code).toBe(0);
    expect(calls(run, "mkfs")).toEqual([]);
    expect(calls(run, "wipefs")).toEqual([]);
    expect(calls(run, "xfs_growfs")).toHaveLength(1);
  });

  test("may be attached after the boot", async () => {
    const node = machine({ readinessTimeoutSeconds: 300 });
    node.detach(12);
    const run = await node.boot();
    expect(run.code).toBe(0);
    expect(calls(run, "sleep").length).toBeGreaterThanOrEqual(3);
  });

  test("is found by the name in its NVMe controller when there is no link", async () => {
    const node = machine();
    node.volumes = ["vol-0", "vol-1"].map((volumeId, n) => ({ device: `/dev/nvme${n}n1`, volumeId }));
    node.disks.refresh();
    node.disturb("ebsnvme-id", /nvme0n1$/, saying("xvda"));
    node.disturb("ebsnvme-id", /nvme1n1$/, saying("sdf"));
    const run = await node.boot();
    expect(run.code).toBe(0);
    expect(calls(run, "mkfs")).toEqual([expect.stringMatching(/\/dev\/nvme1n1$/)]);
  });

  test("that never comes ends the boot", async () => {
    const node = machine();
    node.detach();
    const run = await node.boot();
    expectFailure(
      node,
      run,
      /FAILED while waiting for the data volume: no volume is attached as \/dev\/sdf$/,
    );
    expect(calls(run, "dnf")).toEqual([]);
  });
});

describe("the package", () => {
  /** Another text beside the package. */
  const published =
    (text: string) =>
    ({ args }: { args: string[] }) => {
      writeFileSync(args[args.indexOf("-o") + 1]!, text);
      return {};
    };

  test("with another checksum is not installed", async () => {
    const node = machine();
    node.disturb("curl", /\.sha256$/, published("0".repeat(64)));
    const run = await node.boot();
    expectFailure(
      node,
      run,
      /while installing https:\/\/packages\.emqx\.io\S+: its SHA-256 sum is [0-9a-f]{64}, not 0{64}/,
    );
    expect(calls(run, "dnf")).toEqual([]);
  });

  test("is compared with package.sha256 where one is given", async () => {
    const node = machine({ package: { sha256: "1".repeat(64) } });
    const run = await node.boot();
    expectFailure(node, run, /, not 1{64}: not installed/);
    expect(run.calls.join("\n")).not.toContain(".sha256");
  });

  test.each([
    ["<html>", /its checksum is no SHA-256 sum/],
    ["", /its checksum is no SHA-256 sum/],
  ])("needs a checksum, not %j", async (sum, line) => {
    const node = machine();
    node.disturb("curl", /\.sha256$/, published(sum));
    expectFailure(node, await node.boot(), line);
  });

  test("is fetched again when the network is not ready, or the package manager busy", async () => {
    const node = machine({ readinessTimeoutSeconds: 300 });
    node.disturb("curl", /\.rpm$/, { fail: 6, words: "curl: (6) Could not resolve host" }, 2);
    node.disturb("dnf", /./, { fail: 1, words: "Error: Failed to download metadata" }, 1);
    const run = await node.boot();
    expect(run.code).toBe(0);
    expect(calls(run, "dnf")).toHaveLength(2);
  });

  test("that cannot be fetched says why", async () => {
    const node = machine();
    const nowhere = { fail: 22, words: "curl: (22) The requested URL returned error: 404" };
    const mend = node.disturb("curl", /\.sha256$/, nowhere);
    expectFailure(node, await node.boot(), /FAILED while installing .*its checksum: curl: \(22\).*404/);
    mend();
    node.disturb("curl", /\.rpm$/, nowhere);
    expectFailure(node, await node.boot(), /FAILED while installing .*rpm: curl: \(22\).*404/);
  });
});

describe("parameters", () => {
  test.each(["cookie", "dashboard-password", "mqtt-password", "license-key"])(
    "%s that is missing is named",
    async (name) => {
      const node = machine({ hasLicense: true, version: "6.2.3" });
      node.parameter(name, undefined);
      const run = await node.boot();
      expectFailure(
        node,
        run,
        new RegExp(`parameter /emqx/emqx-aws/dev/emqx-nodes/${name}: .*ParameterNotFound`),
      );
      expect(calls(run, "systemctl restart")).toEqual([]);
      expect(node.has("etc/emqx-node/secrets.env")).toBe(false);
    },
  );

  test("that the role may not read are named", async () => {
    const node = machine();
    node.disturb("aws", /get-parameter /, refused("AccessDeniedException", "GetParameter"));
    expectFailure(node, await node.boot(), /parameter \S+\/operations\/list: .*AccessDeniedException/);
  });

  test.each([
    ["cookie", "short"],
    ["cookie", "9" + secrets.cookie],
    ["cookie", `${secrets.cookie}#x`],
    ["dashboard-password", `with"quote12`],
    ["dashboard-password", "with$dollar12"],
    ["mqtt-password", "with,comma12"],
    ["mqtt-password", "short"],
  ])("%s is refused as %j, without showing it", async (name, value) => {
    const node = machine();
    node.parameter(name, value);
    const run = await node.boot();
    expectFailure(node, run, new RegExp(`parameter \\S+/${name} must be `));
    expect(run.console).not.toContain(`: ${value}`);
  });

  test("never show on the console nor in the list of processes", async () => {
    const node = machine({ hasLicense: true, version: "6.2.3" });
    node.watchTools();
    const run = await node.boot();
    expect(run.code).toBe(0);
    node.change("cookie", secrets.cookie.toUpperCase());
    node.change("dashboard-password", "Dashboard-Secret-2");
    node.change("mqtt-password", "Mqtt-Secret-2");
    const again = await node.boot();
    expect(again.code).toBe(0);
    const tools = node.read("tools");
    expect(tools).toMatch(/^sha256sum$/m);
    for (const secret of [...Object.values(secrets), secrets.cookie.toUpperCase(), "Secret-2"]) {
      for (const { console, calls } of [run, again]) {
        expect(console).not.toContain(secret);
        expect(calls.join("\n")).not.toContain(secret);
      }
      expect(tools).not.toContain(secret);
    }
    expect(bootScript).not.toMatch(/set -[a-z]*x|xtrace/);
  });

  test("a changed cookie restarts EMQX, a renewed licence does not", async () => {
    const node = machine({ hasLicense: true, version: "6.2.3" });
    expect((await node.boot()).code).toBe(0);
    expect(node.read("etc/emqx-node/license.key")).toBe(secrets.licenseKey);
    expect(node.mode("etc/emqx-node/license.key")).toBe("root:emqx 640");
    node.parameter("license-key", "renewed.key");
    const renewed = await node.boot();
    expect(renewed.code).toBe(0);
    expect(calls(renewed, "systemctl restart")).toEqual([]);
    expect(node.read("etc/emqx-node/license.key")).toBe("renewed.key");
    node.parameter("cookie", secrets.cookie.toUpperCase());
    expect(calls(await node.boot(), "systemctl restart emqx")).toHaveLength(1);
  });

  test("of a first MQTT user are not asked for with anonymous access", async () => {
    const node = machine({ anonymousAccess: true });
    node.parameter("mqtt-password", undefined);
    expect((await node.boot()).code).toBe(0);
    expect(node.has("etc/emqx-node/mqtt-users.csv")).toBe(false);
  });
});

describe("readiness", () => {
  test("waits for EMQX, and says where to look", async () => {
    const node = machine();
    node.emqxRuns = false;
    const run = await node.boot();
    expectFailure(
      node,
      run,
      /while starting EMQX 5\.8\.9: see journalctl -u emqx and \/var\/log\/emqx: curl: \(7\)/,
    );
  });

  test("waits until every seed that is up is in the cluster", async () => {
    const node = machine({ readinessTimeoutSeconds: 300 });
    const alone = '{"running_nodes":["emqx@192.168.0.10"],"stopped_nodes":[]}';
    node.disturb("emqx", /cluster status/, saying(alone), 2);
    const run = await node.boot();
    expect(run.code).toBe(0);
    // Three times to join, and once to look for members that have left.
    expect(calls(run, "emqx ctl cluster status")).toHaveLength(4);
  });

  test("fails when a seed stays outside", async () => {
    const node = machine();
    node.reachable.push("192.168.0.12/6369");
    const run = await node.boot();
    expectFailure(node, run, /joining the cluster: emqx@192\.168\.0\.12 is up, but not in one cluster/);
  });

  test("all seeds are asked by one process, however many they are", async () => {
    const node = machine({ seeds: Array.from({ length: 40 }, (_, number) => `192.168.0.${10 + number}`) });
    const run = await node.boot();
    expect(run.code).toBe(0);
    expect(calls(run, "bash")).toHaveLength(1);
  });

  test("a name that only begins like a member's is no member", async () => {
    const node = machine({ seeds: ["192.168.0.10", "192.168.0.1"] });
    node.reachable.push("192.168.0.1/6369");
    expectFailure(node, await node.boot(), /emqx@192\.168\.0\.1 is up, but not/);
  });

  test("fails when EMQX does not listen where the others look for it", async () => {
    const node = machine();
    node.disturb("bash", /192\.168\.0\.10/, { fail: 1 });
    expectFailure(node, await node.boot(), /joining the cluster: its own port 6369 does not answer/);
  });

  test("the first node is a cluster of its own", async () => {
    const node = machine();
    node.reachable = [];
    node.cluster = { running: ["emqx@192.168.0.10"], stopped: ["emqx@192.168.0.11"] };
    expect((await node.boot()).code).toBe(0);
  });

  test("uses the port of the Package profile, and changes no arguments there", async () => {
    const node = machine({ clusterPorts: "Package" });
    node.reachable = ["192.168.0.12/4370"];
    expectFailure(node, await node.boot(), /emqx@192\.168\.0\.12 is up/);
    expect(node.read("etc/emqx/vm.args")).toBe(packageVmArgs);
  });

  const registering = saying("OutOfService\tInstance is in the process of registering.");

  test("waits for each load balancer", async () => {
    const node = machine({ loadBalancerCount: 2, readinessTimeoutSeconds: 300 });
    node.parameter("load-balancers", "emqx-lb,other-lb");
    node.disturb("aws", /describe-instance-health/, registering, 3);
    const run = await node.boot();
    expect(run.code).toBe(0);
    expect(calls(run, "aws elb").join("\n")).toContain(
      "--load-balancer-name other-lb --instances " + instanceId,
    );
  });

  test.each([
    ["out of service", "emqx-lb", /emqx-lb: OutOfService\tInstance is in the process/],
    ["fewer than expected", "", /names 0, expected 1/],
    ["not named yet", undefined, /ParameterNotFound/],
  ])("fails with a load balancer %s", async (_, names, line) => {
    const node = machine();
    node.disturb("aws", /describe-instance-health/, registering);
    node.parameter("load-balancers", names);
    expectFailure(node, await node.boot(), line);
  });

  test("waits until each target group calls it healthy", async () => {
    const node = machine({ loadBalancerCount: 0, readinessTimeoutSeconds: 300 });
    node.members(["192.168.0.10", "192.168.0.11"], 4, ["emqx-1883", "emqx-8083"]);
    node.disturb("aws", /elbv2.*emqx-8083/, saying("initial\tTarget registration is in progress"), 3);
    const run = await node.boot();
    expect(run.code).toBe(0);
    expect(calls(run, "aws elbv2").map((call) => /emqx-\d+.*Id=\S+/.exec(call)![0])).toEqual(
      Array.from({ length: 4 }, () =>
        ["emqx-1883", "emqx-8083"].map((name) => `${name}/0123456789abcdef --targets Id=${instanceId}`),
      ).flat(),
    );
  });

  test("says which target group does not", async () => {
    const node = machine({ loadBalancerCount: 0 });
    node.members(["192.168.0.10", "192.168.0.11"], 4, ["emqx-1883"]);
    node.disturb("aws", /elbv2/, saying("unhealthy\tHealth checks failed"));
    expectFailure(
      node,
      await node.boot(),
      /targetgroup\/emqx-1883\/0123456789abcdef: unhealthy\tHealth checks failed/,
    );
  });

  test("asks no load balancer when there is none", async () => {
    const node = machine({ loadBalancerCount: 0 });
    node.parameter("load-balancers", undefined);
    const run = await node.boot();
    expect(run.code).toBe(0);
    expect(calls(run, "aws elb")).toEqual([]);
  });
});

test.each([
  [
    "sysctl",
    'sysctl: setting key "net.ipv4.tcp_rmem": Invalid argument\nsysctl: permission denied on key "fs.nr_open"',
    'sysctl: setting key "net.ipv4.tcp_rmem": Invalid argument sysctl: permission denied on key "fs.nr_open"',
  ],
  ["systemd-tmpfiles", "Failed to write file: Permission denied", "Failed to write file: Permission denied"],
  ["xfs_growfs", "", "exit code 1 without a word"],
])("%s that refuses is said, and does not keep the node from serving", async (program, words, told) => {
  const node = machine();
  node.disturb(program, /./, { fail: 1, words });
  const { code, console } = await node.boot();
  expect([code, node.readParameter("nodes/0/ready")]).toEqual([0, instanceId]);
  expect(console).toContain(`emqx-node: going on without ${program}: ${told}\n`);
});

// dnf 4.14's own words, and the AWS CLI's
test.each([
  [
    "Error: \n Problem: conflicting requests\n  - nothing provides libatomic.so.1()(64bit) needed by emqx-5.8.9-1.x86_64\n" +
      "(try to add '--skip-broken' to skip uninstallable packages)",
    "Error: Problem: conflicting requests - nothing provides libatomic.so.1()(64bit) needed by emqx-5.8.9-1.x86_64",
  ],
  [
    "Errors during downloading metadata for repository 'amazonlinux':\n  - Curl error (28): Timeout was reached\n" +
      "Error: Failed to download metadata for repo 'amazonlinux'",
    "Errors during downloading metadata for repository 'amazonlinux': - Curl error (28): Timeout was reached " +
      "Error: Failed to download metadata for repo 'amazonlinux'",
  ],
  [
    "Error: \n Problem: conflicting requests\n  - package emqx-5.8.9-1.x86_64 does not have a compatible architecture",
    "Error: Problem: conflicting requests - package emqx-5.8.9-1.x86_64 does not have a compatible architecture",
  ],
  ["upload failed: ./a to s3://b/a An error occurred (SlowDown)", "An error occurred (SlowDown)"],
  ["warning: a package\nCould not open: emqx.rpm\n\n", "Could not open: emqx.rpm"],
  ["one thing\nthen another", "then another"],
  ["Error: so it is\n".repeat(1000), "Error: so it is ".repeat(1000).slice(0, 300)],
])("a failed installation is told by the lines that tell why (%#)", async (words, told) => {
  const node = machine({ readinessTimeoutSeconds: 60 });
  node.disturb("dnf", /./, { fail: 1, words });
  const { console } = await node.boot();
  expect(console).toMatch(/FAILED while installing \S+\.rpm: /);
  expect(console).toContain(`.rpm: ${told}\n`);
  expect(node.readParameter("nodes/0/ready")).toContain(`.rpm: ${told}`);
});

test("a command that fails unexpectedly is named by its line", async () => {
  const node = machine();
  node.disturb("wipefs", /./, { fail: 5 });
  expectFailure(node, await node.boot(), /while mounting \S+: line \d+ of emqx-node, exit code 5$/);
});

test("a failure is told to AWS where systemd answers nothing, too", async () => {
  const node = machine({ readinessTimeoutSeconds: 60 });
  node.disturb("wipefs", /./, { fail: 5 });
  node.disturb("systemctl", /--no-block/, "hang");
  node.disturb("aws", /put-parameter/, { late: 5 });
  const { console } = await node.boot();
  expect(console).toMatch(/FAILED while mounting \S+: line \d+ of emqx-node, exit code 5$/m);
  expect(console).toContain("emqx-node: nothing tries again\n");
  expect(node.readParameter("nodes/0/ready")).toMatch(/^failed i-\w+: mounting /);
});

test("a try after a failure says that it has begun, so that an update waits for it", async () => {
  const node = machine();
  const reports: string[] = [];
  node.disturb("aws", /put-parameter .*nodes\/0\/ready/, ({ args }, act) => {
    reports.push(args[args.indexOf("--value") + 1]!);
    return act();
  });
  const mend = node.disturb("wipefs", /./, { fail: 5 });
  expect((await node.boot()).code).toBe(1);
  expect((await node.boot()).code).toBe(1);
  mend();
  expect((await node.boot()).code).toBe(0);
  const failed = expect.stringMatching(/^failed i-\w+: mounting \S+: /);
  const [booting, ready] = [`booting ${instanceId}`, instanceId];
  expect(reports).toEqual([failed, booting, failed, booting, ready]);
  expect(bootFailure(booting, instanceId)).toBeUndefined();
  reports.length = 0;
  expect((await node.boot()).code).toBe(0);
  expect(reports).toEqual([]);
});
