/** What goes wrong in the middle of an update, and what the next update makes of it. */
import { readLocks } from "@emqx-aws/cli/local/locks";
import { namesOf, nodesDuring, outline, regionOf, settings, threeNodes } from "./deploymentSupport";
import type { Outcome } from "./harness";
import { engineForAll } from "./harness";
import { eventually } from "../waiting";

jest.setTimeout(240_000);
const engine = engineForAll();
const stack = engine.stack("local", threeNodes);

const tryUp = (): Promise<Outcome> => stack.run("up", "--yes", "--skip-preview");
const errors = ({ diagnostics }: Outcome) =>
  diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);

test("AWS refuses something: the next `up` only does the rest", async () => {
  // A bucket whose policy does not let Elastic Load Balancing write.
  stack.configure(settings({ classicElb: { accessLogs: { bucket: "emqx-private-example" } } }));
  const refused = await tryUp();
  expect(refused.exitCode).not.toBe(0);
  expect(errors(refused).join()).toMatch(/creating ELB.*: Access Denied for bucket: emqx-private-example/);
  const made = new Set((await stack.resources()).map(({ urn }) => urn));
  expect([...made].filter((urn) => /Instance::/.test(urn))).toEqual([]);

  // Of the nodes that then start at once, one fails.
  await regionOf(engine).failBoot(1);
  stack.configure(settings({ classicElb: { accessLogs: undefined } }));
  const [{ events }, up] = await nodesDuring(engine, tryUp);
  expect(up.changes.filter(({ op }) => op !== "create")).toEqual([]);
  expect(up.changes.filter(({ urn }) => made.has(urn))).toEqual([]);
  expect(errors(up).join()).toMatch(/node 1 \(i-\w+\) did not become ready/);
  expect(errors(up).join()).not.toMatch(/node [02]/);
  expect(events.filter((event) => /ready$/.test(event)).sort()).toEqual(["0 ready", "2 ready"]);
});

test("… and goes on when it comes", async () => {
  await regionOf(engine).failBoot(1, false);
  expect((await stack.up()).changes).toEqual([]);
  expect((await stack.outputs())["instanceIds"]).toHaveLength(3);
});

test("the CLI is killed while a node boots: the next `up` goes on with the nodes after it", async () => {
  await regionOf(engine).failBoot(1);
  stack.configure(settings({ extraConfig: "mqtt.max_packet_size = 2MB" }));
  const before = (await regionOf(engine).resources({ type: "Instance" })).map(({ id }) => id);
  const [{ events }] = await nodesDuring(engine, async () => {
    const killed = tryUp();
    await until(async () => {
      const registrations = await regionOf(engine).resources({ type: "aws:elb/attachment:Attachment" });
      return (
        registrations.filter(({ attributes }) => !before.includes(String(attributes["instance"]))).length ===
        2
      );
    });
    const lock = await eventually("it has begun", () => readLocks(engine.surroundings, "local")[0]);
    process.kill(lock.pid, "SIGKILL");
    expect((await killed).exitCode).not.toBe(0);
  });
  expect(events.filter((event) => /ready$/.test(event))).toEqual(["0 ready"]);
  expect(events.at(-1)).toBe("1 registered");

  await regionOf(engine).failBoot(1, false);
  const [repair, up] = await nodesDuring(engine, () => stack.up());
  expect(engine.said.join("\n")).toMatch(/Stack local was locked by process \d+, .*Removed the lock\./);
  expect(namesOf(up.changes.filter(({ op }) => op === "replace"))).toContain("emqx-nodes-2");
  expect(repair.events.filter((event) => /^0/.test(event))).toEqual([]);
  expect(repair.events.at(-1)).toBe("2 ready");
  expect(repair.mostOutOfService).toBe(1);
  expect((await stack.up()).changes).toEqual([]);
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("it did not come to that");
}

test("a node that never boots: `up` fails and names it, the nodes after it are untouched", async () => {
  await regionOf(engine).failBoot(1);
  stack.configure(settings({ extraConfig: "mqtt.max_packet_size = 3MB" }));
  const [{ events, mostOutOfService }, up] = await nodesDuring(engine, tryUp);

  expect(up.exitCode).not.toBe(0);
  const instance = (await regionOf(engine).resources({ type: "Instance" })).find(
    ({ attributes }) => attributes["privateIp"] === "192.168.1.11",
  )!;
  expect(errors(up).join("\n")).toContain(
    `node 1 (${instance.id}) did not become ready within 60 s: its parameter ` +
      "/emqx/emqx-aws/local/emqx-nodes/nodes/1/ready says",
  );
  expect(errors(up).join("\n")).toContain(`aws ec2 get-console-output --latest --instance-id ${instance.id}`);
  expect(up.stdout).not.toMatch(/^\s+at /m);
  expect(events.filter((event) => /^2/.test(event))).toEqual([]);
  expect(events.filter((event) => /ready$/.test(event))).toEqual(["0 ready"]);
  expect(mostOutOfService).toBe(1);
  expect(await regionOf(engine).console(instance.id)).toContain("told not to come up");
});

test("… and `up` with the setting changed back repairs it", async () => {
  await regionOf(engine).failBoot(1, false);
  stack.configure(settings({ extraConfig: "mqtt.max_packet_size = 2MB" }));
  const [{ events, mostOutOfService }, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)).toEqual({
    replace: [0, 1]
      .flatMap((n) => [
        `Attachment emqx-nodes-${n}-lb-0`,
        `Instance emqx-nodes-${n}`,
        `VolumeAttachment emqx-nodes-${n}-data`,
      ])
      .sort(),
  });
  expect(events.filter((event) => /ready$/.test(event))).toEqual(["0 ready", "1 ready"]);
  expect(mostOutOfService).toBe(1);
  expect((await stack.up()).changes).toEqual([]);
});
