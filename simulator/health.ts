/** What a Classic Load Balancer says about one of its instances. */
export interface InstanceHealth {
  state: "InService" | "OutOfService" | "Unknown";
  reasonCode: "N/A" | "ELB" | "Instance";
  description: string;
}

export const registering: InstanceHealth = {
  state: "OutOfService",
  reasonCode: "ELB",
  description: "Instance registration is still in progress.",
};

export const inService: InstanceHealth = { state: "InService", reasonCode: "N/A", description: "N/A" };

/** Health of registered instances. Not part of the persisted state: who checks finds out anew. */
export class HealthBoard {
  private readonly entries = new Map<string, InstanceHealth>();
  private readonly listeners = new Set<() => void>();

  get(region: string, balancer: string, instance: string): InstanceHealth {
    return this.entries.get(`${region}|${balancer}|${instance}`) ?? registering;
  }

  set(region: string, balancer: string, instance: string, health: InstanceHealth): void {
    this.entries.set(`${region}|${balancer}|${instance}`, health);
    this.listeners.forEach((listener) => listener());
  }

  /** A deregistered instance starts over. */
  forget(region: string, balancer: string, instance: string): void {
    this.entries.delete(`${region}|${balancer}|${instance}`);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
