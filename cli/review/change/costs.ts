/** What AWS charges for, counted before and after. Counts can be trusted; the estimate in dollars is in monthly.ts. */
import type { Existing, Side } from "./side";
import { types } from "../types";
import { list, number, record, text } from "./values";

export interface Cost {
  what: string;
  unit: string;
  before: number;
  after: number;
}

/** Rows whose amount changes. */
export function costsOf(before: Side, after: Side): Cost[] {
  const [old, next] = [amounts(before), amounts(after)];
  return [...new Set([...old.keys(), ...next.keys()])]
    .sort()
    .map((key) => {
      const [what = "", unit = ""] = key.split("|");
      return { what, unit, before: old.get(key) ?? 0, after: next.get(key) ?? 0 };
    })
    .filter((row) => row.before !== row.after);
}

function amounts(side: Side): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (key: string, amount = 1) => sums.set(key, (sums.get(key) ?? 0) + amount);
  for (const resource of side.resources) {
    for (const [key, amount] of charges(resource)) add(key, amount);
  }
  return sums;
}

const simple: Record<string, string> = {
  [types.natGateway]: "NAT gateway|",
  [types.eip]: "Elastic IP address|",
  [types.loadBalancer]: "Classic ELB|",
  [types.logGroup]: "CloudWatch log group|",
  [types.flowLog]: "VPC flow log|",
  "aws:cloudwatch/metricAlarm:MetricAlarm": "CloudWatch alarm|",
  "aws:cloudwatch/dashboard:Dashboard": "CloudWatch dashboard|",
  "aws:s3/bucket:Bucket": "S3 bucket|",
  "aws:dlm/lifecyclePolicy:LifecyclePolicy": "daily snapshots of volumes|",
  "aws:kms/key:Key": "KMS key|",
  "aws:route53/zone:Zone": "Route 53 hosted zone|",
  "aws:lb/loadBalancer:LoadBalancer": "load balancer|",
  "aws:rds/instance:Instance": "RDS instance|",
  "aws:secretsmanager/secret:Secret": "secret in Secrets Manager|",
  "aws:ec2/customerGateway:CustomerGateway": "customer gateway|",
  "aws:ec2/transitGateway:TransitGateway": "transit gateway|",
};

function charges({ type, inputs }: Existing): [string, number][] {
  const one = simple[type];
  if (one !== undefined) return [[one, 1]];
  switch (type) {
    case types.instance: {
      const root = record(inputs.rootBlockDevice);
      const size = number(root.volumeSize);
      return [
        [`EC2 instance ${text(inputs.instanceType) ?? ""}|`, 1],
        ...(size === undefined ? [] : [storage(root.volumeType, size)]),
        ...(inputs.monitoring === true ? ([["detailed monitoring|instances", 1]] as [string, number][]) : []),
      ];
    }
    case types.volume:
      return [storage(inputs.type, number(inputs.size) ?? 0)];
    case "aws:ec2/vpcEndpoint:VpcEndpoint":
      // Gateway endpoints are free.
      return inputs.vpcEndpointType === "Interface"
        ? [["VPC interface endpoint|zones", Math.max(1, list(inputs.subnetIds).length)]]
        : [];
    default:
      return [];
  }
}

function storage(volumeType: unknown, size: number): [string, number] {
  return [`EBS ${text(volumeType) ?? "gp3"} storage|GiB`, size];
}
