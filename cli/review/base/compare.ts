import { existsSync } from "node:fs";
import { join } from "node:path";
import { ownSettings, parseSettings, settingsRefusal } from "../../../stacks/settings";
import type { Speaker } from "../../console";
import { during } from "../../console";
import { configOf } from "../../cost/stackResources";
import type { Preview } from "../preview/read";
import { readPreview } from "../preview/read";
import { Redaction } from "../preview/secrets";
import type { Project, StackSettings } from "./stackSettings";
import { findStack, stackIn } from "./stackSettings";
import { createStack, deploy, generatedSecrets, preview, withThrowaway } from "./throwaway";
import type { Revision } from "./worktree";
import { findRevision, withWorktree } from "./worktree";

interface Comparison {
  preview: Preview;
  /** What the change is compared with, in words. */
  base: string;
}

export interface Where {
  repository: string;
  env: NodeJS.ProcessEnv;
  speaker: Speaker;
}

/**
 * What the repository's files, as they are now, would change in a deployment of the base revision. Needs no cloud: the
 * base is deployed into a simulated region, and the engine previews the present files against that.
 */
export async function compareWithBase(where: Where, stack: string, ref: string): Promise<Comparison> {
  const { repository, env, speaker } = where;
  const revision = await findRevision(repository, ref);
  const head = stackIn(repository, stack);
  const refusal = refusalOf(head.project, stack, head.settings);
  if (refusal) return { preview: refusal, base: revision.label };
  return withThrowaway(env, speaker, async (throwaway) => {
    const created = createStack(throwaway, head.project, stack);
    const folder = join(throwaway.folder, "base");
    const checkedOut = withWorktree(repository, revision, folder, speaker, async (worktree) => {
      await created;
      const base = findStack(worktree, stack);
      if (!base || base.project.name !== head.project.name) return false;
      await during(
        speaker,
        `Deploying ${revision.label} into a simulated region`,
        deploy(throwaway, base.project, stack, base.settings),
      );
      return true;
    });
    const [isDeployed] = await Promise.all([checkedOut, created]);
    const [{ text, hasFailed }, generated] = await Promise.all([
      during(
        speaker,
        "Previewing the present files against it",
        preview(throwaway, head.project, stack, head.settings),
      ),
      isDeployed ? generatedSecrets(throwaway, head.project, stack) : [],
    ]);
    const secrets = [...generated, ...head.settings.placeholders];
    return {
      preview: readPreview(text, "pulumi preview", { secrets, hasFailed }),
      base: baseLabel(revision, isDeployed, stack),
    };
  });
}

/** What the program would refuse in any case, found out without a region: minutes earlier. */
function refusalOf(project: Project, stack: string, settings: StackSettings): Preview | undefined {
  const isOwn = project.name === "emqx-aws" && existsSync(join(project.folder, "stacks", "settings.ts"));
  // What stands for a secret need not have its form.
  if (!isOwn || settings.placeholders.length > 0) return undefined;
  const { problems } = parseSettings("emqx", ownSettings(configOf(settings), project.name), settings.region);
  return problems.length === 0
    ? undefined
    : {
        steps: [],
        messages: [{ severity: "error", text: settingsRefusal(stack, problems) }],
        isWhole: true,
        redaction: new Redaction(),
      };
}

/** What the stack consists of when it is deployed for the first time. */
export async function previewFromNothing(
  { repository, env, speaker }: Where,
  stack: string,
): Promise<Preview> {
  const head = stackIn(repository, stack);
  return withThrowaway(env, speaker, async (throwaway) => {
    await createStack(throwaway, head.project, stack);
    const { text, hasFailed } = await during(
      speaker,
      `Previewing stack ${stack}`,
      preview(throwaway, head.project, stack, head.settings),
    );
    return readPreview(text, "pulumi preview", { secrets: head.settings.placeholders, hasFailed });
  });
}

function baseLabel({ label }: Revision, isDeployed: boolean, stack: string): string {
  return isDeployed ? label : `${label}, which has no stack ${stack}`;
}
