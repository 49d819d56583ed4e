/** A machine whose volume is attached two minutes late. */
import { setTimeout as sleep } from "node:timers/promises";
import { Machine, sh, step } from "./machine";

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.create();
});
afterAll(() => machine?.dispose());

step("no volume: the node waits, and says so", async () => {
  machine.start({ withVolume: false });
  await machine.hears(/waiting for the data volume/);
  await sleep(120_000);
  expect(machine.console()).not.toMatch(/FAILED|mounting/);
});

step("volume two minutes late: it is formatted, the node is ready, EMQX's data is on it", async () => {
  await machine.attachVolume();
  await machine.isReady();
  await machine.pressPowerButton();
  machine.cleanVolume();
  machine.within("data", (at) => expect(sh(`ls ${at}`)).toContain("light.json"));
  // Below the mount point
  machine.within("root", (at) => expect(sh(`ls -A ${at}/var/lib/emqx`)).not.toContain("light.json"));
});
