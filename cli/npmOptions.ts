/**
 * npm keeps options that stand before `--` for itself: `npm run drill kill-node --repair` runs `drill kill-node`, and
 * what was meant is only in npm_config_repair; of `-s guide` only `guide` arrives (`-s` is npm's --silent). A command
 * that went on without its options would do something else than it was told.
 */
import type { Command } from "commander";
import { isOfNpm } from "./command";
import { UserError } from "./console";

/**
 * Pulumi's long options of the commands that hand everything on to it. Without those that npm has a use for and that an
 * .npmrc may set (color, message, yes): a command without them asks, or says the same in other colours.
 */
const pulumiOptions = (
  "stack refresh run-program target target-dependents replace target-replace exclude exclude-dependents diff json parallel " +
  "config config-file config-path show-sames show-config show-full-output show-policy-remediations show-reads show-secrets " +
  "show-replacement-steps show-urns show-ids show-name skip-preview preview-only suppress-outputs suppress-progress " +
  "suppress-permalink policy-pack policy-pack-config debug expect-no-changes continue-on-error remove exclude-protected " +
  "clear-pending-creates import-pending-creates import-file save-plan plan secrets-provider copy-config-from non-interactive " +
  "logtostderr logflow event-log cwd secret plaintext path file force"
).split(" ");

/** Refuses to go on where npm has kept options of the command. */
export function refuseTakenOptions(program: Command, words: readonly string[], env: NodeJS.ProcessEnv): void {
  if (!isOfNpm(env)) return;
  const taken = optionsOf(program, words).filter((option) => isTaken(option, env));
  if (taken.length === 0) return;
  const options = [...new Set(taken)].map((option) => `--${option}`);
  throw new UserError(
    `nothing was done: npm has kept ${options.join(" and ")} for itself, because it stood before "--". ` +
      `Type ${withDashes(env, [...words.slice(1), ...options])}, each option followed by its own value`,
    2,
  );
}

/**
 * Refuses a word that a deployment has no use for: Pulumi would take it for the name of a template to clone. It is what
 * is left of `npm run up -s guide`.
 */
export function refuseWords(command: string, words: readonly string[], env: NodeJS.ProcessEnv): void {
  const [word] = words;
  if (word === undefined) return;
  const own = env.npm_lifecycle_event === "pulumi" ? [command] : [];
  const right = isOfNpm(env)
    ? `${withDashes(env, [...own, "-s", word])}; npm keeps options that stand before "--" for itself`
    : `npx emqx-aws ${command} -s ${word}`;
  throw new UserError(
    `nothing was done: ${command} has no use for "${word}". If it is a stack, type ${right}`,
    2,
  );
}

/** Says how npm is to be told what the command could not understand. */
export function explainDashes(command: Command, env: NodeJS.ProcessEnv): void {
  if (!isOfNpm(env)) return;
  command.configureOutput({
    outputError: (text, write) =>
      write(`${text}npm keeps options that stand before "--" for itself: ${withDashes(env, ["…"])}\n`),
  });
  command.commands.forEach((sub) => explainDashes(sub, env));
}

function withDashes(env: NodeJS.ProcessEnv, rest: readonly string[]): string {
  return `npm run ${env.npm_lifecycle_event ?? "…"} -- ${rest.join(" ")}`;
}

/** npm gives `--node 1` as npm_config_node=true, `--node=1` as npm_config_node=1, and `--no-tls` as an empty npm_config_tls. */
function isTaken(option: string, env: NodeJS.ProcessEnv): boolean {
  // Abbreviations of its own options are npm's, too; a URN is no registry.
  if (option === "replace" && env.npm_config_replace_registry_host?.includes("::")) return true;
  const value = env[`npm_config_${option.replace(/^no-/, "").replaceAll("-", "_")}`];
  return value !== undefined && (option.startsWith("no-") ? value === "" : value !== "");
}

/** The long options, without their dashes, of the command that these words lead to. */
function optionsOf(program: Command, words: readonly string[]): string[] {
  let command = program;
  for (const word of words) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) break;
    command = next;
  }
  const own = command.options.flatMap(({ long }) => long?.slice(2) ?? []);
  // Who lets the Pulumi CLI read the options declares none.
  const isHandedOn = own.length === 0 && command.registeredArguments.some(({ variadic }) => variadic);
  return isHandedOn ? pulumiOptions : own;
}
