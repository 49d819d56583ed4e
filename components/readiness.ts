/**
 * Waiting for a node: it reports into parameters of its own what has become of it. Its instance id, once it serves and has
 * joined its peers; the versions of its secrets, once it has taken them up.
 */
import * as pulumi from "@pulumi/pulumi";
import type * as ec2 from "@pulumi/aws/ec2";
import { getParameter } from "@pulumi/aws/ssm";
import { withFixedMessage } from "./problems";

/** What a node's parameters hold before it first reports. */
export const notReportedYet = "never";

/** A report that is waited for. */
export interface ReportArgs {
  nodeName: string;
  parameterName: string;
  timeoutSeconds: number;
  instance: ec2.Instance;
  /** What the wait is for, after "waiting for node 0": "to be ready". */
  goal: string;
  /** Whether a report is what is waited for. */
  fits: (reported: string, expected: string) => boolean;
  /** What did not happen, after "node 0": "did not become ready", and what that leaves. */
  failure: { happened: string; consequence: string };
}

/** Polls come quickly at first, because an unchanged node answers at once, and then every five seconds. */
const pollSeconds = [0.25, 0.5, 1, 2, 5];

/** A report with exactly this text. */
export function isSame(reported: string, expected: string): boolean {
  return reported === expected;
}

/**
 * A report with all of these words. There may be more: a parameter that leaves the deployment goes only after the nodes,
 * which report it until then.
 */
export function hasAll(reported: string, expected: string): boolean {
  const words = reported.split(" ");
  return expected.split(" ").every((word) => word === "" || words.includes(word));
}

/**
 * Resolves once the node has reported `expected`, if it is there by then at all. Fails, naming the node and where to look,
 * if that does not come in time. At preview there is nothing to wait for.
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
    .all([args.instance.id, expected, pulumi.all(after)])
    .apply(([instanceId, text]) => pollUntilReported(parent, args, instanceId, text));
}

/** What to depend on so as to come after these resources and after nodes that are ready. */
export function afterReady(
  resources: pulumi.Resource[],
  ready: pulumi.Output<void>[],
): pulumi.Input<pulumi.Resource[]> {
  // The SDK searches the value of every output for unknowns, and from one resource it comes to all of the program; so
  // there is an output only where there is something to wait for.
  return pulumi.runtime.isDryRun() || ready.length === 0
    ? resources
    : pulumi.all(ready).apply(() => resources);
}

async function pollUntilReported(
  parent: pulumi.Resource,
  args: ReportArgs,
  instanceId: string,
  expected: string,
): Promise<void> {
  const start = Date.now();
  const deadline = start + args.timeoutSeconds * 1000;
  for (let attempt = 0; ; attempt++) {
    const reported = await readParameter(parent, args.parameterName);
    if (args.fits(reported, expected)) {
      return;
    }
    const pause = (pollSeconds[attempt] ?? pollSeconds.at(-1) ?? 5) * 1000;
    if (Date.now() + pause > deadline) {
      throw withFixedMessage(
        new pulumi.ResourceError(timeoutMessage(args, instanceId, reported), args.instance, true),
      );
    }
    const waited = Math.round((Date.now() - start) / 1000);
    void pulumi.log.info(
      `waiting for ${args.nodeName} ${args.goal} (${waited} s)`,
      args.instance,
      undefined,
      true,
    );
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** The parameter's value, or what kept us from reading it: throttling and short outages pass, so polling goes on. */
async function readParameter(parent: pulumi.Resource, name: string): Promise<string> {
  try {
    const { insecureValue } = await getParameter({ name }, { parent, async: true });
    return insecureValue;
  } catch (error) {
    return `unreadable: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function timeoutMessage(args: ReportArgs, instanceId: string, reported: string): string {
  const state = reported.startsWith("unreadable: ")
    ? `its parameter ${args.parameterName} is ${reported}`
    : `its parameter ${args.parameterName} says "${reported}"`;
  return (
    `${args.nodeName} (${instanceId}) ${args.failure.happened} within ${args.timeoutSeconds} s: ${state}. ` +
    `${args.failure.consequence} What went wrong is in its console log: ` +
    `aws ec2 get-console-output --latest --instance-id ${instanceId}; a shell: ` +
    `aws ssm start-session --target ${instanceId}`
  );
}
