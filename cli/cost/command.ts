import type { Command } from "commander";

interface Options {
  stack?: string;
  json?: boolean;
}

/** `cost`: what stacks cost in a month. */
export function addCostCommand(program: Command, repository: string): void {
  program
    .command("cost")
    .description("what a stack costs in a month, before traffic; without --stack, all stacks side by side")
    .option("-s, --stack <name>", "the stack")
    .option("--json", "for machines")
    .action(async ({ stack, json }: Options) => {
      const { runCost } = await import("./run");
      process.stdout.write(`${await runCost(repository, stack, json ?? false)}\n`);
    });
}
