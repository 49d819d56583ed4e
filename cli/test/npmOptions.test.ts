/** What npm makes of options that stand before `--`, by npm itself: no command may go on without what it was told. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { programOf } from "../command";
import { commands } from "../commands";
import { refuseTakenOptions } from "../npmOptions";
import { surroundingsOf } from "../local/surroundings";

const session = {
  surroundings: surroundingsOf("/nowhere"),
  env: {},
  speaker: { say: () => {}, progress: () => {} },
};

const program = () => programOf(commands, session);

/** Every command with every long option that it declares, and how it is typed. */
function declared(command: Command, words: string[] = []): [string[], string, string][] {
  const own = command.options.flatMap(({ long, required }): [string[], string, string][] =>
    long ? [[words, long, required ? `${long}=x` : long]] : [],
  );
  return [...own, ...command.commands.flatMap((sub) => declared(sub, [...words, sub.name()]))];
}

const folder = mkdtempSync(join(tmpdir(), "emqx-aws-npm-"));
writeFileSync(join(folder, "print.js"), "console.log(JSON.stringify(process.env))");
writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts: { print: "node print.js" } }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The environment that npm makes for `npm run x <options>`. */
function environmentOf(options: string[]): NodeJS.ProcessEnv {
  const printed = execFileSync("npm", ["run", "-s", "print", ...options], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(printed) as NodeJS.ProcessEnv;
}

const all = declared(program());
const typed = [...new Set(all.map(([, , option]) => option))].filter((option) => !option.startsWith("--no-"));
let env: NodeJS.ProcessEnv;
let quiet: NodeJS.ProcessEnv;
let pulumis: NodeJS.ProcessEnv;
const ofPulumi = ["--refresh", "--skip-preview", "--target", "--stack", "--json"];
beforeAll(() => {
  quiet = environmentOf([]);
  // One call of npm for all of them: they do not get into each other's way.
  env = environmentOf(typed);
  pulumis = environmentOf(ofPulumi);
}, 60_000);

test("there are commands with options", () => {
  expect(all.length).toBeGreaterThan(60);
});

// npm reads `--days 5` as -d -a -y -s and a word: one too many for the command.
test.each(all.filter(([, long]) => !/^--(no-.*|days)$/.test(long)))("%j %s is missed", (words, long) => {
  const only = { ...quiet, npm_lifecycle_event: words[0], ...picked(long) };
  expect(() => refuseTakenOptions(program(), words, quiet)).not.toThrow();
  expect(() => refuseTakenOptions(program(), words, only)).toThrow(
    `npm has kept ${long} for itself, because it stood before "--". Type npm run ${words[0]} -- `,
  );
});

function picked(long: string, from = env): NodeJS.ProcessEnv {
  const name = `npm_config_${long.slice(2).replaceAll("-", "_")}`;
  expect(from[name]).toMatch(/^(true|x)$/);
  return { [name]: from[name] };
}

test.each(ofPulumi)("pulumi's %s too", (long) => {
  const taken = { ...quiet, ...picked(long, pulumis) };
  for (const words of [["up"], ["preview"], ["refresh"], ["down"], ["pulumi", "destroy"]]) {
    expect(() => refuseTakenOptions(program(), words, taken)).toThrow(`npm has kept ${long} for itself`);
  }
});

test("pulumi's --replace, which npm takes for its own --replace-registry-host", () => {
  const taken = environmentOf(["--replace", "**Instance::emqx-nodes-1"]);
  expect(() => refuseTakenOptions(program(), ["up"], taken)).toThrow("npm has kept --replace for itself");
});

test("an option in its negative", () => {
  const taken = environmentOf(["--no-tls"]);
  expect(() => refuseTakenOptions(program(), ["size"], taken)).toThrow("npm has kept --no-tls for itself");
});
