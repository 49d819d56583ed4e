/** The repository's command line: the literal Pulumi CLI in a simulated region, and what belongs to it. */
import { commandLine } from "./commandLine";
import { reportError, speaker } from "./console";
import { addCostCommand } from "./cost/command";
import { surroundingsOf } from "./local/surroundings";
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

program.parseAsync().catch((error: unknown) => {
  process.exitCode = reportError(error);
});
