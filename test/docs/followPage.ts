/** A page for operators, followed word for word in a simulated region of its own. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { repositoryRoot } from "../../cli/repository";
import { obtainTimeout, prepareCli } from "../engine/harness";
import { readPage } from "./page";
import { Workplace } from "./workplace";

const folder = join(repositoryRoot, "docs");

/** What docs/simulated-region.md tells readers to type before they follow a page. */
const prelude = /^pulumi\(\) \{.*\}$/m;

/** Declares the test of one page; a file of its own for each, so that several are followed at once. */
export function testPage(name: string): void {
  const page = readPage(relative(process.cwd(), join(folder, name)));
  beforeAll(prepareCli, obtainTimeout);

  test(`docs/${name} holds, command by command`, async () => {
    expect(page.commands.length).toBeGreaterThan(0);
    const [told] = prelude.exec(readFileSync(join(folder, "simulated-region.md"), "utf8")) ?? [];
    const workplace = new Workplace(told!);
    try {
      await workplace.follow(page);
    } finally {
      await workplace.end();
    }
  }, 900_000);
}
