/** A secret of EMQX's configuration on its way through everything: it is where it belongs, and nowhere else. And rules of what clients may do. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    anonymousAccess: true,
    acl: { rules: [{ permission: "allow", topics: ["first-acl/#"] }] },
    access: { egress: [{ port: 5432, cidrBlock: "10.20.0.0/16", description: "PostgreSQL" }] },
    extraConfig: `authentication = [{
  mechanism = password_based, backend = postgresql
  server = "10.20.0.5:5432", database = mqtt, username = emqx, query = "SELECT password_hash FROM users"
}]`,
  });
}, obtainTimeout);
afterAll(() => world?.end());

const set = (path: string, value: string, ...flags: string[]) =>
  runPulumi(
    world.session,
    ["config", "set", "--stack", "local", ...flags, "--path", `emqx-aws:${path}`, value],
    { capture: "all" },
  );
const keep = (secret: string) => set('secretConfig["authentication.1.password"]', secret, "--secret");

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
    /^node\.cookie = "\w+"\nauthentication\.1\.password = "Kx7-first-of-two-b31"\n$/,
  );
  expect(filesWith('{allow, all, all, ["first-acl/#"]}.', ...disks())).toEqual([
    expect.stringMatching(/\/etc\/emqx-node\/acl\.conf$/),
  ]);
  // The region's own memory is the account: the parameter is in there, and only there.
  const project = world.session.surroundings.project;
  const region = world.session.surroundings.region;
  expect(filesWith(first, project).filter((file) => !file.startsWith(region))).toEqual([]);
  expect(world.said).not.toContain(first);
});

test("changed ones are taken up while EMQX runs", async () => {
  const before = world.instance(0);
  expect((await keep(second)).exitCode).toBe(0);
  expect((await set("acl.rules[0].topics[0]", "second-acl/#")).exitCode).toBe(0);
  await world.pulumi("up");
  expect(world.instance(0)).toBe(before);
  expect(filesWith(first, ...disks())).toEqual([]);
  expect(filesWith(second, ...disks())).toEqual([expect.stringMatching(/\/etc\/emqx-node\/secret\.conf$/)]);
  expect(filesWith("first-acl", ...disks())).toEqual([]);
  expect(filesWith("second-acl", ...disks())).toEqual([
    expect.stringMatching(/\/etc\/emqx-node\/acl\.conf$/),
  ]);
});
