import type { Account } from "./account";
import type { StoredResource } from "./storedResource";
import * as names from "./services/names";

/**
 * Runs the machines behind EC2 instances. The region decides when one starts and stops; the host decides what
 * that means (a broker on loopback, or only a judgement whether it would have come up).
 *
 * Everything a machine needs is in the account: `instance.attributes.userData`, its interface, groups and role
 * (see queries.ts), parameters and load balancers through `asRole`.
 */
export interface MachineHost {
  /** Power is on. Returns at once; booting goes on by itself. Also called when the region's process restarts. */
  start(instance: StoredResource): void;
  /** A clean shutdown; resolves when the machine is off. */
  stop(instance: StoredResource): Promise<void>;
  /** Gone for good, after a stop if it was running. */
  terminate(instance: StoredResource): Promise<void>;
  /** A listener was deleted, to be made anew: resolves when clients have been without it as long as they would be. */
  listenersClosed?(): Promise<void>;
  /** Something that no resource shows has changed (a fault switched on or off): look again. */
  lookAgain?(): void;
  /** The region's process ends: let go of everything, without a trace in the account. */
  dispose(): Promise<void>;
}

/** Every instance's serial console; the last 64 KiB, as EC2 keeps them. */
class Consoles {
  private readonly logs = new Map<string, string>();

  append(instanceId: string, text: string): void {
    const log = (this.logs.get(instanceId) ?? "") + (text.endsWith("\n") ? text : `${text}\n`);
    this.logs.set(instanceId, log.slice(-64 * 1024));
  }

  read(instanceId: string): string {
    return this.logs.get(instanceId) ?? "";
  }

  clear(instanceId: string): void {
    this.logs.delete(instanceId);
  }
}

/** The life of instances: pending, running, stopping, stopped, and then gone. */
export class Machines {
  readonly consoles = new Consoles();
  private host: MachineHost | undefined;

  constructor(private readonly account: Account) {}

  /** Puts a host in charge instead of the present one; machines that run already are started on it. */
  attach(host: MachineHost): void {
    void this.host?.dispose();
    this.host = host;
    this.account
      .list(names.instance)
      .filter((instance) => instance.attributes["instanceState"] === "running")
      .forEach((instance) => host.start(instance));
  }

  start(instance: StoredResource): void {
    const running = this.account.update(instance, { instanceState: "running" });
    this.host?.start(running);
  }

  async stop(instance: StoredResource): Promise<void> {
    const current = this.account.get(instance.type, instance.region, instance.id);
    if (!current || !["running", "pending"].includes(current.attributes["instanceState"] as string)) {
      return;
    }
    const stopping = this.account.update(current, { instanceState: "stopping" });
    await this.host?.stop(stopping);
    if (this.account.get(instance.type, instance.region, instance.id)) {
      this.account.update(stopping, { instanceState: "stopped" });
    }
  }

  async terminate(instance: StoredResource): Promise<void> {
    await this.stop(instance);
    await this.host?.terminate(instance);
    this.consoles.clear(instance.id);
  }

  async listenersClosed(): Promise<void> {
    await this.host?.listenersClosed?.();
  }

  lookAgain(): void {
    this.host?.lookAgain?.();
  }

  async dispose(): Promise<void> {
    await this.host?.dispose();
    this.host = undefined;
  }
}
