/** curl: the metadata service, EMQX's own port on the machine, and packages on the internet. Exit codes: EXIT CODES in curl(1). */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { resolve } from "node:path";
import type { RoleCalls } from "../../../dataplane/regionView";
import { codeOf, getParameter, getParameters, getSecretValue } from "./aws";
import { fail, readOptions, type StandIn, valueOf } from "../standIn";
import { type Answer } from "../call";
import type { System } from "../system";

const flags = [
  "-f",
  "-s",
  "-S",
  "-L",
  "-k",
  "--fail",
  "--silent",
  "--show-error",
  "--location",
  "--fail-with-body",
  "--noproxy",
];
const valued = [
  "-o",
  "-X",
  "-H",
  "-d",
  "-w",
  "--data",
  "--data-binary",
  "--max-time",
  "-m",
  "--connect-timeout",
  "--proto",
  "--retry",
  "--noproxy",
  "-u",
  "-K",
  "--aws-sigv4",
];

interface Request {
  url: URL;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
  /** Whose key and what scope it is signed with, by AWS's signature. */
  signed: string | undefined;
  maxSeconds: number;
}

type Response = { status: number; body: string } | { problem: string; code: number };

export const curl: StandIn = async ({ args, cwd, stdin, fileMode }, system) => {
  const single = args.flatMap((arg) =>
    /^-[fsSLk]{2,}$/.test(arg) ? [...arg.slice(1)].map((letter) => `-${letter}`) : [arg],
  );
  const options = readOptions(
    single,
    flags.filter((name) => !valued.includes(name)),
    valued,
  );
  if (typeof options === "string") {
    return fail(`curl: ${options}\ncurl: try 'curl --help' or 'curl --manual' for more information`, 2);
  }
  const isSilent =
    (options.flags.has("-s") || options.flags.has("--silent")) &&
    !(options.flags.has("-S") || options.flags.has("--show-error"));
  const problem = (code: number, words: string): Answer =>
    fail(isSilent ? "" : `curl: (${code}) ${words}`, code);
  const [address, ...more] = options.rest;
  if (address === undefined || more.length > 0) {
    return problem(2, "no URL specified");
  }
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return problem(3, `URL rejected: Malformed input to a URL function`);
  }
  const scheme = url.protocol.replace(":", "");
  const allowed = valueOf(options, "--proto")?.replace(/^=/, "").split(",");
  if (!["http", "https"].includes(scheme) || allowed?.includes(scheme) === false) {
    return problem(1, `Protocol "${scheme}" ${allowed === undefined ? "not supported" : "disabled"}`);
  }
  const data = valueOf(options, "--data") ?? valueOf(options, "-d") ?? valueOf(options, "--data-binary");
  const given = (word: string) =>
    word === "@-" ? stdin : word.startsWith("@") ? readFileSync(resolve(cwd, word.slice(1)), "utf8") : word;
  let request: Request;
  try {
    // Of a file of options: a user, and a header.
    const file = valueOf(options, "-K");
    const text = file === undefined ? "" : readFileSync(resolve(cwd, file), "utf8");
    const [user = valueOf(options, "-u"), header] = ["user", "header"].map(
      (name) => new RegExp(`^${name} = "(.*)"$`, "m").exec(text)?.[1],
    );
    const scope = valueOf(options, "--aws-sigv4");
    const lines = [...(options.values.get("-H") ?? []), ...(header === undefined ? [] : [header])].flatMap(
      (header) => (header.startsWith("@") ? given(header).split("\n") : [header]),
    );
    const headers = lines
      .filter((line) => line.includes(":"))
      .map((line) => [
        line.slice(0, line.indexOf(":")).trim().toLowerCase(),
        line.slice(line.indexOf(":") + 1).trim(),
      ]);
    request = {
      url,
      method: valueOf(options, "-X") ?? (data === undefined ? "GET" : "POST"),
      headers: {
        ...(Object.fromEntries(headers) as Record<string, string>),
        ...(user === undefined || scope !== undefined
          ? {}
          : { authorization: `Basic ${Buffer.from(given(user)).toString("base64")}` }),
      },
      // --data leaves out line ends of what it reads.
      body:
        data === undefined
          ? undefined
          : data.startsWith("@") && !options.values.has("--data-binary")
            ? given(data).replace(/[\r\n]/g, "")
            : given(data),
      signed: scope && `${user} ${scope}`,
      maxSeconds: Number(valueOf(options, "--max-time") ?? valueOf(options, "-m") ?? 30),
    };
  } catch (error) {
    return problem(26, `Failed to open ${(error as NodeJS.ErrnoException).path}`);
  }
  const response = await answered(request, system);
  if ("problem" in response) {
    return problem(response.code, response.problem);
  }
  const fails = options.flags.has("-f") || options.flags.has("--fail");
  if (response.status >= 400 && fails) {
    return problem(22, `The requested URL returned error: ${response.status}`);
  }
  const told = (valueOf(options, "-w") ?? "")
    .replaceAll("%{http_code}", String(response.status))
    .replaceAll("\\n", "\n");
  const output = valueOf(options, "-o");
  if (output === undefined || output === "-") {
    return { out: response.body + told };
  }
  try {
    if (output !== "/dev/null") writeFileSync(resolve(cwd, output), response.body, { mode: fileMode });
  } catch {
    return problem(23, "Failure writing output to destination");
  }
  return { out: told };
};

function answered(request: Request, system: System): Response | Promise<Response> {
  const { url } = request;
  switch (url.hostname) {
    case "169.254.169.254":
      return metadata(request, system);
    case "127.0.0.1":
    case "localhost":
      return ownPort(request, system);
    default:
      return internet(request, system);
  }
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html: version 2 only, with a token. */
function metadata({ url, method, headers }: Request, { instanceId, facts }: System): Response {
  const token = `T-${instanceId}`;
  if (url.pathname === "/latest/api/token") {
    const seconds = Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]);
    return method !== "PUT"
      ? { status: 405, body: "" }
      : seconds >= 1 && seconds <= 21600
        ? { status: 200, body: token }
        : { status: 400, body: "" };
  }
  if (headers["x-aws-ec2-metadata-token"] !== token) {
    return { status: 401, body: "" };
  }
  const known: Record<string, string> = {
    "instance-id": instanceId,
    "local-ipv4": facts().privateIp,
    "iam/security-credentials/": "role",
    "iam/security-credentials/role": JSON.stringify(
      { Code: "Success", ...credentialsOf(instanceId) },
      null,
      2,
    ),
  };
  const value = known[url.pathname.replace("/latest/meta-data/", "")];
  return value === undefined ? { status: 404, body: "" } : { status: 200, body: value };
}

const credentialsOf = (instanceId: string) => ({
  AccessKeyId: `ASIA-${instanceId}`,
  SecretAccessKey: `Secret-of-${instanceId}`,
  Token: `Session-of-${instanceId}`,
});

/** The calls of AWS's API that go without its command line, by the service and by `X-Amz-Target`. */
const apiCalls: Record<string, (role: RoleCalls, request: never) => Promise<object>> = {
  "ssm AmazonSSM.GetParameters": (role, { Names }: { Names: string[] }) => getParameters(role, Names),
  "ssm AmazonSSM.GetParameter": (
    role,
    { Name, WithDecryption }: { Name: string; WithDecryption?: boolean },
  ) => getParameter(role, Name, WithDecryption),
  "secretsmanager secretsmanager.GetSecretValue": (role, { SecretId }: { SecretId: string }) =>
    getSecretValue(role, SecretId),
};

/** The JSON protocol, with a signature of version 4. */
async function awsApi(
  { url, headers, body, signed }: Request,
  { role, instanceId }: System,
): Promise<Response> {
  const refuse = (code: string) => ({ status: 400, body: `{"__type":"${code}"}` });
  const { AccessKeyId, SecretAccessKey, Token } = credentialsOf(instanceId);
  const [service, region] = url.hostname.split(".");
  if (headers["x-amz-security-token"] !== Token) return refuse("UnrecognizedClientException");
  if (signed !== `${AccessKeyId}:${SecretAccessKey} aws:amz:${region}:${service}`)
    return refuse("InvalidSignatureException");
  if (headers["content-type"] !== "application/x-amz-json-1.1") return { status: 404, body: "" };
  const call = apiCalls[`${service} ${headers["x-amz-target"]}`];
  if (call === undefined) return refuse("UnknownOperationException");
  try {
    return { status: 200, body: JSON.stringify(await call(role, JSON.parse(body ?? "") as never)) };
  } catch (error) {
    return refuse(codeOf(error) ?? "SerializationException");
  }
}

function ownPort(
  { url, method, headers, body, maxSeconds }: Request,
  { address }: System,
): Promise<Response> {
  const port = Number(url.port || 80);
  return new Promise((resolve) => {
    const asked = request(
      {
        host: address,
        localAddress: address,
        port,
        path: url.pathname + url.search,
        method,
        headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
        timeout: maxSeconds * 1000,
        agent: false,
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on("error", () => resolve({ problem: "Recv failure: Connection reset by peer", code: 56 }));
      },
    );
    asked.on("error", ({ code, message }: NodeJS.ErrnoException) =>
      resolve(
        code === "ECONNREFUSED"
          ? {
              problem: `Failed to connect to 127.0.0.1 port ${port} after 0 ms: Couldn't connect to server`,
              code: 7,
            }
          : { problem: `Recv failure: ${message}`, code: 56 },
      ),
    );
    asked.on("timeout", () => {
      resolve({
        problem: `Operation timed out after ${maxSeconds * 1000} milliseconds with 0 bytes received`,
        code: 28,
      });
      asked.destroy();
    });
    asked.end(body);
  });
}

/** Nothing is fetched: what is at an address says which address it is, and the checksum beside it fits. */
function internet(asked: Request, system: System): Response | Promise<Response> {
  const { url } = asked;
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const verdict = system.egress(url.hostname, port);
  if (!verdict.allowed) {
    return { problem: `Failed to connect to ${url.hostname} port ${port}: ${verdict.reason}`, code: 28 };
  }
  if (/^(ssm|secretsmanager)\.[\w-]+\.amazonaws\.com$/.test(url.hostname)) return awsApi(asked, system);
  const contentOf = (address: string) => `${address}\n`;
  if (url.pathname.endsWith(".sha256")) {
    const sum = createHash("sha256")
      .update(contentOf(url.href.replace(/\.sha256$/, "")))
      .digest("hex");
    return { status: 200, body: `${sum}\n` };
  }
  return { status: 200, body: contentOf(url.href) };
}
