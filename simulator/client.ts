import { readFileSync } from "fs";
import { join } from "path";
import type { CertificateImport } from "./certificateOperations";
import type { RegionStatus } from "./control";
import type {
  AlarmStatus,
  ConnectedClient,
  Endpoint,
  LoadBalancerStatus,
  MachineStatus,
  OperationResult,
  StandingFault,
} from "./dataplane";
import type { StoredObject } from "./objects";
import type { Props } from "./values";

/** region.json; see main.ts. */
export interface RegionFile {
  version: number;
  pid: number;
  port: number;
  controlPort: number;
  token: string;
  directory: string;
  startedAt: string;
}

/** A resource as the control endpoint shows it. */
export interface ShownResource {
  type: string;
  region: string;
  id: string;
  createdAt: string;
  attributes: Props;
}

interface ResourceQuery {
  id: string;
  type?: string;
  region?: string;
}

/** What the region answered when it refused. */
export class RegionError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "RegionError";
  }
}

/** region.json of a directory, or nothing if there is none. */
export function readRegionFile(directory: string): RegionFile | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, "region.json"), "utf8")) as RegionFile;
  } catch {
    return undefined;
  }
}

/** Talks to a running region's control endpoint (control.ts). */
export class RegionClient {
  constructor(private readonly region: Pick<RegionFile, "controlPort" | "token">) {}

  status(): Promise<RegionStatus & Record<string, unknown>> {
    return this.json("GET", "/status");
  }

  resources(
    filter: { type?: string | undefined; region?: string | undefined } = {},
  ): Promise<ShownResource[]> {
    return this.json("GET", "/resources", filter);
  }

  resource(query: ResourceQuery): Promise<ShownResource> {
    return this.json("GET", "/resource", { ...query });
  }

  modify(query: ResourceQuery, changes: Props): Promise<ShownResource> {
    return this.json("PATCH", "/resource", {}, { ...query, changes });
  }

  delete(query: ResourceQuery): Promise<ShownResource> {
    return this.json("DELETE", "/resource", { ...query });
  }

  /** An SSM parameter's value, decrypted. */
  async parameter(name: string): Promise<string> {
    return (await this.json<{ value: string }>("GET", "/parameter", { name })).value;
  }

  /** A certificate of ACM or IAM; `NotFound` where there is none. */
  describeCertificate(arn: string): Promise<Pick<ShownResource, "id" | "attributes">> {
    return this.json("GET", "/certificates", { arn });
  }

  /** A new certificate in ACM, or a successor under the ARN of an imported one. */
  importCertificate(certificate: CertificateImport): Promise<ShownResource> {
    return this.json("POST", "/certificates/import", {}, certificate);
  }

  /** As ACM's managed renewal does it, under the same ARN. */
  renewCertificate(arn: string, days?: number): Promise<ShownResource> {
    return this.json("POST", "/certificates/renew", {}, { arn, days });
  }

  /** AWS's SetLoadBalancerListenerSSLCertificate: on the listener as it runs. */
  setListenerCertificate(loadBalancer: string, port: number, arn: string): Promise<ShownResource> {
    return this.json("POST", "/listeners/certificate", {}, { loadBalancer, port, arn });
  }

  /** The objects of an S3 bucket, by key. */
  objects(bucket: string): Promise<StoredObject[]> {
    return this.json("GET", "/objects", { bucket });
  }

  /** Copies an object; both addresses are s3://BUCKET/KEY. */
  async copyObject(from: string, to: string): Promise<void> {
    await this.json("POST", "/objects", {}, { from, to });
  }

  /** Deletes every object of a bucket; how many there were. */
  async emptyBucket(bucket: string): Promise<number> {
    return (await this.json<{ deleted: number }>("DELETE", "/objects", { bucket })).deleted;
  }

  // What only a region with running machines answers, see dataplane/controlRoutes.ts.

  endpoints(): Promise<Endpoint[]> {
    return this.json("GET", "/endpoints");
  }

  machines(): Promise<MachineStatus[]> {
    return this.json("GET", "/machines");
  }

  loadBalancers(): Promise<LoadBalancerStatus[]> {
    return this.json("GET", "/load-balancers");
  }

  clients(): Promise<ConnectedClient[]> {
    return this.json("GET", "/clients");
  }

  alarms(): Promise<AlarmStatus[]> {
    return this.json("GET", "/alarms");
  }

  async certificate(arn: string): Promise<string> {
    return (await this.request("GET", "/certificate", { arn })).text();
  }

  /** Runs a node operation on an instance, `emqx-node OPERATION ARGS…`. */
  operate(instance: string, operation: string, args: string[]): Promise<OperationResult> {
    return this.json("POST", "/operate", {}, { instance, operation, args });
  }

  /** `kill`, `cut-zone`, … with what it is done to. */
  async drill(name: string, what: Record<string, unknown>): Promise<void> {
    await this.json("POST", `/drill/${name}`, {}, what);
  }

  /** What drills have broken and nobody has put right. */
  standingFaults(): Promise<StandingFault[]> {
    return this.json("GET", "/drill");
  }

  async console(instance: string): Promise<string> {
    return (await this.request("GET", "/console", { instance })).text();
  }

  /** `{ kind: "certificate" | "bucket" | "key" | "zone" | "image", … }`, as in account.yaml. */
  addSeed(seed: Record<string, unknown>): Promise<unknown> {
    return this.json("POST", "/seeds", {}, seed);
  }

  failBoot(node: number, fails = true, prefix?: string): Promise<{ faults: string[] }> {
    return this.json("POST", "/faults/boot", {}, { node, fails, ...(prefix ? { prefix } : {}) });
  }

  shutdown(): Promise<unknown> {
    return this.json("POST", "/shutdown");
  }

  /** Any other route. */
  async json<T>(
    method: string,
    path: string,
    query: Record<string, string | undefined> = {},
    body?: unknown,
  ): Promise<T> {
    return (await (await this.request(method, path, query, body)).json()) as T;
  }

  private async request(
    method: string,
    path: string,
    query: Record<string, string | undefined> = {},
    body?: unknown,
  ): Promise<Response> {
    const url = new URL(path, `http://127.0.0.1:${this.region.controlPort}`);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, value);
    }
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${this.region.token}`, connection: "close" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      const { code, message } = (await response.json()) as { code: string; message: string };
      throw new RegionError(code, message);
    }
    return response;
  }
}
