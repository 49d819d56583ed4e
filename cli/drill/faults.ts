/** What a drill lets go wrong, and how it is put right again. */
import { clusterPortNumbers } from "../../components/emqx/ports";
import { UserError } from "../console";
import type { SimulatedDeployment } from "../smoke/deployment";

export interface Target {
  instanceId: string;
  nodeName: string;
  node: number;
  zone: string;
}

export interface FaultRun {
  /** What was done, for the report. */
  done: string;
  /** What the person on call would do, in AWS. */
  repair: string[];
  /** Puts it right; undefined where `refresh` and `up` do. */
  undo?: () => Promise<void>;
}

export interface Fault {
  description: string;
  inject(deployment: SimulatedDeployment, target: Target): Promise<FaultRun>;
}

const replace = "or replace the node: pulumi up --replace <URN of its instance> (pulumi stack --show-urns)";

export const faults = {
  "kill-node": {
    description: "cut a node's power: nothing says goodbye",
    async inject({ region }, { instanceId, nodeName, node }) {
      await region.drill("kill", { instance: instanceId });
      return {
        done: `cut the power of node ${node} (${instanceId}, ${nodeName})`,
        repair: ["start the instance again (EC2 recovers one whose hardware failed by itself)", replace],
        undo: () => region.drill("restart", { instance: instanceId }),
      };
    },
  },
  "stop-emqx": {
    description: "stop EMQX on a node, cleanly",
    async inject({ region }, { instanceId, nodeName, node }) {
      await region.drill("stop-emqx", { instance: instanceId });
      return {
        done: `stopped EMQX on node ${node} (${instanceId}, ${nodeName})`,
        repair: ["systemctl start emqx on the node (Session Manager)", replace],
        undo: () => region.drill("start-emqx", { instance: instanceId }),
      };
    },
  },
  "cut-zone": {
    description: "take an Availability Zone off the network",
    async inject({ region }, { zone }) {
      await region.drill("cut-zone", { zone });
      return {
        done: `cut zone ${zone}: its nodes, and the load balancer's interface in it`,
        repair: ["wait for AWS; nodes in other zones carry on. Do not run `up` before the zone is back"],
        undo: () => region.drill("restore-zone", { zone }),
      };
    },
  },
  "expire-certificate": {
    description: "let the load balancer's certificate end",
    async inject(deployment) {
      const { region } = deployment;
      const arn = await certificateOf(deployment);
      await region.drill("expire-certificate", { arn });
      return {
        done: `let ${arn} end`,
        repair: [
          "renew it, or import it again under the same ARN; with certificate.selfSigned: pulumi up makes a new one in time",
        ],
        undo: () => region.drill("renew-certificate", { arn }),
      };
    },
  },
  "break-health-check": {
    description: "let a node's /status answer 503 while it serves",
    async inject({ region }, { instanceId, nodeName, node }) {
      await region.drill("health-check", { instance: instanceId, broken: true });
      return {
        done: `let /status of node ${node} (${instanceId}, ${nodeName}) answer 503`,
        repair: [
          "look at the node's log: /status answers 503 while the emqx application does not run",
          replace,
        ],
        undo: () => region.drill("health-check", { instance: instanceId, broken: false }),
      };
    },
  },
  "remove-cluster-rule": {
    description: "delete a cluster rule by hand, then restart EMQX on a node",
    async inject(deployment, { instanceId, nodeName, node }) {
      const { region } = deployment;
      const rule = await clusterRule(deployment);
      await region.delete({ id: rule.id });
      // Tracked connections live on without the rule: it hurts with the next one.
      await region.drill("stop-emqx", { instance: instanceId });
      await region.drill("start-emqx", { instance: instanceId });
      return {
        done: `deleted rule ${rule.id} (tcp/${rule.port} between nodes) and restarted EMQX on node ${node} (${nodeName})`,
        repair: ["pulumi refresh, which sees that the rule is gone; then pulumi up, which makes it again"],
      };
    },
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as FaultName[];

async function certificateOf({ region, outputs }: SimulatedDeployment): Promise<string> {
  const arn = (await region.endpoints())
    .filter(({ dnsName }) => dnsName === outputs.loadBalancerDnsName)
    .map(({ certificateArn }) => certificateArn)
    .find(Boolean);
  if (arn === undefined) throw new UserError("the stack has no TLS listener, so no certificate can end");
  return arn;
}

/** The rule that lets nodes reach each other's Erlang distribution. */
async function clusterRule({
  region,
  outputs,
  stack,
}: SimulatedDeployment): Promise<{ id: string; port: number }> {
  const group = outputs.nodeSecurityGroupId;
  const distributions = (["Documented", "Package"] as const).map(
    (profile) => clusterPortNumbers(profile).distribution,
  );
  const rules = await region.resources({ type: "SecurityGroupIngressRule" });
  const rule = rules.find(
    ({ attributes }) =>
      attributes["securityGroupId"] === group &&
      attributes["referencedSecurityGroupId"] === group &&
      distributions.includes(Number(attributes["fromPort"])),
  );
  if (rule === undefined) {
    throw new UserError(
      `stack ${stack} has no cluster rule (any more); npm run refresh and npm run up make it again`,
    );
  }
  return { id: rule.id, port: Number(rule.attributes["fromPort"]) };
}

/** Undoes whatever drills have left behind in a deployment's machines; what was done. */
export async function undoAll(deployment: SimulatedDeployment): Promise<string[]> {
  const { region, outputs } = deployment;
  const own = new Set(outputs.instanceIds ?? []);
  const done: string[] = [];
  const machines = async () => (await region.machines()).filter(({ instanceId }) => own.has(instanceId));
  for (const { instanceId } of (await machines()).filter(({ silent }) => silent)) {
    await region.drill("restart", { instance: instanceId });
    done.push(`restarted ${instanceId}`);
  }
  // What is still silent has no network.
  for (const zone of new Set(
    (await machines()).filter(({ silent }) => silent).map((machine) => machine.zone),
  )) {
    await region.drill("restore-zone", { zone });
    done.push(`restored zone ${zone}`);
  }
  for (const { instanceId, emqx, phase } of await machines()) {
    if (emqx === undefined && phase === "ready") {
      await region.drill("start-emqx", { instance: instanceId });
      done.push(`started EMQX on ${instanceId}`);
    }
    await region.drill("health-check", { instance: instanceId, broken: false });
  }
  const arn = await certificateOf(deployment).catch(() => undefined);
  if (arn !== undefined) await region.drill("renew-certificate", { arn });
  return done;
}
