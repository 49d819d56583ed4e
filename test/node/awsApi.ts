/**
 * The calls of AWS's APIs that the nodes' scripts make, in the protocols that the AWS CLI speaks (JSON 1.1 for Systems Manager, JSON
 * or query for CloudWatch, query for load balancers, REST with XML for S3): from a request to what the region's
 * role session says, and back. botocore's service models (botocore/data/<service>/service-2.json) are the source.
 */
import type { IncomingHttpHeaders } from "node:http";
import { AwsError } from "@emqx-aws/simulator/errors";
import type { RoleSession } from "@emqx-aws/simulator/roles";

export interface ApiRequest {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface ApiAnswer {
  status: number;
  body: string | Buffer;
  headers?: Record<string, string>;
}

export function answerAws(role: RoleSession, request: ApiRequest): ApiAnswer {
  const [first, second] = request.url.hostname.split(".");
  const service = first === "s3" || second === "s3" ? s3 : first === "ssm" ? ssm : queries;
  try {
    return service(role, request);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const { code, message } = error;
    if (service === ssm) return json(400, { __type: code, message });
    const status = code.startsWith("NoSuch") ? 404 : 403;
    return service === s3
      ? { status, body: xml(`<Error><Code>${code}</Code><Message>${text(message)}</Message></Error>`) }
      : {
          status: 400,
          body: xml(
            `<ErrorResponse><Error><Code>${code}</Code><Message>${text(message)}</Message></Error></ErrorResponse>`,
          ),
        };
  }
}

function ssm(role: RoleSession, { headers, body }: ApiRequest): ApiAnswer {
  const input = JSON.parse(body.toString()) as Record<string, never>;
  const shown = (value: ReturnType<RoleSession["getParameter"]>) => ({
    Name: value.name,
    Type: value.type,
    Value: value.value,
    Version: value.version,
  });
  switch (String(headers["x-amz-target"])) {
    case "AmazonSSM.GetParameter":
      return json(200, {
        Parameter: shown(role.getParameter(input["Name"]!, { withDecryption: input["WithDecryption"]! })),
      });
    case "AmazonSSM.GetParameters": {
      const names = input["Names"]! as string[];
      const found = role.getParameters(names).map(shown);
      const missing = names.filter((name) => found.every(({ Name }) => Name !== name));
      return json(200, { Parameters: found, InvalidParameters: missing });
    }
    case "AmazonSSM.PutParameter": {
      const { version } = role.putParameter(input["Name"]!, input["Value"]!, {
        overwrite: input["Overwrite"]!,
      });
      return json(200, { Version: version, Tier: "Standard" });
    }
    default:
      throw new AwsError("UnknownOperationException", String(headers["x-amz-target"]));
  }
}

/** Load balancers, and CloudWatch, which newer clients ask in JSON. */
function queries(role: RoleSession, { headers, body }: ApiRequest): ApiAnswer {
  if (String(headers["x-amz-target"]).endsWith(".PutMetricData")) {
    const { Namespace, MetricData } = JSON.parse(body.toString()) as {
      Namespace: string;
      MetricData: { MetricName: string; Value: number; Dimensions: { Name: string; Value: string }[] }[];
    };
    for (const { MetricName, Value, Dimensions } of MetricData) {
      const dimensions = Object.fromEntries(Dimensions.map((each) => [each.Name, each.Value]));
      role.putMetricData(Namespace, MetricName, dimensions, Value);
    }
    return json(200, {});
  }
  const form = new URLSearchParams(body.toString());
  const given = (name: string) => form.get(name) ?? "";
  switch (given("Action")) {
    case "PutMetricData": {
      const metric = "MetricData.member.1";
      const dimension = `${metric}.Dimensions.member.1`;
      const dimensions = { [given(`${dimension}.Name`)]: given(`${dimension}.Value`) };
      const value = Number(given(`${metric}.Value`));
      role.putMetricData(given("Namespace"), given(`${metric}.MetricName`), dimensions, value);
      return { status: 200, body: xml("<PutMetricDataResponse/>") };
    }
    case "DescribeInstanceHealth": {
      const ids = [given("Instances.member.1.InstanceId")];
      const members = role
        .describeInstanceHealth(given("LoadBalancerName"), ids)
        .map(
          ({ instanceId, state, description, reasonCode }) =>
            `<member><InstanceId>${instanceId}</InstanceId><State>${state}</State>` +
            `<ReasonCode>${reasonCode}</ReasonCode><Description>${text(description)}</Description></member>`,
        );
      const states = `<InstanceStates>${members.join("")}</InstanceStates>`;
      return {
        status: 200,
        body: xml(
          `<DescribeInstanceHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/">` +
            `<DescribeInstanceHealthResult>${states}</DescribeInstanceHealthResult></DescribeInstanceHealthResponse>`,
        ),
      };
    }
    default:
      throw new AwsError("InvalidAction", given("Action"));
  }
}

function s3(role: RoleSession, { method, url, headers, body }: ApiRequest): ApiAnswer {
  const path = decodeURIComponent(url.pathname).slice(1);
  const host = url.hostname.split(".");
  // Virtual hosts, and paths for names that do not fit a host
  const [bucket, key] = host[0] === "s3" ? split(path) : [host[0]!, path];
  if (method === "PUT") {
    role.putObject(bucket, key, headers["content-encoding"] === "aws-chunked" ? unchunked(body) : body);
    return { status: 200, body: "", headers: { ETag: `"0"` } };
  }
  if (url.searchParams.get("list-type") === "2") {
    const contents = role
      .listObjects(bucket, url.searchParams.get("prefix") ?? "")
      .map((o) => `<Contents><Key>${text(o.key)}</Key><Size>${o.size}</Size></Contents>`);
    return { status: 200, body: xml(`<ListBucketResult>${contents.join("")}</ListBucketResult>`) };
  }
  const content = role.getObject(bucket, key);
  return { status: 200, body: content, headers: { ETag: `"0"`, "Last-Modified": new Date(0).toUTCString() } };
}

function split(path: string): [string, string] {
  const slash = path.indexOf("/");
  return slash < 0 ? [path, ""] : [path.slice(0, slash), path.slice(slash + 1)];
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */
function unchunked(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = body.indexOf("\r\n", at);
    const size = parseInt(body.toString("latin1", at, line), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

const json = (status: number, value: object): ApiAnswer => ({ status, body: JSON.stringify(value) });
const xml = (content: string): string => `<?xml version="1.0" encoding="UTF-8"?>${content}`;
const text = (value: string): string => value.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
