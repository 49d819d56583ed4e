/** Waiting for a node: it writes its instance id into a parameter of its own once it serves and has joined its peers. */
import * as pulumi from "@pulumi/pulumi";
import type * as ec2 from "@pulumi/aws/ec2";
import { getParameter } from "@pulumi/aws/ssm";
import { withFixedMessage } from "./problems";

/** What a readiness parameter holds before its node first reports. */
export const notReadyYet = "never";

export interface ReadinessArgs {
  nodeName: string;
  parameterName: string;
  timeoutSeconds: number;
  instance: ec2.Instance;
  /** What must be in place before the node can become ready. */
  after: pulumi.Resource[];
}

/** Polls come quickly at first, because an unchanged node answers at once, and then every five seconds. */
const pollSeconds = [0.25, 0.5, 1, 2, 5];

/**
 * Resolves once this node is ready. Fails, naming the node and where to look, if it does not get ready in time. At
 * preview there is nothing to wait for.
 */
export function whenReady(parent: pulumi.Resource, args: ReadinessArgs): pulumi.Output<void> {
  if (pulumi.runtime.isDryRun()) {
    return pulumi.output<void>(undefined);
  }
  return pulumi
    .all([args.instance.id, pulumi.all(args.after.map((resource) => resource.urn))])
    .apply(([instanceId]) => pollUntilReady(parent, args, instanceId));
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

async function pollUntilReady(
  parent: pulumi.Resource,
  args: ReadinessArgs,
  instanceId: string,
): Promise<void> {
  const start = Date.now();
  const deadline = start + args.timeoutSeconds * 1000;
  for (let attempt = 0; ; attempt++) {
    const reported = await readParameter(parent, args.parameterName);
    if (reported === instanceId) {
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
      `waiting for ${args.nodeName} to be ready (${waited} s)`,
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

function timeoutMessage(args: ReadinessArgs, instanceId: string, reported: string): string {
  const state = reported.startsWith("unreadable: ")
    ? `its parameter ${args.parameterName} is ${reported}`
    : `its parameter ${args.parameterName} says "${reported}"`;
  return (
    `${args.nodeName} (${instanceId}) did not become ready within ${args.timeoutSeconds} s: ${state}. ` +
    `The nodes after it were left as they were. What went wrong is in its console log: ` +
    `aws ec2 get-console-output --latest --instance-id ${instanceId}; a shell: ` +
    `aws ssm start-session --target ${instanceId}`
  );
}
