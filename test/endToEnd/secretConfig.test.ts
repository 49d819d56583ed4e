/**
 * A secret of EMQX's configuration on its way through everything: it is where it belongs, and nowhere else. Beside it users of EMQX's own, and
 * rules of what they may do.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "@emqx-aws/cli/smoke/connection";
import { runPulumi } from "@emqx-aws/cli/local/session";
import { obtainTimeout, prepareCli } from "../engine/harness";
import { World } from "./world";

const [first, second] = ["Kx7-first-of-two-b31", "Kx7-second-of-two-9d2"];
let world: World;

beforeAll(async () => {
  await prepareCli();
  world = new World({
    availabilityZones: ["eu-west-1a"],
    nodeCount: 1,
    listeners: ["Mqtts"],
    certificate: { selfSigned: {} },
    acl: { rules: [{ permission: "allow", topics: ["first-acl/#"] }] },
    users: [
      { username: "device", password: "Device-Password-1" },
      { username: "backend", password: "Backend-Password-1", superuser: true },
    ],
    secretConfigFrom: {
      "authentication.2.database": "/example/users/password",
      "authentication.2.username":
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:example/users-AbCdEf:username",
    },
    access: { egress: [{ port: 5432, cidrBlock: "10.20.0.0/16", description: "PostgreSQL" }] },
    // In lines that the CLI does not fold when it writes the stack's file.
    extraConfig: `authentication = [
{ mechanism = password_based, backend = built_in_database }
{ mechanism = password_based, backend = postgresql
server = "10.20.0.5:5432", database = mqtt, username = emqx
query = "SELECT password_hash FROM users" }
]`,
  });
}, obtainTimeout);
afterAll(async () => {
  await device?.close();
  await world?.end();
});

let device: Connection | undefined;
const log = (username: string, password: string) => world.connect({ username, password, protocolVersion: 5 });
/** What becomes of a message to a topic. */
const outcome = (connection: Connection, topic: string) =>
  connection.client.publishAsync(topic, "x", { qos: 1 }).then(
    () => "taken",
    (error: { code?: number }) => error.code,
  );

const set = (path: string, value: string, ...flags: string[]) =>
  runPulumi(
    world.session,
    ["config", "set", "--stack", "local", ...flags, "--path", `emqx-aws:${path}`, value],
    { capture: "all" },
  );
const keep = (secret: string) => set('secretConfig["authentication.2.password"]', secret, "--secret");

/** Files below the folders that hold a text. */
function filesWith(text: string, ...folders: string[]): string[] {
  try {
    return execFileSync("grep", ["-rlaF", text, ...folders], { encoding: "utf8" })
      .trim()
      .split("\n");
  } catch {
    return [];
  }
}
const disks = () =>
  readdirSync(tmpdir())
    .filter((name) => name.startsWith("emqx-region-"))
    .map((name) => join(tmpdir(), name));

test("a node has it in the file that EMQX includes; no state, log, user data or output has it", async () => {
  await runPulumi(world.session, ["stack", "select", "--create", "local"], { capture: "all" });
  expect((await keep(first)).exitCode).toBe(0);
  expect(await world.up()).toBe(0);
  const [own, ...others] = filesWith(first, ...disks());
  expect(own).toMatch(/\/etc\/emqx-node\/secret\.conf$/);
  expect(others).toEqual([]);
  expect(readFileSync(own!, "utf8")).toMatch(
    /^node\.cookie = "\w+"\nauthentication\.2\.password = "Kx7-first-of-two-b31"\n(# from .*\n){2}authentication\.2\.database = "Example-Password-1"\nauthentication\.2\.username = "emqx"\n$/,
  );
  expect(filesWith('{allow, all, all, ["first-acl/#"]}.', ...disks())).toEqual([
    expect.stringMatching(/\/etc\/emqx-node\/acl\.conf$/),
  ]);
  // The region's own memory is the account: the parameters are in there, and only there.
  const { project, region } = world.session.surroundings;
  for (const secret of [first, "Example-Password-1"]) {
    expect(filesWith(secret, project).filter((file) => !file.startsWith(region))).toEqual([]);
    expect(world.said).not.toContain(secret);
  }
  expect(world.said).toMatch(/its rules do not let it use emqx-aws\/smoke\/#.* acl: a rule such as /);
  device = await log("device", "Device-Password-1");
  expect(await Promise.all([outcome(device, "first-acl/t"), outcome(device, "second-acl/t")])).toEqual([
    "taken",
    0x87,
  ]);
  const backend = await log("backend", "Backend-Password-1");
  expect(await outcome(backend, "second-acl/t")).toBe("taken");
  await backend.close();
});

test("one that somebody else changes is taken up", async () => {
  const [id, type, value] = ["/example/users/password", "Parameter", "Example-Password-3"];
  await world.region.modify({ id, type }, { value });
  // The node's own timer may be at it.
  while (filesWith(value, ...disks()).length === 0) await world.region.operate(world.instance(0), "sync", []);
  expect(filesWith(value, ...disks())).toEqual([expect.stringMatching(/\/etc\/emqx-node\/secret\.conf$/)]);
});

test("changed ones are taken up while EMQX runs", async () => {
  const before = world.instance(0);
  expect((await keep(second)).exitCode).toBe(0);
  expect((await set("acl.rules[0].topics[0]", "second-acl/#")).exitCode).toBe(0);
  expect((await set("users[1].username", "another")).exitCode).toBe(0);
  await world.pulumi("up");
  expect(world.instance(0)).toBe(before);
  expect(filesWith(first, ...disks())).toEqual([]);
  expect(filesWith(second, ...disks())).toEqual([expect.stringMatching(/\/etc\/emqx-node\/secret\.conf$/)]);
  expect(filesWith("first-acl", ...disks())).toEqual([]);
  expect(filesWith("second-acl", ...disks())).toEqual([
    expect.stringMatching(/\/etc\/emqx-node\/acl\.conf$/),
  ]);
  // The client is still the same connection's.
  expect(await Promise.all([outcome(device!, "first-acl/t"), outcome(device!, "second-acl/t")])).toEqual([
    0x87,
    "taken",
  ]);
  await expect(log("backend", "Backend-Password-1")).rejects.toThrow();
  await (await log("another", "Backend-Password-1")).close();
});
