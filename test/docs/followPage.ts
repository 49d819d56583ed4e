/** A page for operators, followed word for word in a simulated region of its own. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { obtainTimeout, prepareCli } from "../engine/harness";
import { residentPrograms } from "../run/resident";
import { readPage } from "./page";
import { Workplace } from "./workplace";

const folder = join(repositoryRoot, "docs");

/** What docs/simulated-region.md tells readers to type before they follow a page. */
const prelude = /^pulumi\(\) \{.*\}$/m;

/** Declares the test of one page; a file of its own for each, so that several are followed at once. `tools`: what a machine may not have. */
export function testPage(name: string, tools: readonly (readonly string[])[] = []): void {
  const page = readPage(relative(process.cwd(), join(folder, name)));
  residentPrograms();
  beforeAll(prepareCli, obtainTimeout);

  const missing = tools.filter((command) => !isThere(command));
  const test_ = missing.length === 0 ? test : test.skip;

  test_(
    `docs/${name} holds, command by command`,
    async () => {
      expect(page.commands.length).toBeGreaterThan(0);
      const [told] = prelude.exec(readFileSync(join(folder, "simulated-region.md"), "utf8")) ?? [];
      const workplace = new Workplace(told!);
      try {
        await workplace.follow(page);
      } finally {
        await workplace.end();
      }
    },
    900_000,
  );
}

function isThere([command = "", ...args]: readonly string[]): boolean {
  // mosquitto_pub's --help ends with 1.
  const { error, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return error === undefined && !stderr.includes("ModuleNotFoundError");
}
