/** The repository's command line: the literal Pulumi CLI in a simulated region, and what belongs to it. */
import { programOf } from "./command";
import { commands } from "./commands";
import { reportError, speaker } from "./console";
import { surroundingsOf } from "./local/surroundings";
import { explainDashes, refuseTakenOptions } from "./npmOptions";
import { repositoryRoot } from "./repository";

const session = {
  surroundings: surroundingsOf(repositoryRoot, undefined, "running"),
  env: process.env,
  speaker: speaker(),
};

async function main(): Promise<void> {
  const program = programOf(commands, session);
  explainDashes(program, session.env);
  refuseTakenOptions(program, process.argv.slice(2), session.env);
  await program.parseAsync();
}

main().catch((error: unknown) => {
  process.exitCode = reportError(error);
});
