import { randomBytes, timingSafeEqual } from "crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "http";
import type { AddressInfo } from "net";
import type { StoredResource } from "./storedResource";
import * as certificates from "./certificateOperations";
import type { Cloud } from "./cloud";
import { fail, AwsError, CheckError } from "./errors";
import { describeObject, objectsIn, readObject, writeObject } from "./objects";
import { deleteResource, findResource, listResources, modifyResource, type ResourceName } from "./outOfBand";
import * as seeds from "./seedAdditions";
import { findBucket } from "./services/bucketNames";
import * as names from "./services/names";
import { propertiesOf } from "./schema";
import type { Props } from "./values";

/**
 * The region's control endpoint: JSON over HTTP on 127.0.0.1, for the command line.
 *
 *     GET    /status                                   { resources, instances, … }
 *     GET    /resources?type=Subnet&region=eu-west-1   every resource a user made (sensitive values left out)
 *     GET    /resource?id=…[&type=…][&region=…]        one resource, all attributes
 *     PATCH  /resource { id, type?, region?, changes } changes inputs behind Pulumi's back; null removes one
 *     DELETE /resource?id=…[&type=…][&region=…]        deletes behind Pulumi's back
 *     GET    /parameter?name=…[&region=…]             { value } of an SSM parameter, decrypted: whoever may read
 *                                                      region.json may read the account
 *     GET    /console?instance=…                       text/plain: the instance's console log
 *     GET    /objects?bucket=…                         the objects of an S3 bucket: { key, size, lastModified }
 *     POST   /objects { from, to }                     copies one; both are s3://BUCKET/KEY
 *     DELETE /objects?bucket=…                         all of them: { deleted }
 *     POST   /seeds { kind, … }                        certificate | bucket | key | zone | image, see seedAdditions.ts
 *     GET    /certificates, POST /certificates/import, /certificates/renew, /listeners/certificate   see certificateOperations.ts
 *     POST   /faults/boot { node, prefix?, fails }     lets a node never come up, or come up again
 *     POST   /shutdown                                 answers when everything is written
 *
 * Errors: status 4xx and { code, message }. Other parts of the region add routes with `route`.
 */
export class ControlServer {
  readonly token = randomBytes(24).toString("hex");
  private readonly server: Server;
  private readonly routes = new Map<string, Handler>();

  constructor(
    private readonly cloud: Cloud,
    private readonly options: { shutdown: () => Promise<void>; status?: () => Record<string, unknown> },
  ) {
    this.server = createServer((request, response) => void this.answer(request, response));
    this.addRoutes();
  }

  /** Adds a route, e.g. `route("POST", "/drill/kill", (body) => …)`; what it returns is sent as JSON. */
  route(method: string, path: string, handler: Handler): void {
    this.routes.set(`${method} ${path}`, handler);
  }

  listen(port = 0): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(port, "127.0.0.1", () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeIdleConnections();
    });
  }

  private addRoutes(): void {
    const { cloud } = this;
    this.route("GET", "/status", () => ({ ...statusOf(cloud), ...this.options.status?.() }));
    this.route("GET", "/resources", (input) =>
      listResources(cloud, input as { type?: string; region?: string }).map((r) => shown(cloud, r)),
    );
    this.route("GET", "/resource", (input) => shown(cloud, findResource(cloud, nameFrom(input))));
    this.route("PATCH", "/resource", async (input) => {
      const changes = input["changes"];
      if (typeof changes !== "object" || changes === null) {
        throw new AwsError("BadRequest", '"changes" is missing: an object of properties and values');
      }
      return shown(cloud, await modifyResource(cloud, nameFrom(input), changes as Props));
    });
    this.route("DELETE", "/resource", async (input) =>
      shown(cloud, await deleteResource(cloud, nameFrom(input))),
    );
    this.route("GET", "/parameter", (input) => {
      const parameter = findResource(cloud, nameFrom({ ...input, id: input["name"], type: names.parameter }));
      const { value, insecureValue } = parameter.attributes;
      return { value: value ?? insecureValue };
    });
    this.route("GET", "/console", (input) => {
      const instance = findResource(cloud, { type: names.instance, id: String(input["instance"]) });
      return cloud.machines.consoles.read(instance.id);
    });
    this.addObjectRoutes();
    this.route("POST", "/seeds", (input) => addSeed(cloud, input));
    this.route("GET", "/certificates", (input) => {
      const { id, attributes } = certificates.describeCertificate(cloud, textOf(input, "arn"));
      return { id, attributes: { ...attributes, privateKey: "[secret]" } };
    });
    this.route("POST", "/certificates/import", async (input) => {
      const given = (key: string) => (input[key] === undefined ? {} : { [key]: textOf(input, key) });
      const imported = await certificates.importCertificate(cloud, {
        certificate: textOf(input, "certificate"),
        privateKey: textOf(input, "privateKey"),
        ...given("chain"),
        ...given("arn"),
        ...given("region"),
      });
      return shown(cloud, imported);
    });
    this.route("POST", "/certificates/renew", async (input) => {
      const days = Number(input["days"] ?? certificateDays);
      return shown(cloud, await certificates.renew(cloud, textOf(input, "arn"), days));
    });
    this.route("POST", "/listeners/certificate", async (input) => {
      const changed = await certificates.replaceListenerCertificate(cloud, {
        loadBalancer: textOf(input, "loadBalancer"),
        port: Number(input["port"]),
        arn: textOf(input, "arn"),
      });
      return shown(cloud, changed);
    });
    this.route("POST", "/faults/boot", (input) => {
      const { node, prefix, fails = true } = input as { node: number; prefix?: string; fails?: boolean };
      if (!Number.isInteger(node)) {
        throw new AwsError("BadRequest", '"node" is the number of a node');
      }
      cloud.faults.failBoot(node, fails, prefix);
      cloud.machines.lookAgain();
      return { faults: cloud.faults.list() };
    });
    this.route("POST", "/shutdown", () => this.options.shutdown().then(() => ({ stopped: true })));
  }

  /** What the account's owner does with objects, past every program and policy. */
  private addObjectRoutes(): void {
    const { account } = this.cloud;
    const bucketNamed = (name: unknown) =>
      findBucket(account, String(name)) ??
      fail("NoSuchBucket", `The specified bucket does not exist: ${String(name)}`);
    const place = (address: unknown) => {
      const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(String(address)) ?? [];
      if (bucket === undefined || key === undefined) {
        throw new AwsError("BadRequest", `"${String(address)}" is not s3://BUCKET/KEY`);
      }
      return { bucket: bucketNamed(bucket), key };
    };
    this.route("GET", "/objects", ({ bucket }) =>
      objectsIn(account, bucketNamed(bucket).id).map(describeObject),
    );
    this.route("POST", "/objects", (input) => {
      const [from, to] = [place(input["from"]), place(input["to"])];
      const content =
        readObject(account, from.bucket, from.key) ??
        fail("NoSuchKey", `The specified key does not exist: ${from.key}`);
      writeObject(account, to.bucket, to.key, content);
    });
    this.route("DELETE", "/objects", ({ bucket }) => {
      const objects = objectsIn(account, bucketNamed(bucket).id);
      account.transaction(() => objects.forEach((object) => account.delete(object)));
      return { deleted: objects.length };
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown) => {
      const text = typeof body === "string";
      response.writeHead(status, { "content-type": text ? "text/plain; charset=utf-8" : "application/json" });
      response.end(text ? body : JSON.stringify(body));
    };
    try {
      if (!this.knows(request.headers.authorization)) {
        return send(401, { code: "Unauthorized", message: "the token of region.json is needed" });
      }
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      const handler = this.routes.get(`${request.method} ${url.pathname}`);
      if (!handler) {
        return send(404, { code: "NotFound", message: `there is no ${request.method} ${url.pathname}` });
      }
      const body = await bodyOf(request);
      send(200, (await handler({ ...Object.fromEntries(url.searchParams), ...body })) ?? {});
    } catch (error) {
      if (error instanceof AwsError) {
        send(error.code === "NotFound" ? 404 : 400, { code: error.code, message: error.message });
      } else if (error instanceof CheckError || error instanceof SyntaxError) {
        send(400, { code: "BadRequest", message: error.message });
      } else {
        send(500, { code: "InternalError", message: error instanceof Error ? error.stack : String(error) });
      }
    }
  }

  private knows(authorization: string | undefined): boolean {
    const given = Buffer.from(authorization ?? "");
    const wanted = Buffer.from(`Bearer ${this.token}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

/** How long ACM's own certificates are valid. */
const certificateDays = 395;

function textOf(input: Record<string, unknown>, key: string): string {
  const value = input[key];
  if (typeof value !== "string" || value === "") {
    throw new AwsError("BadRequest", `"${key}" is missing`);
  }
  return value;
}

export type Handler = (input: Record<string, unknown>) => unknown;

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function nameFrom(input: Record<string, unknown>): ResourceName {
  if (typeof input["id"] !== "string") {
    throw new AwsError("BadRequest", '"id" is missing');
  }
  return {
    id: input["id"],
    ...(typeof input["type"] === "string" ? { type: input["type"] } : {}),
    ...(typeof input["region"] === "string" ? { region: input["region"] } : {}),
  };
}

export interface RegionStatus {
  resources: number;
  byRegion: Record<string, number>;
  instances: { id: string; region: string; name: string; state: string; privateIp: string }[];
  faults: string[];
}

function statusOf(cloud: Cloud): RegionStatus {
  const resources = listResources(cloud);
  const byRegion: Record<string, number> = {};
  resources.forEach((r) => (byRegion[r.region] = (byRegion[r.region] ?? 0) + 1));
  return {
    resources: resources.length,
    byRegion,
    instances: resources
      .filter((r) => r.type === names.instance)
      .map(({ id, region, attributes: a }) => ({
        id,
        region,
        name: String((a["tagsAll"] as Props | undefined)?.["Name"] ?? ""),
        state: String(a["instanceState"]),
        privateIp: String(a["privateIp"]),
      })),
    faults: cloud.faults.list(),
  };
}

/** A resource for a person to read: values that are secret stay so. */
function shown(cloud: Cloud, stored: StoredResource): Record<string, unknown> {
  const still = cloud.account.get(stored.type, stored.region, stored.id);
  const attributes = { ...(still ? cloud.outputs(still) : stored.attributes) };
  const secret = stored.type !== names.parameter || stored.attributes["type"] === "SecureString";
  for (const [key, property] of Object.entries(propertiesOf(cloud.type(stored.type)))) {
    if (property.sensitive && secret && attributes[key] !== undefined) {
      attributes[key] = "[secret]";
    }
  }
  return { type: stored.type, region: stored.region, id: stored.id, createdAt: stored.createdAt, attributes };
}

function addSeed(cloud: Cloud, input: Record<string, unknown>): unknown {
  const { account } = cloud;
  const text = (key: string) => textOf(input, key);
  const described = (resource: StoredResource) => ({ id: resource.id, attributes: resource.attributes });
  switch (input["kind"]) {
    case "certificate":
      return described(
        seeds.addCertificate(account, {
          arn: text("arn"),
          names: [input["names"] ?? []].flat().map(String),
          issued: typeof input["issued"] === "string" ? input["issued"] : account.now().toISOString(),
          days: Number(input["days"] ?? certificateDays),
        }),
      );
    case "bucket":
      return described(
        seeds.addBucket(account, {
          name: text("name"),
          region: text("region"),
          takesLoadBalancerLogs: input["takesLoadBalancerLogs"] !== false,
        }),
      );
    case "key":
      return described(
        seeds.addKey(account, { arn: text("arn"), ...(input["alias"] ? { alias: text("alias") } : {}) }),
      );
    case "zone":
      return described(
        seeds.addZone(account, {
          id: text("id"),
          name: text("name"),
          private: input["private"] === true,
          ...(input["vpcId"] ? { vpcId: text("vpcId") } : {}),
        }),
      );
    case "image":
      return seeds
        .addImage(account, text("region"), {
          release: text("release"),
          kernel: String(input["kernel"] ?? "6.1"),
          created: typeof input["created"] === "string" ? input["created"] : account.now().toISOString(),
          rootVolumeGiB: Number(input["rootVolumeGiB"] ?? 8),
        })
        .map(described);
    default:
      throw new AwsError(
        "BadRequest",
        `"kind" is one of certificate, bucket, key, zone, image; got ${JSON.stringify(input["kind"])}`,
      );
  }
}
