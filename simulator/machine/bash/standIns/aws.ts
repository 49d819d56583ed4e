/**
 * The AWS CLI, version 2, with the credentials of the instance's role. Exit codes (AWS CLI user guide, "Return codes"):
 * 252 usage, 253 configuration or credentials, 254 the service refused, 255 anything else, as no way there; `s3 cp` answers 1.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { RoleCalls } from "../../../dataplane/regionView";
import { fail, type Options, readOptions, type StandIn, valueOf } from "../standIn";
import { type Answer, type Call } from "../call";
import { query, textOf } from "../query";

interface Request {
  role: RoleCalls;
  options: Options;
  /** Values of the one option that takes a list. */
  list: string[];
  cwd: string;
}

interface Operation {
  /** Host name of the endpoint, before the region. */
  endpoint: string;
  /** As the service calls it in its refusals. */
  name: string;
  required: string[];
  optional?: string[];
  flags?: string[];
  /** An option that takes all words after it. */
  list?: string;
  /** The service's answer, as the API has it. */
  run(request: Request): Promise<object | undefined>;
}

const operations: Record<string, Operation> = {
  "ssm get-parameter": {
    endpoint: "ssm",
    name: "GetParameter",
    required: ["--name"],
    flags: ["--with-decryption", "--no-with-decryption"],
    run: ({ role, options }) =>
      getParameter(role, valueOf(options, "--name")!, options.flags.has("--with-decryption")),
  },
  "ssm get-parameters": {
    endpoint: "ssm",
    name: "GetParameters",
    required: ["--names"],
    list: "--names",
    run: ({ role, list }) => getParameters(role, list),
  },
  "secretsmanager get-secret-value": {
    endpoint: "secretsmanager",
    name: "GetSecretValue",
    required: ["--secret-id"],
    run: ({ role, options }) => getSecretValue(role, valueOf(options, "--secret-id")!),
  },
  "ssm put-parameter": {
    endpoint: "ssm",
    name: "PutParameter",
    required: ["--name", "--value"],
    flags: ["--overwrite", "--no-overwrite"],
    run: async ({ role, options }) => {
      if (!options.flags.has("--overwrite")) {
        throw refusal(
          "ParameterAlreadyExists",
          "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        );
      }
      await role.putParameter(valueOf(options, "--name")!, valueOf(options, "--value")!);
      return { Version: 2, Tier: "Standard" };
    },
  },
  "elb describe-instance-health": {
    endpoint: "elasticloadbalancing",
    name: "DescribeInstanceHealth",
    required: ["--load-balancer-name"],
    optional: ["--instances"],
    run: async ({ role, options }) => {
      // Ids as they are: "InstanceId=i-…" is taken for an id here (aws/aws-cli@2.9.19:awscli/argprocess.py, _uses_old_list_case).
      const instanceId = valueOf(options, "--instances") ?? "";
      const { state, reasonCode, description } = await role.describeInstanceHealth(
        valueOf(options, "--load-balancer-name")!,
        instanceId,
      );
      return {
        InstanceStates: [
          { InstanceId: instanceId, State: state, ReasonCode: reasonCode, Description: description },
        ],
      };
    },
  },
  "elbv2 describe-target-health": {
    endpoint: "elasticloadbalancing",
    name: "DescribeTargetHealth",
    required: ["--target-group-arn"],
    optional: ["--targets"],
    run: async ({ role, options }) => {
      const id = /^Id=([^,]+)$/.exec(valueOf(options, "--targets") ?? "")?.[1] ?? "";
      const { state, reason, description } = await role.describeTargetHealth(
        valueOf(options, "--target-group-arn")!,
        id,
      );
      return {
        TargetHealthDescriptions: [
          {
            Target: { Id: id },
            // The attributes that a healthy one lacks are not in the answer.
            TargetHealth: { State: state, Reason: reason, Description: description },
          },
        ],
      };
    },
  },
  "cloudwatch put-metric-data": {
    endpoint: "monitoring",
    name: "PutMetricData",
    required: ["--namespace", "--metric-name", "--value"],
    optional: ["--dimensions", "--unit"],
    run: async ({ role, options }) => {
      const dimensions = (valueOf(options, "--dimensions") ?? "").split(",").filter((pair) => pair !== "");
      await role.putMetricData(
        valueOf(options, "--namespace")!,
        valueOf(options, "--metric-name")!,
        Object.fromEntries(dimensions.map((pair) => pair.split("=", 2) as [string, string])),
        Number(valueOf(options, "--value")),
      );
      return undefined;
    },
  },
  "s3api head-object": {
    endpoint: "s3",
    name: "HeadObject",
    required: ["--bucket", "--key"],
    run: async ({ role, options }) => {
      try {
        const content = await role.getObject(valueOf(options, "--bucket")!, valueOf(options, "--key")!);
        return { ContentLength: content.length, ContentType: "binary/octet-stream" };
      } catch (error) {
        // The answer to a HEAD has no body: there are no words of S3 in it.
        const isMissing = codeOf(error) === "NoSuchKey";
        throw isMissing ? refusal("404", "Not Found") : refusal("403", "Forbidden");
      }
    },
  },
  "s3api list-objects-v2": {
    endpoint: "s3",
    name: "ListObjectsV2",
    required: ["--bucket"],
    optional: ["--prefix"],
    run: async ({ role, options }) => {
      const found = await role.listObjects(valueOf(options, "--bucket")!, valueOf(options, "--prefix") ?? "");
      const contents = found.map(({ key, size, lastModified }) => ({
        Key: key,
        Size: size,
        LastModified: lastModified,
      }));
      return contents.length === 0 ? {} : { Contents: contents };
    },
  },
};

export async function getParameter(role: RoleCalls, name: string, withDecryption = false) {
  const value = await role.getParameter(name, withDecryption);
  return { Parameter: { Name: name, Value: value, DataType: "text" } };
}

export async function getSecretValue(role: RoleCalls, arn: string) {
  return { ARN: arn, SecretString: await role.getSecretValue(arn), VersionStages: ["AWSCURRENT"] };
}

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html: at most 10 names. */
export async function getParameters(role: RoleCalls, names: string[]) {
  if (names.length > 10) {
    throw refusal(
      "ValidationException",
      `1 validation error detected: Value '[${names.join(", ")}]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 10`,
    );
  }
  const found = await role.getParameters(names);
  return {
    Parameters: found.map(({ name, value, version }) => ({ Name: name, Value: value, Version: version })),
    InvalidParameters: names.filter((name) => found.every((each) => each.name !== name)),
  };
}

/** Options of every command. */
const common = [
  "--region",
  "--query",
  "--output",
  "--cli-connect-timeout",
  "--cli-read-timeout",
  "--endpoint-url",
];
const commonFlags = ["--no-cli-pager", "--no-paginate"];

export const aws: StandIn = async (call, { egress, role }) => {
  const { cwd, environment } = call;
  const words = [...call.args];
  // Options of every command may come first.
  const leading: string[] = [];
  while (words[0]?.startsWith("-")) {
    leading.push(words.shift()!);
    if (common.includes(leading.at(-1)!) && words.length > 0) leading.push(words.shift()!);
  }
  const [service = "", verb = "", ...given] = words;
  const operation = operations[`${service} ${verb}`];
  if (operation === undefined && `${service} ${verb}` !== "s3 cp") {
    return usage(`argument operation: Found invalid choice '${service} ${verb}'`);
  }
  const { listed, others } = splitList([...leading, ...given], operation?.list);
  const valued = [...common, ...(operation?.required ?? []), ...(operation?.optional ?? [])];
  const options = readOptions(
    others,
    [
      ...commonFlags,
      ...(operation === undefined
        ? ["--only-show-errors", "--no-progress", "--quiet"]
        : (operation.flags ?? [])),
    ],
    valued.filter((name) => name !== operation?.list),
  );
  if (typeof options === "string") {
    return usage(`Unknown options: ${options}`);
  }
  const region =
    valueOf(options, "--region") ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  if (region === undefined) {
    return fail(
      `\nYou must specify a region. You can also configure your region by running "aws configure".`,
      253,
    );
  }
  const endpoint = `${operation?.endpoint ?? "s3"}.${region}.amazonaws.com`;
  const verdict = egress(endpoint, 443);
  if (operation === undefined) {
    return copy(options, call, role, verdict.allowed ? undefined : noWay(endpoint, verdict.reason));
  }
  const missing = operation.required.filter(
    (name) => name !== operation.list && valueOf(options, name) === undefined,
  );
  if (
    missing.length > 0 ||
    options.rest.length > 0 ||
    (operation.list !== undefined && listed.length === 0)
  ) {
    const what =
      options.rest.length > 0
        ? `Unknown options: ${options.rest.join(", ")}`
        : `the following arguments are required: ${[...missing, ...(operation.list !== undefined && listed.length === 0 ? [operation.list] : [])].join(", ")}`;
    return usage(what);
  }
  if (!verdict.allowed) {
    return fail(`\n${noWay(endpoint, verdict.reason)}`, 255);
  }
  try {
    const answer = await operation.run({ role, options, list: listed, cwd });
    return answer === undefined ? {} : { out: shown(answer, options) };
  } catch (error) {
    return refused(error, operation.name);
  }
};

/** `s3 cp` of one file. */
async function copy(
  options: Options,
  { cwd, fileMode }: Call,
  role: RoleCalls,
  unreachable: string | undefined,
): Promise<Answer> {
  const [from, to, ...more] = options.rest;
  if (from === undefined || to === undefined || more.length > 0) {
    return usage("the following arguments are required: paths");
  }
  const remote = (place: string) =>
    /^s3:\/\/([^/]+)\/(.+)$/s.exec(place)?.slice(1) as [string, string] | undefined;
  const [source, target] = [remote(from), remote(to)];
  if ((source === undefined) === (target === undefined)) {
    return usage("Invalid argument type");
  }
  try {
    if (target !== undefined) {
      let content: Buffer;
      try {
        content = readFileSync(resolve(cwd, from));
      } catch {
        return fail(`\nThe user-provided path ${from} does not exist.`, 255);
      }
      if (unreachable !== undefined) throw new Error(unreachable);
      await role.putObject(...target, content);
    } else {
      if (unreachable !== undefined) throw new Error(unreachable);
      const content = await role.getObject(...source!);
      writeFileSync(resolve(cwd, to), content, { mode: fileMode });
    }
    return {};
  } catch (error) {
    const operation = target === undefined ? "GetObject" : "PutObject";
    const code = codeOf(error);
    const [verb, place] = target === undefined ? ["download", from] : ["upload", from];
    const isMissing = code === "NoSuchKey";
    if (isMissing) {
      return fail(
        `fatal error: An error occurred (404) when calling the HeadObject operation: Key "${source?.[1]}" does not exist`,
      );
    }
    const words = code === undefined ? (error as Error).message : wordsOf(error, operation);
    return fail(`${verb} failed: ${place} to ${to} ${words}`);
  }
}

/** Values after an option that takes a list, and what is left without them. */
function splitList(words: string[], list: string | undefined): { listed: string[]; others: string[] } {
  const start = list === undefined ? -1 : words.indexOf(list);
  if (start < 0) {
    return { listed: [], others: words };
  }
  const end = words.findIndex((word, index) => index > start && word.startsWith("--"));
  const stop = end < 0 ? words.length : end;
  return { listed: words.slice(start + 1, stop), others: [...words.slice(0, start), ...words.slice(stop)] };
}

function shown(answer: object, options: Options): string {
  const expression = valueOf(options, "--query");
  const result = expression === undefined ? answer : query(answer, expression);
  return valueOf(options, "--output") === "text" ? textOf(result) : `${JSON.stringify(result, null, 4)}\n`;
}

function usage(problem: string): Answer {
  return fail(
    `\nusage: aws [options] <command> <subcommand> [<subcommand> ...] [parameters]\nTo see help text, you can run:\n\n  aws help\n\naws: error: ${problem}`,
    252,
  );
}

function noWay(endpoint: string, reason: string): string {
  return `Could not connect to the endpoint URL: "https://${endpoint}/": ${reason}`;
}

function refused(error: unknown, operation: string): Answer {
  const code = codeOf(error);
  if (code === "NoCredentials") {
    return fail(
      `\nUnable to locate credentials. You can configure credentials by running "aws configure". ${(error as Error).message}`,
      253,
    );
  }
  return fail(`\n${wordsOf(error, operation)}`, 254);
}

function wordsOf(error: unknown, operation: string): string {
  const { message } = error as Error;
  return message.startsWith("An error occurred")
    ? message
    : `An error occurred (${codeOf(error) ?? "InternalError"}) when calling the ${operation} operation: ${message.replace(/^\w+: /, "")}`;
}

export function codeOf(error: unknown): string | undefined {
  const { code, message } = error as Error & { code?: unknown };
  return typeof code === "string" ? code : /^(\w+): /.exec(message)?.[1];
}

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
