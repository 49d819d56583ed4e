/** docs/simulated-region.md lists the functions that a program may call in the region. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { invokes } from "@emqx-aws/simulator/services";

test("the functions of the region are those that its page lists", () => {
  const page = readFileSync(join(repositoryRoot, "docs/simulated-region.md"), "utf8");
  const [listed = ""] = /may call are the functions [^.]*/.exec(page) ?? [];
  const names = [...invokes.keys()].map((token) => token.split(":").at(-1));
  expect([...listed.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(names.sort());
});
