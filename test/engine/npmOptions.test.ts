/** Options that npm took for itself, on its way through the literal command line; which they can be: cli/test/npmOptions.test.ts. */
import { execFile } from "node:child_process";
import { repositoryRoot } from "@emqx-aws/cli/repository";

/** `npm run …` as somebody types it who does not know of `--`. */
function run(...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile("npm", ["run", ...args], { cwd: repositoryRoot, encoding: "utf8" }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), said: `${stdout}\n${stderr}` }),
    );
  });
}

test.each([
  [["up", "-s", "guide"], 'up has no use for "guide". If it is a stack, type npm run up -- -s guide'],
  [["down", "-s", "guide"], 'down has no use for "guide". If it is a stack, type npm run down -- -s guide'],
  [["pulumi", "destroy", "-s", "guide"], "type npm run pulumi -- destroy -s guide"],
  [["drill", "kill-node", "--repair"], "Type npm run drill -- kill-node --repair"],
  [
    ["drill", "kill-node", "--node", "1"],
    "Type npm run drill -- kill-node 1 --node, each option followed by its own",
  ],
  [["drill", "kill-node", "-n", "1"], "npm run drill -- …"],
  [["region", "renew-certificate", "arn", "--days", "5"], "npm run region -- …"],
  [["smoke", "-s", "guide"], "npm run smoke -- …"],
  [["node", "0", "restore", "latest", "-s", "guide"], "npm run node -- 0 restore -s <stack>"],
])(
  "npm run %j ends before anything is done",
  async (args, says) => {
    const { code, said } = await run(...args);
    expect(said).toContain(says);
    expect(code).not.toBe(0);
  },
  60_000,
);
