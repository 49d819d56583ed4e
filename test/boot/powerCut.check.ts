/** A machine that loses its power in its first boot, and again in the next. */
import { setTimeout as sleep } from "node:timers/promises";
import { Machine, step } from "./machine";

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.create();
});
afterAll(() => machine?.dispose());

step("power cut: in the first boot, a second after the format began", async () => {
  machine.start();
  await machine.hears(/formatting \/dev\/nvme.*/);
  await sleep(1000);
  await machine.cutPower();
});

step("power cut: again, while dnf installs the package", async () => {
  machine.start();
  await machine.hears(/installing https.*/);
  while (!machine.outside.requests.some((request) => request.endsWith(".rpm"))) await sleep(200);
  await sleep(8000);
  await machine.cutPower();
  expect(machine.console()).not.toMatch(/FAILED|configuring/);
});

step("third boot: installs it again, the node is ready, the volume is clean", async () => {
  machine.start();
  await machine.isReady();
  expect(machine.console()).toContain("installing");
  expect(machine.console()).not.toContain("formatting");
  await machine.pressPowerButton();
  machine.cleanVolume();
});
