import type { StoredResource } from "./storedResource";
import type { Cloud } from "./cloud";
import { Context } from "./context";
import { AwsError } from "./errors";
import { inService } from "./health";
import type { MachineHost } from "./machines";
import { egressProblem } from "./network";
import { asRole } from "./roles";
import { interfaceOf, userDataOf } from "./services/instances";
import * as names from "./services/names";
import { registrationsOf } from "./services/targetGroups";
import { takenUp } from "../components/emqx/parameters";

/** What an instance's user data says about the node it becomes. */
export interface NodeFacts {
  prefix: string;
  number: number;
  loadBalancers: number;
  hasLicense: boolean;
  needsVolume: boolean;
}

/** Reads the node's environment out of its user data, wherever it stands in there. */
export function nodeFacts(userData: string): NodeFacts | undefined {
  const variable = (name: string) => new RegExp(`\\b${name}='?([^'\\s]*)'?`).exec(userData)?.[1];
  const path = /(\/emqx\/[\w./-]+)\/nodes\/(\d+)\/ready/.exec(userData);
  const prefix = variable("PARAMETER_PREFIX") ?? path?.[1];
  const number = variable("NODE_NUMBER") ?? path?.[2];
  if (!prefix || number === undefined) {
    return undefined;
  }
  return {
    prefix,
    number: Number(number),
    loadBalancers: Number(variable("LOAD_BALANCER_COUNT") ?? 0),
    hasLicense: variable("HAS_LICENSE") === "true",
    needsVolume: userData.includes("/dev/sdf"),
  };
}

/**
 * A machine host without machines: it judges whether a node would come up by what the region knows (user data,
 * the way to the internet, parameters and permissions, volume, registration) and reports it ready as the node
 * itself would. What is missing is on the instance's console.
 */
export class QuickMachines implements MachineHost {
  private readonly booting = new Map<string, StoredResource>();
  private readonly running = new Map<string, { instance: StoredResource; node: NodeFacts }>();
  private readonly unsubscribe: () => void;
  private judging = false;

  constructor(private readonly cloud: Cloud) {
    this.unsubscribe = cloud.account.onChange(() => this.judgeAll());
  }

  start(instance: StoredResource): void {
    this.cloud.machines.consoles.append(instance.id, `[region] instance ${instance.id} is booting`);
    this.booting.set(instance.id, instance);
    this.judgeAll();
  }

  stop(instance: StoredResource): Promise<void> {
    this.booting.delete(instance.id);
    this.running.delete(instance.id);
    this.cloud.machines.consoles.append(instance.id, "[region] the instance was shut down");
    return Promise.resolve();
  }

  terminate(instance: StoredResource): Promise<void> {
    this.booting.delete(instance.id);
    this.running.delete(instance.id);
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    this.unsubscribe();
    this.booting.clear();
    this.running.clear();
    return Promise.resolve();
  }

  lookAgain(): void {
    this.judgeAll();
  }

  /** Looks at every machine that has not come up; what it finds may let the next one through. */
  private judgeAll(): void {
    if (this.judging) {
      return;
    }
    this.judging = true;
    try {
      for (const instance of [...this.booting.values()]) {
        const current = this.cloud.account.get(instance.type, instance.region, instance.id);
        if (current?.attributes["instanceState"] !== "running") {
          this.booting.delete(instance.id);
        } else {
          this.judge(current);
        }
      }
      for (const { instance, node } of this.running.values()) {
        this.takeUp(instance, node);
      }
    } finally {
      this.judging = false;
    }
  }

  private judge(instance: StoredResource): void {
    const context = new Context(this.cloud.account, instance.region, {}, this.cloud.surroundings);
    const problem = this.problem(context, instance);
    const { consoles } = this.cloud.machines;
    if (problem !== undefined) {
      const line = `[region] not ready: ${problem}`;
      if (!consoles.read(instance.id).trimEnd().endsWith(line)) {
        consoles.append(instance.id, line);
      }
      return;
    }
    this.booting.delete(instance.id);
    consoles.append(instance.id, "[region] the instance is ready");
  }

  /** Why the node does not come up; when nothing is wrong it has reported itself ready. */
  private problem(context: Context, instance: StoredResource): string | undefined {
    const userData = userDataOf(instance.attributes)?.toString("utf8");
    if (userData === undefined) {
      return "there is no user data";
    }
    const node = nodeFacts(userData);
    if (!node) {
      return "the user data names no node (PARAMETER_PREFIX and NODE_NUMBER)";
    }
    if (this.cloud.faults.failsBoot(node.prefix, node.number)) {
      return `node ${node.number} was told not to come up`;
    }
    const eni = interfaceOf(context, instance.id)!;
    const egress = egressProblem(context, eni, 443);
    if (egress !== undefined) {
      return `the package cannot be downloaded: ${egress}`;
    }
    const attached = context
      .list(names.volumeAttachment)
      .some((a) => a.attributes["instanceId"] === instance.id && a.attributes["deviceName"] === "/dev/sdf");
    if (node.needsVolume && !attached) {
      return "no volume is attached as /dev/sdf";
    }
    try {
      return this.report(context, instance, node);
    } catch (error) {
      if (error instanceof AwsError) {
        return error.message;
      }
      throw error;
    }
  }

  private report(context: Context, instance: StoredResource, node: NodeFacts): string | undefined {
    const role = asRole(this.cloud, instance);
    const secrets = ["cookie", ...(node.hasLicense ? ["license-key"] : [])];
    secrets.forEach((name) => role.getParameter(`${node.prefix}/${name}`, { withDecryption: true }));
    const said = String(
      context.find(names.parameter, `${node.prefix}/cluster`)?.attributes["insecureValue"] ?? "",
    );
    const groups = (/^TARGET_GROUPS='(.*)'$/m.exec(said)?.[1] ?? "").split(" ").filter((arn) => arn !== "");
    for (const group of groups) {
      const registered = registrationsOf(context, group).some(
        (a) => a.attributes["targetId"] === instance.id,
      );
      if (registered) {
        this.cloud.targetHealth.set(context.region, group, instance.id, { state: "healthy" });
      }
      role.describeTargetHealth(group, instance.id);
    }
    const loadBalancers = Number(/^LOAD_BALANCER_COUNT='(\d+)'$/m.exec(said)?.[1] ?? node.loadBalancers);
    if (loadBalancers > 0) {
      const balancers = role.getParameter(`${node.prefix}/load-balancers`).value.split(",");
      if (balancers.length !== loadBalancers) {
        return `parameter load-balancers names ${balancers.length}, expected ${loadBalancers}`;
      }
      for (const name of balancers) {
        const registered = context
          .list(names.loadBalancerAttachment)
          .some((a) => a.attributes["elb"] === name && a.attributes["instance"] === instance.id);
        if (registered) {
          this.cloud.health.set(context.region, name, instance.id, inService);
        }
        role.describeInstanceHealth(name, [instance.id]);
      }
    }
    role.putParameter(`${node.prefix}/nodes/${node.number}/ready`, instance.id, { overwrite: true });
    this.running.set(instance.id, { instance, node });
    return undefined;
  }

  /** Reports the versions of the secrets, as the operation "sync" of a running node does. */
  private takeUp(instance: StoredResource, node: NodeFacts): void {
    const { account } = this.cloud;
    const find = (name: string) => account.get(names.parameter, instance.region, `${node.prefix}/${name}`);
    const applied = takenUp
      .flatMap((name) => {
        const parameter = find(name);
        return parameter ? [`${name}=${String(parameter.attributes["version"])}`] : [];
      })
      .join(" ");
    const report = find(`nodes/${node.number}/applied`);
    if (report && report.attributes["value"] !== applied) {
      asRole(this.cloud, instance).putParameter(report.id, applied, { overwrite: true });
    }
  }
}
