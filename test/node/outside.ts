/**
 * What is outside of a node: the account with the node's deployment, and the servers that the node asks in it: the instance metadata
 * service, AWS's APIs with the permissions of the node's role, the mirror of EMQX's package. For a network
 * namespace of its own (`enter`), because they have their real addresses and ports.
 */
import { execFileSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { EmqxDeployment } from "../../components";
import { exportFailedMetric, metricsNamespace } from "../../components/emqx/metrics";
import { asRole, Context, names, type RoleSession } from "@emqx-aws/simulator";
import { roleCalls } from "@emqx-aws/simulator/dataplane/regionHost";
import type { RoleCalls } from "@emqx-aws/simulator/dataplane/regionView";
import { inService } from "@emqx-aws/simulator/health";
import { userDataOf } from "@emqx-aws/simulator/services/instances";
import { licenseKeyOf } from "../licenseKey";
import { run, valueOf } from "../support";
import { packageFiles } from "./package";
import { answerAws, type ApiAnswer, type ApiRequest } from "./awsApi";

const region = "eu-west-1";
export const version = "5.10.4";
const secretKey = "the/role's+secret";
const sessionToken = "the-role's-session-token";

export interface Outside {
  instanceId: string;
  userData: string;
  privateIp: string;
  /** The second node's address, where something answers on the distribution's port. */
  peer: string;
  role: RoleSession;
  /** The same for the region's own stand-in of the AWS CLI. */
  calls: RoleCalls;
  /** Where its parameters are, and the bucket of its backups. */
  prefix: string;
  bucket: string;
  /** Host names that are to lead to this process. */
  hosts: string[];
  /** The authority of its certificate. */
  authority: string;
  /** Requests so far: `GetParameter /emqx/…`, `GET package.rpm`. */
  requests: string[];
  /** Answers a request in another way, while it is set. */
  disturb: ((request: string) => { status: number; body: string | Buffer } | undefined) | undefined;
  parameter(name: string): string;
  changeParameter(name: string, value: string): void;
  /** The latest value of the metric by which a failed export is told. */
  exportFailed(): number | undefined;
  close(): Promise<void>;
}

/** `reachedAt`: where the load balancer reaches the node, if not at its own address. */
export async function openOutside(folder: string, reachedAt?: string): Promise<Outside> {
  const zones = ["a", "b"].map((letter) => region + letter);
  let bucket = "";
  const mocks = await run(async () => {
    const deployment = new EmqxDeployment("emqx", {
      availabilityZones: zones,
      nodeCount: 2,
      // As the architecture of the test's package: none
      instance: { type: "m7i.large" },
      emqxVersion: version,
      licenseKey: licenseKeyOf("20260101"),
      certificate: { selfSigned: {} },
      backup: {},
      extraConfig: 'connectors.http.hook { url = "http://10.0.0.9" }',
      secretConfig: { "connectors.http.hook.headers.authorization": "Config-Secret-1" },
    });
    bucket = await valueOf(deployment.backupBucketName as pulumi.Output<string>);
  });
  const { cloud, account } = mocks;
  // Who reports the nodes ready from now on is the node.
  await cloud.machines.dispose();
  const instances = mocks.ofType(names.instance).map(({ id }) => account.get(names.instance, region, id!)!);
  const [own, other] = instances.map((instance) => {
    const userData = userDataOf(instance.attributes)!.toString();
    return { instance, userData, ip: /PRIVATE_IP='(.*)'/.exec(userData)![1]! };
  });
  const { instance, userData, ip } = own!;
  const prefix = /PARAMETER_PREFIX='(.*)'/.exec(userData)![1]!;
  const balancer = mocks.ofType(names.loadBalancer)[0]!.id!;
  const stored = (name: string) =>
    new Context(account, region, {}, cloud.surroundings).find(names.parameter, `${prefix}/${name}`)!;
  const changeParameter = (name: string, value: string) => {
    const parameter = stored(name);
    const later = (parameter.attributes["version"] as number) + 1;
    account.update(parameter, { value, version: later });
  };
  ["ready", "applied"].forEach((name) => changeParameter(`nodes/0/${name}`, "never"));

  const rpm = buildPackage(folder);
  const role = asRole(cloud, instance);
  /** What the load balancer does from time to time. */
  const checkHealth = async () => {
    const status = fetch(`http://${reachedAt ?? ip}:18083/status`, { signal: AbortSignal.timeout(2000) });
    if (
      await status.then(
        ({ ok }) => ok,
        () => false,
      )
    )
      cloud.health.set(region, balancer, instance.id, inService);
  };
  const calls = roleCalls(cloud, () => instance);
  const requests: string[] = [];
  const serve = (isSecure: boolean) => async (request: IncomingMessage, response: ServerResponse) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const url = new URL(request.url!, `http://${request.headers.host ?? ""}`);
    const { method = "" } = request;
    const about = String(
      request.headers["x-amz-target"] ?? new URLSearchParams(body.toString()).get("Action") ?? method,
    );
    const subject = (/"Name": *"(.*?)"/.exec(body.toString()) ?? [undefined, url.pathname])[1];
    const title = `${about.replace(/.*\./, "")} ${subject}`;
    requests.push(title);
    const asked = { method, url, headers: request.headers, body: Buffer.concat(body) };
    const answer: ApiAnswer =
      outside.disturb?.(title) ??
      (!isSecure
        ? metadata(asked)
        : url.hostname === "packages.emqx.io"
          ? packages(url.pathname)
          : request.headers["x-amz-security-token"] === sessionToken && isSigned(asked)
            ? (await checkHealth(), answerAws(role, asked))
            : { status: 403, body: "not the role's credentials" });
    response.writeHead(answer.status, {
      "Content-Length": Buffer.byteLength(answer.body),
      ...answer.headers,
    });
    response.end(method === "HEAD" ? undefined : answer.body);
  };
  const metadata = ({ method, url, headers }: ApiRequest): ApiAnswer => {
    if (method === "PUT" && url.pathname === "/latest/api/token") {
      return {
        status: headers["x-aws-ec2-metadata-token-ttl-seconds"] === undefined ? 400 : 200,
        body: "imds",
      };
    }
    if (headers["x-aws-ec2-metadata-token"] !== "imds") return { status: 401, body: "" };
    const credentials = "/latest/meta-data/iam/security-credentials/";
    const texts: Record<string, string> = {
      "/latest/meta-data/instance-id": instance.id,
      [credentials]: "the-role",
      [`${credentials}the-role`]: JSON.stringify({
        Code: "Success",
        Type: "AWS-HMAC",
        AccessKeyId: "ASIAEXAMPLE",
        SecretAccessKey: secretKey,
        Token: sessionToken,
        LastUpdated: new Date().toISOString(),
        Expiration: new Date(Date.now() + 6 * 3600_000).toISOString(),
      }),
    };
    const text = texts[url.pathname];
    return text === undefined ? { status: 404, body: "" } : { status: 200, body: text };
  };
  const packages = (path: string) =>
    path.endsWith(".rpm.sha256")
      ? { status: 200, body: createHash("sha256").update(rpm).digest("hex") }
      : path.endsWith(".rpm")
        ? { status: 200, body: rpm }
        : { status: 404, body: "" };

  const hosts = [
    "packages.emqx.io",
    ...["ssm", "elasticloadbalancing", "monitoring", "s3", `${bucket}.s3`].map(
      (name) => `${name}.${region}.amazonaws.com`,
    ),
  ];
  const authority = makeCertificate(folder, hosts);
  for (const address of ["169.254.169.254", other!.ip])
    execFileSync("ip", ["addr", "add", `${address}/32`, "dev", "lo"]);
  const tls = { key: readFileSync(join(folder, "key.pem")), cert: authority };
  const servers = await Promise.all([
    listen(
      createHttpServer((...both) => void serve(false)(...both)),
      80,
      "169.254.169.254",
    ),
    listen(
      createHttpsServer(tls, (...both) => void serve(true)(...both)),
      443,
      "127.0.0.1",
    ),
    listen(
      createServer((socket) => socket.destroy()),
      6369,
      other!.ip,
    ),
  ]);
  const outside: Outside = {
    instanceId: instance.id,
    userData,
    privateIp: ip,
    peer: other!.ip,
    role,
    calls: {
      ...calls,
      describeInstanceHealth: async (...which) => (
        await checkHealth(),
        calls.describeInstanceHealth(...which)
      ),
    },
    prefix,
    bucket,
    hosts,
    authority,
    requests,
    disturb: undefined,
    parameter: (name) => stored(name).attributes["value"] as string,
    changeParameter,
    exportFailed: () =>
      cloud.metrics.get(region, `${metricsNamespace} ${exportFailedMetric}`, { Cluster: prefix })?.value,
    close: async () =>
      void (await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))),
  };
  return outside;
}

/** Whether a call of curl's has the role's signature: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. */
function isSigned({ method, url, headers, body }: ApiRequest): boolean {
  if (!headers["user-agent"]?.startsWith("curl/")) return true;
  const [, scope = "", names = "", signature] =
    /Credential=[^/]+\/(\S+?), *SignedHeaders=(\S+?), *Signature=(\w+)/.exec(headers.authorization ?? "") ??
    [];
  const sum = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");
  const lines = names.split(";").map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [method, url.pathname, "", lines.join(""), names, sum(body)].join("\n");
  const sign = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const key = scope.split("/").reduce<string | Buffer>(sign, `AWS4${secretKey}`);
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sum(canonical)].join("\n");
  return signature === sign(key, text).toString("hex") && names.split(";").includes("x-amz-target");
}

function listen<S extends Server>(server: S, port: number, host: string): Promise<S> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

function makeCertificate(folder: string, hosts: string[]): string {
  const names = hosts.map((host) => `DNS:${host}`).join(",");
  const out = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "certificate.pem")];
  const options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=outside"];
  execFileSync("openssl", ["req", ...options, ...out, "-addext", `subjectAltName=${names}`], {
    stdio: "ignore",
  });
  return readFileSync(join(folder, "certificate.pem"), "utf8");
}

/** The RPM with the stand-in for EMQX. */
function buildPackage(folder: string): Buffer {
  const from = packageFiles(folder);
  const defines = [`version ${version}`, `from ${from}`, `_topdir ${from}/build`].flatMap((define) => [
    "--define",
    define,
  ]);
  execFileSync("rpmbuild", ["-bb", "--quiet", ...defines, join(from, "emqx.spec")], { stdio: "ignore" });
  return readFileSync(join(from, `build/RPMS/noarch/emqx-enterprise-${version}-1.noarch.rpm`));
}
