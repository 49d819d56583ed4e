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

/** What a target group says about a target (Elastic Load Balancing API reference 2015-12-01, TargetHealth). */
export interface TargetHealth {
  state: "initial" | "healthy" | "unhealthy" | "draining" | "unused";
  /** Neither, where it is healthy. */
  reason?: string;
  description?: string;
}

export const registeringTarget: TargetHealth = {
  state: "initial",
  reason: "Elb.RegistrationInProgress",
  description: "Target registration is in progress",
};

/** Health of what is registered with load balancers or target groups. Not part of the persisted state: who checks finds out anew. */
export class HealthBoard<Health> {
  private readonly entries = new Map<string, Health>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly first: Health) {}

  get(region: string, balancer: string, instance: string): Health {
    return this.entries.get(`${region}|${balancer}|${instance}`) ?? this.first;
  }

  set(region: string, balancer: string, instance: string, health: Health): void {
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
