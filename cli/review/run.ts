import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Answer } from "../command";
import type { Speaker } from "../console";
import { UserError } from "../console";
import type { Session } from "../local/session";
import type { Where } from "./base/compare";
import { compareWithBase, previewFromNothing } from "./base/compare";
import type { Gate } from "./gates";
import { gateExitCode, gates } from "./gates";
import { readPreview } from "./preview/read";
import { jsonOf } from "./report/json";
import { markdownOf } from "./report/markdown";
import type { Review } from "./review";
import { reviewOf } from "./review";
import { mermaidOf } from "./topology/mermaid";
import { plainTopology } from "./topology/topology";

export interface ReviewOptions {
  stack?: string;
  base?: string;
  preview?: string;
  output?: string;
  failOn?: Gate[];
}

export async function runReview(session: Session, options: ReviewOptions): Promise<Answer> {
  const review = await makeReview(whereOf(session), options);
  return {
    facts: jsonOf(review),
    text: () => markdownOf(review),
    file: options.output,
    exitCode: exitCode(review, options.failOn ?? [], session.speaker),
  };
}

function whereOf({ surroundings, env, speaker }: Session): Where {
  return { repository: surroundings.project, env, speaker };
}

async function makeReview(where: Where, { stack, base, preview }: ReviewOptions): Promise<Review> {
  if ((base === undefined) === (preview === undefined)) {
    throw new UserError("review needs one of --base <git ref> and --preview <file>");
  }
  if (preview !== undefined) {
    const text = readFileOrStdin(preview);
    const read = readPreview(text, preview);
    const urn = read.steps[0]?.urn;
    return reviewOf(read, { stack: stack ?? stackOf(urn) ?? "?", base: "what is deployed" });
  }
  if (stack === undefined) throw new UserError("review --base needs --stack <name>");
  const comparison = await compareWithBase(where, stack, base ?? "");
  return reviewOf(comparison.preview, { stack, base: comparison.base });
}

function stackOf(urn: string | undefined): string | undefined {
  return urn?.split("::")[0]?.split(":")[2];
}

function readFileOrStdin(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UserError(`--preview ${file}: ${(error as Error).message}`);
  }
}

function exitCode(review: Review, wanted: Gate[], speaker: Speaker): number {
  if (review.hasFailed) {
    speaker.say("The preview fails; the report says why.");
    return 1;
  }
  const met = wanted.filter((gate) => review.gates.includes(gate));
  met.forEach((gate) => speaker.say(`--fail-on ${gate}: ${gates[gate]}.`));
  return met.length > 0 ? gateExitCode : 0;
}

/** Writes a stack's diagram as a page that GitHub and GitLab draw. */
export async function runDiagram(
  session: Session,
  { stack, output }: { stack: string; output?: string },
): Promise<Answer> {
  const where = whereOf(session);
  const review = reviewOf(await previewFromNothing(where, stack), { stack, base: "nothing" });
  if (review.hasFailed) throw new UserError(review.messages.map(({ text }) => text).join("\n"));
  const topology = plainTopology(review.topology);
  const file = `${output ?? resolve(where.repository, "docs", `topology-${stack}`)}.md`;
  const text = `# Topology of stack ${stack}\n\n\`\`\`mermaid\n${mermaidOf(topology)}\n\`\`\``;
  return { text: () => text, file };
}
