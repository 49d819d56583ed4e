/** Every command whose clients connect takes an account of the deployment's own authentication, by the same options. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commands } from "../commands";
import { accountOf } from "../smoke/account";
import type { Deployment } from "../smoke/deployment";
import { credentialsOf } from "../smoke/smoke";

const own = ["--username", "--password", "--password-file"];

test("smoke, drill and load take one in the same words", () => {
  const optionsOf = (name: string) =>
    commands
      .find((command) => command.name === name)!
      .options!.filter(({ long }) => own.includes(long!))
      .map(({ flags, description }) => [flags, description]);
  expect(optionsOf("smoke")).toHaveLength(own.length);
  expect(optionsOf("drill")).toEqual(optionsOf("smoke"));
  expect(optionsOf("load")).toEqual(optionsOf("smoke"));
});

test("a password comes from its file, without the line's end, and a file that is not there is told", () => {
  const folder = mkdtempSync(join(tmpdir(), "emqx-aws-account-"));
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, "s ecret\n");
  expect(accountOf({ username: "sensor", passwordFile })).toEqual({
    username: "sensor",
    password: "s ecret",
  });
  rmSync(folder, { recursive: true });
  expect(() => accountOf({ passwordFile })).toThrow(/^--password-file: ENOENT/);
});

test("the account takes the place of the built-in user", async () => {
  const deployment = {
    outputs: { mqttUsername: "mqtt", mqttPasswordParameter: "/p" },
    inside: { parameter: async () => "of SSM" },
  } as unknown as Deployment;
  expect(await credentialsOf(deployment)).toEqual({ username: "mqtt", password: "of SSM" });
  const account = { username: "sensor", password: "own" };
  expect(await credentialsOf(deployment, accountOf(account))).toEqual(account);
  expect(await credentialsOf(deployment, { password: "given" })).toEqual({
    username: "mqtt",
    password: "given",
  });
});
