/**
 * Waiting for a node: it reports into parameters of its own what has become of it. Its instance id, once it serves and has
 * joined its peers, or why its boot has failed; the versions of its secrets, once it has taken them up.
 */
import * as pulumi from "@pulumi/pulumi";
import type * as ec2 from "@pulumi/aws/ec2";
import { getParameter } from "@pulumi/aws/ssm";
import { retrySeconds } from "../emqx/configuration";
import { withFixedMessage } from "../shared/problems";
import { bootFailure, obstacle, type Obstacle } from "./reports";

/** A report that is waited for. */
export interface ReportArgs {
  nodeName: string;
  parameterName: string;
  timeoutSeconds: number;
  instance: ec2.Instance;
  /** The waits for the nodes of the same cluster. */
  waits: Waits;
  /** What the wait is for, after "waiting for node 0": "to be ready". */
  goal: string;
  /** Whether a report is what is waited for. */
  fits: (reported: string, expected: string) => boolean;
  /** What did not happen, after "node 0": "did not become ready"; what that leaves; and what to do. */
  failure: { happened: string; consequence: string; remedy: (instanceId: string, urn: string) => string };
}

/** Polls come quickly at first, because an unchanged node answers at once, and then every five seconds. */
const pollSeconds = [0.25, 0.5, 1, 2, 5];
/** AWS is not consistent at once: a parameter or a permission of a moment ago may not be seen yet. */
const obstaclePatienceSeconds = 15;
/** The provider itself tries a request again for minutes before it says anything. */
const answerSeconds = 30;
/**
 * A failure that was there when the wait began is of a try before it, perhaps before its cause was mended: the next try writes
 * another report, by then.
 */
const nextTrySeconds = retrySeconds + 30;
/** When a node has failed, the others that are waited for may still say what became of them. */
const lastWordSeconds = 5;

/** What waits for the nodes of one cluster know of each other: when one has failed, the others need not run to their end. */
export class Waits {
  /** Rejects when a wait has failed. */
  readonly failure: Promise<never>;
  private reject!: (error: Error) => void;
  private first: { nodeName: string; at: number } | undefined;

  constructor() {
    this.failure = new Promise<never>((_, reject) => (this.reject = reject));
    this.failure.catch(() => undefined);
  }

  /** When waiting ends for all, and because of which node. */
  get end(): { at: number; because: string } | undefined {
    return this.first && { at: this.first.at + lastWordSeconds * 1000, because: this.first.nodeName };
  }

  fail(nodeName: string, error: Error): void {
    this.first ??= { nodeName, at: Date.now() };
    this.reject(error);
  }
}

/**
 * Resolves once the node has reported `expected`, if it is there by then at all. Fails, naming the node and where to look,
 * as soon as the node reports that its boot has failed, when its report cannot be read, or when it does not come in time.
 * At preview there is nothing to wait for.
 */
export function whenReported(
  parent: pulumi.Resource,
  args: ReportArgs,
  expected: pulumi.Input<string>,
  after: pulumi.Input<unknown>[] = [],
): pulumi.Output<void> {
  if (pulumi.runtime.isDryRun()) {
    return pulumi.output<void>(undefined);
  }
  return pulumi
    .all([args.instance.id, args.instance.urn, expected, pulumi.all(after)])
    .apply(async ([instanceId, urn, text]) => {
      try {
        await poll(
          async () => {
            const { insecureValue, version } = await getParameter(
              { name: args.parameterName },
              { parent, async: true },
            );
            return { text: insecureValue, version };
          },
          { ...args, instanceId, urn, expected: text },
        );
      } catch (error) {
        const shown = withFixedMessage(
          new pulumi.ResourceError((error as Error).message, args.instance, true),
        );
        args.waits.fail(args.nodeName, shown);
        throw shown;
      }
    });
}

/** A report that is waited for, once its instance exists. */
export type PollArgs = ReportArgs & { instanceId: string; urn: string; expected: string };

/** What the parameter holds, and the version that AWS counts with each report; neither, where unit tests' mocks say nothing. */
export interface Report {
  text: string | undefined;
  version: number | undefined;
}

/** Asks until the report fits; throws when it cannot come any more. */
export async function poll(read: () => Promise<Report>, args: PollArgs): Promise<void> {
  const { nodeName, parameterName, instanceId, waits } = args;
  const start = Date.now();
  let obstructedSince: number | undefined;
  let firstVersion: number | undefined;
  for (let attempt = 0; ; attempt++) {
    const end = waits.end;
    const deadline = Math.min(start + args.timeoutSeconds * 1000, end?.at ?? Infinity);
    const answer = await look(read, parameterName, Math.max(1000, deadline - Date.now()));
    const seen = "message" in answer ? answer : answer.text;
    if (seen === undefined) {
      // Unit tests' mocks: a parameter of AWS has a value, and there is no node that would give it one.
      return;
    }
    let trouble = "";
    if (typeof seen === "string") {
      if (args.fits(seen, args.expected)) {
        return;
      }
      const { version } = answer as Report;
      firstVersion ??= version;
      const isOld =
        version !== undefined && version === firstVersion && Date.now() - start < nextTrySeconds * 1000;
      const reason = bootFailure(seen, instanceId);
      if (reason !== undefined) {
        if (!isOld) throw new Error(failed(args, `its boot has failed: ${reason}`));
        trouble = `; its last boot has failed, and is tried again: ${reason}`;
      }
    } else if (seen.remedy !== undefined) {
      if (obstructedSince === undefined) {
        void pulumi.log.warn(
          `${nodeName}: its parameter ${parameterName} cannot be read: ${seen.message}`,
          args.instance,
        );
      } else if (Date.now() - obstructedSince >= obstaclePatienceSeconds * 1000) {
        throw new Error(
          `${nodeName} (${instanceId}): whether it ${args.failure.happened.replace(/^did not /, "did ")} cannot be told, ` +
            `because its parameter ${parameterName} cannot be read: ${seen.message}. ${seen.remedy}`,
        );
      }
      obstructedSince ??= Date.now();
    }
    if (typeof seen === "string" || seen.remedy === undefined) {
      obstructedSince = undefined;
    }
    const now = Date.now();
    if (now >= deadline) {
      const state =
        typeof seen === "string"
          ? `its parameter ${parameterName} says "${seen}"`
          : `its parameter ${parameterName} cannot be read: ${seen.message}`;
      throw new Error(
        end && deadline === end.at
          ? `${nodeName} (${instanceId}) was not waited for any longer, because ${end.because} has failed: ${state}`
          : failed(args, state, ` within ${args.timeoutSeconds} s`),
      );
    }
    if (typeof seen !== "string") trouble = `; its report cannot be read at present: ${seen.message}`;
    void pulumi.log.info(
      `waiting for ${nodeName} ${args.goal} (${Math.round((now - start) / 1000)} s)${trouble}`,
      args.instance,
      undefined,
      true,
    );
    const pause = (pollSeconds[attempt] ?? pollSeconds.at(-1) ?? 5) * 1000;
    await sleep(Math.min(pause, deadline - now));
  }
}

/** The parameter's value, or what kept us from reading it. */
async function look(
  read: () => Promise<Report>,
  parameterName: string,
  patience: number,
): Promise<Report | Obstacle> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<Obstacle>((resolve) => {
    timer = setTimeout(() => resolve({ message: "no answer" }), Math.min(patience, answerSeconds * 1000));
  });
  try {
    return await Promise.race([read().catch((error: unknown) => obstacle(parameterName, error)), silence]);
  } finally {
    clearTimeout(timer);
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function failed({ nodeName, instanceId, urn, failure }: PollArgs, why: string, when = ""): string {
  return (
    `${nodeName} (${instanceId}) ${failure.happened}${when}: ${why}. ${failure.consequence} ` +
    `What went wrong is in its console log: aws ec2 get-console-output --latest --instance-id ${instanceId}; a shell: ` +
    `aws ssm start-session --target ${instanceId}. ${failure.remedy(instanceId, urn)}`
  );
}
