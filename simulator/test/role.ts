/** What an instance's role reaches in AWS, put together by hand: parameters, objects, metrics, health. */
import type { TargetHealth } from "../health";
import type { InstanceHealth, RoleCalls } from "../dataplane/regionView";

export class TestRole implements RoleCalls {
  readonly parameters = new Map<string, string>();
  /** Of parameters that have been changed; 1 of the others. */
  readonly versions = new Map<string, number>();
  /** By `bucket/key`. */
  readonly objects = new Map<string, Buffer>();
  /** By namespace, name and dimensions. */
  readonly metrics = new Map<string, number>();
  readonly health = new Map<string, InstanceHealth>();
  /** By target group and instance. */
  readonly targetHealth = new Map<string, TargetHealth>();
  /** Parameters that the role may not read. */
  readonly refusedParameters = new Set<string>();

  async getParameter(name: string): Promise<string> {
    const value = this.parameters.get(name);
    if (value === undefined) {
      throw new Error(`ParameterNotFound: ${name}`);
    }
    if (this.refusedParameters.has(name)) {
      throw new Error(`AccessDeniedException: not authorized to perform ssm:GetParameter on ${name}`);
    }
    return value;
  }

  /** Of Secrets Manager, by ARN. */
  readonly secrets = new Map<string, string>();

  async getSecretValue(arn: string): Promise<string> {
    const value = this.secrets.get(arn);
    if (value === undefined)
      throw new Error("ResourceNotFoundException: Secrets Manager can't find the specified secret.");
    return value;
  }

  async getParameters(names: string[]) {
    return names.flatMap((name) => {
      const value = this.parameters.get(name);
      return value === undefined ? [] : [{ name, value, version: this.versions.get(name) ?? 1 }];
    });
  }

  async putParameter(name: string, value: string): Promise<void> {
    this.parameters.set(name, value);
    this.versions.set(name, (this.versions.get(name) ?? 1) + 1);
  }

  async putObject(bucket: string, key: string, content: Buffer): Promise<void> {
    this.objects.set(`${bucket}/${key}`, content);
  }

  async getObject(bucket: string, key: string): Promise<Buffer> {
    const content = this.objects.get(`${bucket}/${key}`);
    if (content === undefined) {
      throw new Error(`NoSuchKey: ${key}`);
    }
    return content;
  }

  async listObjects(bucket: string, prefix: string) {
    return [...this.objects]
      .filter(([path]) => path.startsWith(`${bucket}/${prefix}`))
      .map(([path, { length }]) => ({
        key: path.slice(bucket.length + 1),
        size: length,
        lastModified: "2026-01-01T00:00:00Z",
      }));
  }

  async putMetricData(
    namespace: string,
    name: string,
    dimensions: Record<string, string>,
    value: number,
  ): Promise<void> {
    this.metrics.set(`${namespace} ${name} ${JSON.stringify(dimensions)}`, value);
  }

  async describeInstanceHealth(_loadBalancer: string, instanceId: string): Promise<InstanceHealth> {
    return this.health.get(instanceId) ?? { state: "OutOfService", reasonCode: "ELB", description: "?" };
  }

  async describeTargetHealth(group: string, instanceId: string): Promise<TargetHealth> {
    return this.targetHealth.get(`${group} ${instanceId}`) ?? { state: "unused", description: "?" };
  }
}
