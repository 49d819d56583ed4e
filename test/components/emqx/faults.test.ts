/**
 * The world around the scripts goes wrong: every outside call of a boot, of "join", of "sync" with all there can be to do, of
 * "drain", "backup" and "restore", as a run in which all goes well makes them, and every way for it to go wrong. What must hold
 * then is said once, in `check`. All pairs take hours of a core: FAULTS=all runs them, FAULTS=<words> those whose name
 * contains the words, otherwise a sample is drawn (docs/testing.md).
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { backupCalendar, backupParameterText } from "../../../components/backup/plan";
import { renderUserData } from "../../../components/emqx/userData";
import type { Disturbance } from "@emqx-aws/simulator/machine/bash/outside";
import { licenseKeyOf } from "../../licenseKey";
import { nodeArgs } from "./arguments";
import { instanceId, Machine, type Run, secrets } from "./machine";

const ways = [
  // It exits as the program does when it cannot, each time.
  "fails",
  "hangs",
  // It exits with 0 and has said and done nothing.
  "does nothing",
  "is late",
  // Half of its words, and the exit code of a failure.
  "is cut",
  // From this call on there is no room on any disk.
  "disk full",
  // SIGTERM to all processes of the run, SIGKILL before the call has done anything and after, and the power.
  "terminated",
  "killed",
  "killed after",
  "power cut",
  // Another run of the same begins meanwhile.
  "twice",
] as const;
type Way = (typeof ways)[number];
const sudden: Way[] = ["killed", "killed after", "power cut"];

const newSecrets = [
  "Dashboard-Secret-2",
  "Mqtt-Secret-2",
  licenseKeyOf("20260202"),
  "Config-Secret-2",
  "Key-Secret-2",
];
const extraConfig = 'connectors.http.hook { url = "http://10.0.0.9" }';
const secretConfig = (secret: string) => `connectors.http.hook.headers.authorization = "${secret}"\n`;
const certificate = (secret: string) =>
  `-----BEGIN CERTIFICATE-----\nof ${secret.slice(-1)}\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n${secret}\n`;
const authorities = (n: number) => `-----BEGIN CERTIFICATE-----\nauthority ${n}\n-----END CERTIFICATE-----\n`;
const plan = backupParameterText("emqx-backup-1", backupCalendar(6));
const secretFiles = /\/etc\/emqx-node\/(secrets\.env|secret\.conf|tls\.pem|mqtt-users\.csv|license\.key)$/;
/** Programs that only look at or write this machine's files, and wait for nobody. */
const local = /^(chown|stat|sync|sleep|bash) /;

interface Life {
  name: string;
  /** Seconds that the run may take, a call's last five seconds and its report included. */
  bound: number;
  /** An operation with its arguments; nothing is a boot. */
  run: string[];
  prepare(machine: Machine): Promise<void>;
}

const succeed = async (run: Promise<Run>) => expect(await run).toMatchObject({ code: 0 });
const withBackups = async (machine: Machine) => {
  await succeed(machine.boot());
  machine.change("backup", plan);
  await succeed(machine.operate("sync"));
};
const lives: Life[] = [
  {
    name: "boot",
    bound: 400,
    run: [],
    prepare: async (machine) => rmSync(machine.root.at("/etc/emqx-node/operations"), { recursive: true }),
  },
  {
    name: "join",
    bound: 400,
    run: ["join"],
    async prepare(machine) {
      await succeed(machine.boot());
      machine.members(["192.168.0.10", "192.168.0.11"], 4, ["emqx-1883"]);
    },
  },
  {
    name: "sync",
    bound: 660,
    run: ["sync"],
    async prepare(machine) {
      await succeed(machine.boot());
      machine.members(["192.168.0.10", "192.168.0.11"], 9);
      machine.cluster.stopped = ["emqx@192.168.0.12"];
      machine.change("monitoring", '{"node": "{NODE_NAME}"}');
      machine.change("backup", plan);
      ["dashboard-password", "mqtt-password", "license-key"].forEach((name, n) =>
        machine.change(name, newSecrets[n]!),
      );
      machine.change("secret-config", secretConfig(newSecrets[3]!));
      machine.change("node-certificate", certificate(newSecrets[4]!));
      machine.change("client-authorities", authorities(2));
      machine.change("nodes/0/ready", "never");
      machine.emqx!.startEvacuation({ waitHealthCheck: 1, waitTakeover: 1 });
      machine.write("var/lib/emqx/emqx-node.evacuating", "");
      machine.write("run/emqx-node.closed", "");
    },
  },
  {
    name: "drain",
    bound: 200,
    run: ["drain"],
    async prepare(machine) {
      await succeed(machine.boot());
      machine.members(["192.168.0.11"], 10, ["emqx-1883"]);
    },
  },
  { name: "backup", bound: 1830, run: ["backup"], prepare: withBackups },
  {
    name: "restore",
    bound: 1860,
    run: ["restore", "latest"],
    async prepare(machine) {
      await withBackups(machine);
      await succeed(machine.operate("backup"));
    },
  },
];

function failure(program: string): Disturbance["how"] {
  const words = {
    aws: "\nAn error occurred (InternalServerError) when calling it",
    curl: "curl: (7) Failed to connect",
  };
  return {
    fail: { aws: 254, curl: 7 }[program] ?? 1,
    words: { ...words }[program as "aws"] ?? `${program}: cannot`,
  };
}

describe.each(lives)("$name", (life) => {
  let original: Machine;
  let golden: { files: Record<string, string>; state: object };
  let once: Record<string, string>;
  /** Calls of a run in which all goes well: which, how often before, and whether they say anything. */
  let sites: { call: string; nth: number; speaks: boolean }[];

  /** Lists of versions are in no order. */
  const filesOf = (machine: Machine) =>
    Object.fromEntries(
      Object.entries(machine.files()).map(([name, text]) => [
        name,
        /\/(seen|emqx-node\.applied)$/.test(name) ? text.split("\n").sort().join("\n") : text,
      ]),
    );

  /** What it is all for, outside the machine's disk. */
  const state = (machine: Machine) => ({
    ready: machine.readParameter("nodes/0/ready"),
    applied: machine.readParameter("nodes/0/applied"),
    passwords: [secrets.dashboardPassword, newSecrets[0]!].map((password) => machine.emqx?.logsIn(password)),
    stored: [...machine.role.objects.keys()],
    evacuates: machine.emqx?.evacuationStatus().status,
    formatted: [...machine.formatted],
  });

  /** Lets one site, and that call from then on, go wrong. */
  function spoil(
    machine: Machine,
    { call, nth }: (typeof sites)[number],
    way: Way,
    process: () => ReturnType<Machine["start"]>,
  ) {
    const twin: Promise<unknown>[] = [];
    let seen = 0;
    machine.fault = (site) => {
      if (site !== call || seen++ < nth) return undefined;
      switch (way) {
        case "fails":
          return failure(call.split(" ")[0]!);
        case "hangs":
          return "hang";
        case "does nothing":
          return "nothing";
        case "is late":
          return { late: 5 };
        case "is cut":
          return async (_call, act) => {
            const { out = "", err } = await act();
            return { code: 1, out: out.slice(0, out.length / 2), err };
          };
        case "disk full":
          return async (_call, act) => {
            execFileSync("prlimit", ["--pid", String(process().pid()), "--fsize=0:unlimited"]);
            return act();
          };
        case "twice":
          return (_call, act) => {
            if (twin.length === 0) twin.push(machine.start(life.run).done);
            return act();
          };
        case "terminated":
        case "killed":
        case "killed after":
        case "power cut":
        default:
          return async (_call, act) => {
            const answer = way === "killed after" ? await act() : {};
            process().signal(way === "terminated" ? "SIGTERM" : "SIGKILL");
            return { ...answer, code: 143 };
          };
      }
    };
    return twin;
  }

  beforeAll(async () => {
    const args = nodeArgs({
      readinessTimeoutSeconds: 120,
      version: "6.2.3",
      hasLicense: true,
      hasSecretConfig: true,
      listeners: { ws: false, ssl: true },
      tls: { clientCertificates: true, commonNames: false },
      extraConfig,
    });
    original = Machine.of(renderUserData(args), args.parameterPrefix);
    original.parameter("secret-config", secretConfig("Config-Secret-1"));
    original.parameter("node-certificate", certificate("Key-Secret-1"));
    original.parameter("client-authorities", authorities(1));
    // A write that finds no room is to fail, not to kill.
    original.root.write("/bin/.prelude", `${original.root.read("/bin/.prelude")}trap '' XFSZ\n`);
    await life.prepare(original);
    const machine = await original.copy();
    const met = new Map<string, number>();
    sites = [];
    machine.fault = (call) => async (given, act) => {
      const answer = await act();
      const nth = met.get(call) ?? 0;
      met.set(call, nth + 1);
      if (!local.test(call)) expect([call, given.limit]).toEqual([call, expect.any(Number)]);
      if (!call.startsWith("sleep ")) sites.push({ call, nth, speaks: (answer.out ?? "") !== "" });
      return answer;
    };
    const go = () => succeed(machine.operate(...life.run));
    await go();
    once = machine.files();
    machine.fault = undefined;
    // What it leaves for its next minute.
    if (life.name === "sync") await go();
    golden = { files: filesOf(machine), state: state(machine) };
    await machine.dispose();
  });
  afterAll(() => original.dispose());

  async function check(site: (typeof sites)[number], way: Way): Promise<void> {
    let machine = await original.copy();
    try {
      const before = machine.files();
      const [uptime, now] = [machine.uptime(), Date.now()];
      // eslint-disable-next-line prefer-const -- the fault needs the process, which meets the fault
      let started: ReturnType<Machine["start"]>;
      const twin = spoil(machine, site, way, () => started);
      const { run, process } = machine.begin(life.run);
      started = process;
      const { code, console, calls } = await run;
      await Promise.all(twin);
      machine.fault = undefined;

      // No run goes beyond its bound, by the machine's time without this computer's.
      expect(machine.uptime() - uptime - (Date.now() - now) / 1000).toBeLessThanOrEqual(life.bound);
      // What is not done is not reported as done.
      const reached = state(machine);
      if (code === 0 && life.name !== "drain") expect(reached).toEqual(golden.state);
      if (life.name === "boot" && code !== 0 && !sudden.includes(way) && way !== "twice")
        expect(way === "terminated" ? "" : reached.ready).not.toBe(instanceId);
      if (life.name === "backup" && /exporting EMQX/.test(console) && way !== "twice") {
        const told = calls
          .filter((call) => call.startsWith("aws cloudwatch put-metric-data"))
          .map((call) => call.slice(-1));
        if (!sudden.includes(way))
          expect(told).toEqual([reached.stored.length > 0 && code === 0 ? "0" : expect.any(String)]);
        if (told.includes("0")) expect(reached.stored).toHaveLength(1);
      }
      // A failure names step and reason.
      if (code !== 0 && !sudden.includes(way))
        expect(console).toMatch(/NODE 0 (FAILED while .+: \S|was stopped while \S)|nothing done: another/);

      // Each line of each file stood there before, or stands there after a run that goes well; secrets are where they belong.
      const files = machine.files();
      for (const [name, text] of Object.entries(files)) {
        if (![...sudden, "terminated"].includes(way)) expect(name).not.toMatch(/\.new$/);
        const known = [before[name], once[name], golden.files[name]]
          .filter((each) => each !== undefined)
          .join("\n")
          .split("\n");
        const strange = text.split("\n").filter((line) => !known.includes(line));
        if (known.length > 1 && !/\.new$/.test(name))
          expect({ name, strange }).toEqual({ name, strange: [] });
      }
      for (const secret of [...Object.values(secrets), "Config-Secret-1", "Key-Secret-1", ...newSecrets]) {
        const places = Object.keys(files).filter(
          (name) => files[name]!.includes(secret) && !/\.new$/.test(name),
        );
        expect(places.filter((name) => !secretFiles.test(name))).toEqual([]);
        expect(`${console}${calls.join("\n")}`).not.toContain(secret);
      }
      const left = () =>
        readdirSync(machine.root.at("/run")).filter((name) => /^emqx-node\.(\d+|password)$/.test(name));
      if (!sudden.includes(way)) expect(left()).toEqual([]);

      // The next run heals.
      if (way === "power cut") {
        const next = await machine.copy(true);
        await machine.dispose();
        machine = next;
        await succeed(machine.boot());
      }
      for (let n = 0; n < (life.name === "sync" ? 2 : 1); n++) await succeed(machine.operate(...life.run));
      expect(left()).toEqual([]);
      expect(Object.keys(machine.files()).filter((name) => /\.new$/.test(name))).toEqual([]);
      if (life.name !== "drain") expect(state(machine)).toEqual(golden.state);
      // A boot writes the newest secrets into the files that EMQX starts with.
      if (life.name !== "drain" && (way !== "power cut" || life.run.length === 0))
        expect(filesOf(machine)).toEqual(golden.files);
    } catch (error) {
      (error as Error).message =
        `${life.name}: ${way}: ${site.call} (${site.nth})\n${(error as Error).message}`;
      throw error;
    } finally {
      await machine.dispose();
    }
  }

  test("whatever call goes wrong, and however", async () => {
    const hasLimits = spawnSync("prlimit", ["--version"]).error === undefined;
    const pairs = sites.flatMap((site) =>
      ways
        .filter((way) => way !== "disk full" || hasLimits)
        // Of a call without words, success is all there is to see; what waits for nobody does not hang.
        .filter((way) => !["does nothing", "is cut"].includes(way) || site.speaks)
        .filter((way) => !["hangs", "is late"].includes(way) || !local.test(`${site.call} `))
        .map((way) => ({ site, way })),
    );
    const wanted = process.env["FAULTS"];
    const chosen =
      wanted === undefined
        ? sample(pairs, Number(process.env["FAULT_COUNT"] ?? 3))
        : pairs.filter(
            ({ site, way }) => wanted === "all" || `${life.name}: ${way}: ${site.call}`.includes(wanted),
          );
    const problems: string[] = [];
    for (const { site, way } of chosen)
      await check(site, way).catch((error: Error) => problems.push(error.message));
    expect(problems).toEqual([]);
  }, 14_400_000);
});

/** As evenly as can be, from a beginning that FAULT_SEED moves. */
function sample<T>(items: T[], count: number): T[] {
  const seed = Number(process.env["FAULT_SEED"] ?? 1);
  return Array.from(
    { length: count },
    (_, n) => items[Math.floor(((n + ((seed * 0.618) % 1)) * items.length) / count)]!,
  );
}
