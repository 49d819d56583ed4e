/**
 * What CloudWatch's alarms would say of the region as it is at this moment. There is no history here: a value beyond the
 * threshold counts as an alarm at once, and the reason says for how long AWS would want to see it.
 */
import { X509Certificate } from "node:crypto";
import { exportFailedMetric, metricsNamespace } from "../../components/emqx/metrics";
import type { Cloud } from "../cloud";
import * as names from "../services/names";
import type { StoredResource } from "../storedResource";
import type { DataPlane } from "./dataPlane";

export interface AlarmStatus {
  name: string;
  region: string;
  state: "OK" | "ALARM" | "no data";
  /** The value against the threshold, or why there is none. */
  why: string;
}

/** A metric's value now; or that AWS would have none; or that the region does not measure it. */
export type Measured = { value: number } | { missing: string } | { unmeasured: true };

/** `periodSeconds` is the time in which AWS would look for data. */
type Measure = (metric: string, dimensions: Record<string, string>, periodSeconds: number) => Measured;

export function alarmStatuses(cloud: Cloud, plane: DataPlane): AlarmStatus[] {
  return cloud.account
    .list(names.metricAlarm)
    .map((alarm) => alarmStatus(alarm, measureOf(cloud, plane, alarm.region)))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

const comparisons: Record<string, [sign: string, isBeyond: (value: number, threshold: number) => boolean]> = {
  GreaterThanOrEqualToThreshold: [">=", (value, threshold) => value >= threshold],
  GreaterThanThreshold: [">", (value, threshold) => value > threshold],
  LessThanThreshold: ["<", (value, threshold) => value < threshold],
  LessThanOrEqualToThreshold: ["<=", (value, threshold) => value <= threshold],
};

export function alarmStatus({ id, region, attributes: a }: StoredResource, measure: Measure): AlarmStatus {
  const metric = `${String(a["namespace"])} ${String(a["metricName"])}`;
  const periodSeconds = (a["period"] as number) * (a["evaluationPeriods"] as number);
  const measured = measure(metric, (a["dimensions"] ?? {}) as Record<string, string>, periodSeconds);
  const status = (state: AlarmStatus["state"], why: string): AlarmStatus => ({
    name: id,
    region,
    state,
    why,
  });
  if ("unmeasured" in measured) {
    return status("no data", `${metric}: the simulated region does not measure it`);
  }
  if ("missing" in measured) {
    const states: Record<string, AlarmStatus["state"]> = { breaching: "ALARM", notBreaching: "OK" };
    const treatment = String(a["treatMissingData"]);
    return status(
      states[treatment] ?? "no data",
      `${metric}: ${measured.missing}; missing data is ${treatment === "ignore" ? "ignored" : treatment}`,
    );
  }
  const [sign, isBeyond] = comparisons[String(a["comparisonOperator"])]!;
  const threshold = a["threshold"] as number;
  const isAlarm = isBeyond(measured.value, threshold);
  const text = `${metric} is ${measured.value}, the alarm is for ${sign} ${threshold}`;
  return isAlarm
    ? status(
        "ALARM",
        `${text}, once it has been so for ${periodSeconds / 60} min${actionText(a["alarmActions"])}`,
      )
    : status("OK", text);
}

function actionText(actions: unknown): string {
  const own = ((actions ?? []) as string[]).map((arn) => /:ec2:(\w+)$/.exec(arn)?.[1]).find(Boolean);
  return own === undefined ? "" : `; EC2 would ${own} the instance then`;
}

function measureOf(cloud: Cloud, plane: DataPlane, region: string): Measure {
  return (metric, dimensions, periodSeconds) => {
    switch (metric) {
      case "AWS/ELB HealthyHostCount":
        return hosts(plane, dimensions["LoadBalancerName"], true);
      case "AWS/ELB UnHealthyHostCount":
        return hosts(plane, dimensions["LoadBalancerName"], false);
      case "AWS/EC2 StatusCheckFailed_System":
      case "AWS/EC2 StatusCheckFailed_Instance":
        return statusCheck(cloud, plane, region, dimensions["InstanceId"]);
      case "AWS/CertificateManager DaysToExpiry":
        return daysToExpiry(cloud, plane, region, dimensions["CertificateArn"]);
      case `${metricsNamespace} ${exportFailedMetric}`:
        return sent(cloud, region, metric, dimensions, periodSeconds);
      default:
        return { unmeasured: true };
    }
  };
}

/** What a machine has sent. */
function sent(
  cloud: Cloud,
  region: string,
  metric: string,
  dimensions: Record<string, string>,
  periodSeconds: number,
): Measured {
  const datum = cloud.metrics.get(region, metric, dimensions);
  if (datum === undefined) {
    return { missing: "nobody has sent any" };
  }
  const ageSeconds = (cloud.account.now().getTime() - datum.at.getTime()) / 1000;
  return ageSeconds > periodSeconds
    ? { missing: `the last one was sent at ${datum.at.toISOString()}` }
    : { value: datum.value };
}

function hosts(plane: DataPlane, loadBalancerName: string | undefined, inService: boolean): Measured {
  const balancer = plane.loadBalancers().find(({ name }) => name === loadBalancerName);
  const health = Object.values(balancer?.health ?? {});
  return health.length === 0
    ? { missing: `${loadBalancerName} has no registered instance` }
    : { value: health.filter(({ state }) => (state === "InService") === inService).length };
}

/** Power and network of the machine: without either, both of AWS's checks fail. */
function statusCheck(
  cloud: Cloud,
  plane: DataPlane,
  region: string,
  instanceId: string | undefined,
): Measured {
  const instance = cloud.account.get(names.instance, region, instanceId ?? "");
  const state = instance?.attributes["instanceState"] ?? "gone";
  const machine = plane.machines().find((one) => one.instanceId === instanceId);
  return state !== "running" || machine === undefined
    ? { missing: `${instanceId} is ${String(state)}` }
    : { value: machine.silent ? 1 : 0 };
}

function daysToExpiry(cloud: Cloud, plane: DataPlane, region: string, arn: string | undefined): Measured {
  const certificate = cloud.account.get(names.certificate, region, arn ?? "");
  if (arn === undefined || certificate === undefined) {
    return { missing: `there is no certificate ${arn}` };
  }
  // What listeners serve may be an expired copy (see the drill).
  const served = plane.certificate(arn);
  const end = served
    ? new X509Certificate(served.certificatePem).validTo
    : certificate.attributes["notAfter"];
  const days = Math.floor((Date.parse(String(end)) - cloud.account.now().getTime()) / 86_400_000);
  return days < 0 ? { missing: "the certificate has expired, and ACM counts no more" } : { value: days };
}
