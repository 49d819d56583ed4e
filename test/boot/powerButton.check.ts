/** A machine's first boot by cloud-init, the power button with clients connected, a later boot. */
import { connectAsync, type MqttClient } from "mqtt";
import { Machine, sh, step } from "./machine";

let machine: Machine;
let uuid: string;
beforeAll(async () => {
  machine = await Machine.create({ cloudInit: true });
});
afterAll(() => machine?.dispose());

step(
  "first boot: cloud-init takes the user data, a blank volume is formatted, the node is ready",
  async () => {
    machine.start();
    await machine.isReady();
    expect(machine.console()).toMatch(/formatting \/dev\/nvme/);
    expect(machine.console()).not.toMatch(/Invalid cloud-config|WARNING/);
  },
);

step("power button: the node drains before EMQX stops, 100 clients are moved, off in time", async () => {
  const reasons: (number | undefined)[] = [];
  const options = { protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 60_000 } as const;
  const clients: MqttClient[] = [];
  // One by one: QEMU's forwarded port has room for one that waits
  while (clients.length < 100) clients.push(await connectAsync("mqtt://127.0.0.1", options));
  clients.forEach((client) => client.on("disconnect", ({ reasonCode }) => reasons.push(reasonCode)));
  await machine.pressPowerButton();
  clients.forEach((client) => client.end(true));
  expect(machine.console()).toMatch(/evacuating 100 connections/);
  expect(machine.console()).toMatch(/emqx-node: 0 connections left/);
  expect(reasons).toEqual(Array.from({ length: 100 }, () => 0x9c));
  const order = machine.journal("0 connections left|Stopped emqx.service|Unmounted var-lib-emqx.mount");
  expect(order.split("\n")).toEqual([
    expect.stringContaining("0 connections left"),
    expect.stringContaining("Stopped emqx.service"),
    expect.stringContaining("Unmounted var-lib-emqx.mount"),
  ]);
});

step("disks: the volume is clean and in fstab, secrets are root's, systemd takes all units", () => {
  uuid = machine.cleanVolume();
  machine.within("data", (at) => expect(sh(`cat ${at}/light.json`)).not.toContain("evacuation"));
  machine.within("root", (at) => {
    expect(sh(`grep ' /var/lib/emqx ' ${at}/etc/fstab`)).toContain(`UUID=${uuid}`);
    expect(sh(`stat -c %u:%a ${at}/etc/emqx-node/secrets.env`)).toBe("0:600");
  });
  expect(machine.journal("Unknown (key|section)|bad unit file|ordering cycle|Failed to start emqx")).toBe("");
});

step("later boot: nothing is formatted or installed, the node is back", async () => {
  machine.outside.requests.length = 0;
  machine.start();
  await machine.isReady();
  expect(machine.console()).not.toMatch(/formatting|installing/);
  expect(machine.outside.requests.filter((request) => request.includes(".rpm"))).toEqual([]);
  await machine.pressPowerButton();
  expect(machine.cleanVolume()).toBe(uuid);
});
