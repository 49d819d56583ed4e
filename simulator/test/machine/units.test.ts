/** The simulated systemd, by unit files as nodes have them. */
import { UnitFile, spanSeconds } from "../../machine/bash/unitFile";

import { TestSystem } from "./system";
import { eventually } from "../../../test/waiting";

let system: TestSystem;
beforeEach(() => (system = new TestSystem()));
afterEach(() => system.dispose());

const script = (name: string, text: string) => system.root.write(`/opt/${name}`, text, 0o755);
const oneshot = (command: string, more = "") => `[Service]\nType=oneshot\nExecStart=${command}\n${more}`;
/** A script with its service, and the timer that is switched on for it. */
async function timed(name: string, text: string, when: string): Promise<void> {
  script(name, text);
  system.unit(`${name}.service`, oneshot(`/opt/${name}`));
  system.unit(`${name}.timer`, `[Timer]\n${when}\n[Install]\nWantedBy=timers.target\n`);
  await system.bash(`systemctl enable --now ${name}.timer`);
}
const runs = (word: string) => system.said.filter((line) => line === word).length;

test.each([
  ["90", 90],
  ["1min 30s", 90],
  ["2h", 7200],
  ["500ms", 0.5],
  ["infinity", Infinity],
])("a span of %s is %d seconds", (span, seconds) => expect(spanSeconds(span)).toBe(seconds));

test.each(["", "soon", "5 parsecs", "-1"])("%j is no span", (span) =>
  expect(() => spanSeconds(span)).toThrow("time span"),
);

test("an empty value forgets those before it, a drop-in adds to them", () => {
  const unit = new UnitFile("x.service", [
    "[Service]\nExecStop=a\nExecStop=b\n",
    "[Service]\nExecStop=\nExecStop=c\n",
  ]);
  expect(unit.all("Service.ExecStop")).toEqual(["c"]);
});

test("systemctl waits for a oneshot's end and says that it failed", async () => {
  script("good", "sleep 60; echo done");
  script("bad", "exit 3");
  system.unit("good.service", oneshot("/opt/good"));
  system.unit("bad.service", oneshot("/opt/bad"));
  const { lines } = await system.bash(
    "systemctl start good; echo $?; systemctl start bad 2>&1 | sed 's/See.*//'; systemctl is-active good",
  );
  expect(lines).toEqual([
    "0",
    "Job for bad.service failed because the control process exited with error code.",
    "",
    "inactive",
  ]);
  expect(runs("done")).toBe(1);
});

test("a oneshot that takes longer than TimeoutStartSec is ended, and killed where it does not listen", async () => {
  script("deaf", "trap '' TERM; echo began; sleep 1000; sleep 1000");
  system.unit("deaf.service", oneshot("/opt/deaf", "TimeoutStartSec=50\nTimeoutStopSec=50\n"));
  const { code, lines } = await system.bash("systemctl start deaf");
  expect([code, lines[0]]).toEqual([1, "Job for deaf.service failed because a timeout was exceeded."]);
});

test("a timer repeats its service, does not start it twice at once, and ends when it is stopped", async () => {
  await timed("tick", "echo tick; sleep 120", "OnActiveSec=10\nOnUnitInactiveSec=10");
  await eventually("it ticks", () => runs("tick") >= 2);
  await system.bash("systemctl disable --now tick.timer; systemctl stop tick");
  const before = runs("tick");
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(runs("tick")).toBe(before);
  expect(system.units.isEnabled("tick.timer")).toBe(false);
});

test("a persistent timer makes up for what it missed, once", async () => {
  await timed("export", "echo exported", "OnCalendar=*-*-* 00/6:00:00 UTC\nPersistent=true");
  await system.units.stop("export.timer");
  system.timeOfDay = new Date("2026-01-03T00:00:00Z");
  await system.units.start("export.timer");
  await eventually("it exports", () => runs("exported") === 1);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(runs("exported")).toBe(1);
});

test("what starts after another unit stops before it, and within its time", async () => {
  for (const name of ["first", "second"]) script(name, `[[ $1 == stop ]] && sleep 20; echo "$1 ${name}"`);
  const remain = (name: string, more: string) =>
    `[Unit]\n${more}\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/opt/${name} start\nExecStop=/opt/${name} stop\n[Install]\nWantedBy=multi-user.target\n`;
  system.unit("first.service", remain("first", ""));
  system.unit("second.service", remain("second", "After=first.service"));
  await system.bash("systemctl enable --now first second");
  await system.units.shutDown();
  expect(system.said.filter((line) => line.startsWith("stop"))).toEqual(["stop second", "stop first"]);
  await expect(system.units.start("first.service")).rejects.toThrow("the system is going down");
});

test("what failed is started again where it says so, until it works", async () => {
  script("try", 'echo try; [[ -e "$EMQX_NODE_ROOT/run/ok" ]] || { touch "$EMQX_NODE_ROOT/run/ok"; exit 1; }');
  system.unit("try.service", oneshot("/opt/try", "Restart=on-failure\nRestartSec=30\n"));
  expect((await system.bash("systemctl start try")).code).toBe(1);
  await eventually("it is tried again", () => runs("try") === 2);
});
