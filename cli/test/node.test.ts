/** `npm run node`: which node is meant, what may be asked of it, and how it is asked in AWS. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instanceOf, refuseUnsafe } from "../node/run";
import { operations } from "../../components/emqx/operations";
import { nodeOperations } from "../node/operations";
import { RealInside } from "../smoke/realInside";

const outputs = {
  loadBalancerDnsName: "emqx-1.eu-west-1.elb.amazonaws.com",
  instanceIds: ["i-0aa", "i-0bb"],
  nodeNames: ["emqx@192.168.0.10", "emqx@192.168.1.11"],
};

test.each(["1", "i-0bb", "emqx@192.168.1.11"])("node %s is the second instance", (given) => {
  expect(instanceOf(outputs, given)).toBe("i-0bb");
});

test("an unknown node is an error that lists the nodes there are", () => {
  expect(() => instanceOf(outputs, "2")).toThrow(
    "there is no node 2; there are:\n  0  emqx@192.168.0.10  i-0aa\n  1  emqx@192.168.1.11  i-0bb",
  );
  expect(() => instanceOf({}, "0")).toThrow("there is no node 0; there are:\n  none");
});

test.each([
  ["backup; reboot", [], /no operation "backup; reboot"; there are sync, drain, backup, restore/],
  ["../../bin/sh", [], /there is no operation/],
  ["bakcup", [], /there is no operation "bakcup"; there are sync, drain, backup, restore/],
  ["toString", [], /there is no operation/],
  ["restore", ["$(reboot)"], /the argument "\$\(reboot\)" may only have/],
  ["restore", ["a b"], /the argument "a b"/],
  ["restore", ["--all"], /the argument "--all" .* must begin with a letter or a digit/],
  ["restore", [""], /the argument ""/],
  [
    "restore",
    ["latest", "prod"],
    /restore takes .* not "latest prod"; .* npm run node -- 0 restore -s <stack>/,
  ],
  ["sync", ["prod"], /sync takes nothing, not "prod"/],
])("%s %j is refused before anybody is asked", (operation, args, message) => {
  expect(() => refuseUnsafe(operation, args)).toThrow(message);
});

test("a key of a backup and s3:// addresses pass", () => {
  for (const key of ["exports/emqx-export-2026-11-27-20-00-00.123.tar.gz", "s3://bucket/exports/x.tar.gz"]) {
    expect(() => refuseUnsafe("restore", [key])).not.toThrow();
  }
});

test("what may be asked for is what nodes have, without the parts that a boot consists of", () => {
  const parts = ["services", "join", "common", "install", "tls", "upkeep"];
  expect(Object.keys(nodeOperations).sort()).toEqual(
    Object.keys(operations)
      .filter((name) => !parts.includes(name))
      .sort(),
  );
});

describe("in AWS", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "aws-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A deployment whose aws command is this shell script. */
  function deployment(script: string): RealInside {
    const aws = join(folder, "aws");
    writeFileSync(aws, `#!/bin/bash\nprintf '%s\\n' "$@" >"${folder}/arguments"\n${script}\n`);
    chmodSync(aws, 0o755);
    return new RealInside(outputs, { PATH: `${folder}:/usr/bin:/bin` });
  }

  test("a session runs the boot script with the operation, and tells its exit code", async () => {
    const said: string[] = [];
    const inside = deployment(
      "echo; echo 'Starting session with SessionId: me-1'; echo 'emqx-node: NODE 0 FAILED while exporting: no'\n" +
        "echo 'EXIT_CODE: 1'; echo; echo 'Exiting session with sessionId: me-1.'",
    );
    expect(await inside.operate("i-0aa", "restore", ["latest"], (line) => said.push(line))).toBe(1);
    expect(said).toEqual(["emqx-node: NODE 0 FAILED while exporting: no"]);
    expect(readFileSync(join(folder, "arguments"), "utf8").trim().split("\n")).toEqual([
      ...["ssm", "start-session", "--target", "i-0aa", "--document-name", "AWS-StartNonInteractiveCommand"],
      "--parameters",
      JSON.stringify({
        command: ["sudo /var/lib/cloud/scripts/per-boot/emqx-node restore latest"],
        separateOutputStream: ["true"],
      }),
      ...["--region", "eu-west-1"],
    ]);
  });

  test("success is an exit code of 0 that the session told", async () => {
    const inside = deployment("echo 'emqx-node: done'; echo 'EXIT_CODE: 0'");
    expect(await inside.operate("i-0aa", "backup", [], () => undefined)).toBe(0);
  });

  test("a session that never was, or that ended without a word, is an error", async () => {
    const refused = deployment("echo 'SessionManagerPlugin is not found.' >&2; exit 255");
    await expect(refused.operate("i-0aa", "backup", [], () => undefined)).rejects.toThrow(
      "no session with i-0aa (aws ended with code 255): SessionManagerPlugin is not found.",
    );
    const cutOff = deployment("echo 'emqx-node: exporting'");
    await expect(cutOff.operate("i-0aa", "backup", [], () => undefined)).rejects.toThrow(/no session with/);
  });

  test("without the aws CLI it says what to install", async () => {
    const inside = new RealInside(outputs, { PATH: folder });
    await expect(inside.operate("i-0aa", "backup", [], () => undefined)).rejects.toThrow(
      /the aws CLI is not installed; .*session-manager-plugin/,
    );
  });
});
