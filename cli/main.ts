/** The repository's command line: the literal Pulumi CLI in a simulated region, and what belongs to it. */
import { commandLine } from "./commandLine";
import { reportError, speaker } from "./console";
import { addCostCommand } from "./cost/command";
import { surroundingsOf } from "./local/surroundings";
import { explainDashes, refuseTakenOptions } from "./npmOptions";
import { repositoryRoot } from "./repository";
import { addReviewCommands } from "./review/command";
import { addSizeCommand } from "./size/command";

const session = {
  surroundings: surroundingsOf(repositoryRoot, undefined, "running"),
  env: process.env,
  speaker: speaker(),
};

const program = addReviewCommands(commandLine(session), session);
addCostCommand(program, repositoryRoot);
addSizeCommand(program);

explainDashes(program, process.env);

async function main(): Promise<void> {
  refuseTakenOptions(program, process.argv.slice(2), process.env);
  await program.parseAsync();
}

main().catch((error: unknown) => {
  process.exitCode = reportError(error);
});
