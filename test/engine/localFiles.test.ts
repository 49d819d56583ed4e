/** Files of the command line that are damaged: one sentence says which, and what to do. No CLI is run. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "@emqx-aws/cli/console";
import { withFileLock } from "@emqx-aws/cli/fileLock";
import { readLocks, removeDamagedLocks } from "@emqx-aws/cli/local/locks";
import { regionStatus, stopRegion } from "@emqx-aws/cli/local/regionProcess";
import {
  deployedStacks,
  hasOwnEncryption,
  readState,
  stackFile,
  stateFile,
} from "@emqx-aws/cli/local/stacks";
import { readStatus } from "@emqx-aws/cli/local/status";
import { surroundingsOf, type Surroundings } from "@emqx-aws/cli/local/surroundings";
import { newAccount } from "@emqx-aws/simulator/mocks";
import { StateError, Store } from "@emqx-aws/simulator/store";

let surroundings: Surroundings;
beforeEach(() => {
  const project = mkdtempSync(join(tmpdir(), "emqx-aws-files-"));
  surroundings = surroundingsOf(project);
  write(join(project, "Pulumi.yaml"), "name: emqx-aws\nruntime: nodejs\nstackConfigDir: stacks\n");
});
afterEach(() => rmSync(surroundings.project, { recursive: true, force: true }));

function write(file: string, text: string | undefined): void {
  mkdirSync(dirname(file), { recursive: true });
  if (text === undefined)
    mkdirSync(file); // as good as a file that may not be read, for whom nothing is forbidden
  else writeFileSync(file, text);
}

const region =
  '{"version":1,"pid":1,"port":2,"controlPort":3,"token":"t","startedAt":"2026-01-01T00:00:00Z"}';
const checkpoint = '{"version":3,"checkpoint":{"latest":{"resources":[{"urn":"u","type":"t"}]}}}';
const damages: [string, (right: string) => string | undefined][] = [
  ["empty", () => ""],
  ["cut off", (right) => right.slice(0, right.length / 2)],
  ["garbage", () => "\u0000\u0001{]"],
  ["null", () => "null"],
  ["something else", () => "[1, 2]"],
  ["not readable", () => undefined],
];
const each = damages.map(([name, damage]) => ({ name, damage }));

/** The message, which has to be for people. */
function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as Error;
    expect(message).not.toContain("\n");
    return message;
  }
  throw new Error("nothing was refused");
}

test.each(each)("a stack's state: $name", ({ damage }) => {
  const file = stateFile(surroundings, "local");
  write(file, damage(checkpoint));
  for (const read of [() => readState(surroundings, "local"), () => deployedStacks(surroundings)]) {
    expect(refusal(read)).toContain(`${file} `);
  }
  expect(refusal(() => readState(surroundings, "local"))).toContain("npm run region -- stop; rm -r");
  write(`${file}.bak`, checkpoint);
  expect(refusal(() => readState(surroundings, "local"))).toContain(`cp ${file}.bak ${file}`);
});

test.each(each)("the region's own file: $name", async ({ damage }) => {
  const file = join(surroundings.region, "region.json");
  write(file, damage(region));
  for (const ask of [regionStatus, readStatus, stopRegion]) {
    const message = await ask(surroundings).then(
      () => "",
      (error: Error) =>
        refusal(() => {
          throw error;
        }),
    );
    expect(message).toContain(file);
    expect(message).toContain(`--directory ${surroundings.region} `);
  }
});

test.each(each)("the project's file: $name", ({ damage }) => {
  const file = join(surroundings.project, "Pulumi.yaml");
  rmSync(file);
  write(file, damage("name: emqx-aws\nruntime: [nodejs\n"));
  expect(refusal(() => readState(surroundings, "local"))).toContain(`${file} `);
});

test.each(each.filter(({ name }) => !["empty", "null"].includes(name)))(
  "a stack's settings: $name",
  ({ damage }) => {
    const file = stackFile(surroundings, "local");
    write(file, damage('config: {"aws:region": eu-west-1}'));
    expect(refusal(() => hasOwnEncryption(file))).toContain(`${file} `);
  },
);

test.each(each)("a stack's lock: $name", ({ damage }) => {
  const folder = join(surroundings.backend, ".pulumi", "locks", "organization", "emqx-aws", "local");
  const file = join(folder, "a.json");
  write(file, damage('{"pid":1,"username":"x","hostname":"h","timestamp":"2026-01-01T00:00:00Z"}'));
  expect(readLocks(surroundings, "local")).toEqual([]);
  expect(removeDamagedLocks(surroundings, "local")).toEqual([file]);
  expect(existsSync(file)).toBe(false);
});

test.each(each)("a lock of the command line: $name", async ({ damage }) => {
  const file = join(surroundings.root, "region.lock");
  write(file, damage(`${process.pid} node`));
  expect(await withFileLock(file, async () => readFileSync(file, "utf8"))).toMatch(
    new RegExp(`^${process.pid} `),
  );
  expect(existsSync(file)).toBe(false);
});

test.each(
  each.flatMap(({ name, damage }) =>
    ["account.json", "account.journal"].map((file) => ({ file, name, damage })),
  ),
)("the account's $file: $name", ({ file: name, damage }) => {
  const store = new Store(newAccount(), surroundings.region);
  store.open();
  store.close();
  const file = join(surroundings.region, name);
  rmSync(file, { force: true });
  const right = '{"version":1,"seed":"s","counter":3,"resources":[{"type":"t","id":"i"}],"deleted":[]}';
  const text = damage(right);
  // An operation that was cut off was never answered, so it is none.
  write(file, name === "account.journal" && text ? `${text}\n` : text);
  if (name === "account.journal" && text === "") return;
  expect(() => new Store(newAccount(), surroundings.region).open()).toThrow(StateError);
});
