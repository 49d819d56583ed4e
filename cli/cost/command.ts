import type { CommandShape } from "../command";
import { forMachines, option } from "../command";

export const costCommand: CommandShape = {
  name: "cost",
  description: "what a stack costs in a month, before traffic; without --stack, all stacks side by side",
  options: [option("-s, --stack <name>", "the stack")],
  json: forMachines,
  run: async ({ surroundings }, { stack }: { stack?: string }) =>
    (await import("./run")).runCost(surroundings.project, stack),
};
