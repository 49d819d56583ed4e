/** What nodes do after their first boot, and what they need to know for it: parameters that running nodes pick up. */
import * as pulumi from "@pulumi/pulumi";
import * as ssm from "@pulumi/aws/ssm";
import { findRelease } from "../emqx/releases";
import { existing, operations, operationsParameterText } from "../emqx/operations";
import { tagged, type Tags } from "../shared/tags";

export interface NodeOperationsArgs {
  /** Path of all parameters of this cluster, without a slash at the end. */
  parameterPrefix: string;
  /** The nodes' addresses: who is not among them and has stopped is no member any more. */
  addresses: pulumi.Input<string>[];
  /** The load balancers that a node waits for before it reports itself ready. */
  loadBalancerNames: pulumi.Input<string>[];
  /** The target groups that send a node clients: it waits until it is healthy there, and no longer when it drains. */
  targetGroupArns?: pulumi.Input<string>[];
  /** Seconds that a node may take to move its clients before it stops. */
  drainSeconds: number;
  /** Versions of parameters that nodes do not ask for by their names: `<parameter>=<version> …`. */
  versions: pulumi.Input<string>;
  /** Whether some settings are kept by somebody else. */
  hasSources: boolean;
  /** The parameter of the user's own that holds the nodes' certificate. */
  certificateParameter: string | undefined;
  tags: Tags | undefined;
}

/** The parameters; an instance waits for them, since its first boot reads them. */
export function createNodeOperations(
  name: string,
  parent: pulumi.Resource,
  args: NodeOperationsArgs,
): ssm.Parameter[] {
  const keep = (suffix: string, path: string, description: string, value: pulumi.Input<string>) =>
    new ssm.Parameter(
      `${name}-${suffix}`,
      {
        name: `${args.parameterPrefix}/${path}`,
        type: "String",
        insecureValue: value,
        description,
        tags: tagged(`${name}-${suffix}`, args.tags),
      },
      { parent },
    );
  const cluster = pulumi
    .all([args.versions, pulumi.all(args.addresses), pulumi.all(args.targetGroupArns ?? [])])
    .apply(
      ([versions, addresses, targetGroups]) =>
        `MEMBERS='${addresses.join(" ")}'\nDRAIN_SECONDS='${args.drainSeconds}'\n` +
        (targetGroups.length === 0
          ? ""
          : `TARGET_GROUPS='${targetGroups.join(" ")}'\nLOAD_BALANCER_COUNT='${args.loadBalancerNames.length}'\n`) +
        (versions === "" ? "" : `VERSIONS='${versions}'\n`) +
        (args.certificateParameter === undefined
          ? ""
          : `CERTIFICATE_PARAMETER='${args.certificateParameter}'\n`),
    );
  if (args.loadBalancerNames.length > 0) {
    const names = pulumi.all(args.loadBalancerNames).apply((all) => all.join(","));
    // A node asks for it again and again, so no instance waits for it.
    keep("load-balancers", "load-balancers", "Load balancers that the EMQX nodes register with", names);
  }
  const all = args.hasSources ? { ...operations, ...existing } : operations;
  return [
    keep("cluster", "cluster", "Members of the EMQX cluster, and how a node leaves it", cluster),
    keep("operations", "operations/list", "Which operations EMQX nodes have", operationsParameterText(all)),
    ...Object.entries(all).map(([operation, script]) =>
      keep(
        `operation-${operation}`,
        `operations/${operation}`,
        `What EMQX nodes do for "${operation}"`,
        script,
      ),
    ),
  ];
}

/**
 * EC2 cuts an instance's power about four minutes after it asked the operating system to shut down (EC2 API reference,
 * RebootInstances); EMQX itself may take one of them to stop.
 */
const longestDrainSeconds = 150;
/** Without evacuation a long-lived client does not leave by itself: waiting longer would only delay its reconnection. */
const longestIdleDrainSeconds = 30;

/** How long a node of this version may take to move its clients before it stops. */
export function drainSeconds(emqxVersion: string, drainingTimeoutSeconds: number): number {
  const most = findRelease(emqxVersion).canEvacuate ? longestDrainSeconds : longestIdleDrainSeconds;
  return Math.min(drainingTimeoutSeconds, most);
}
