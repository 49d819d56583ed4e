/**
 * Prices of AWS. On-demand list prices in US dollars without tax, as far as they were known when they were noted here;
 * AWS changes them now and then. Whoever decides by them checks them: https://calculator.aws
 */

/** When the prices below were noted. */
export const pricesNoted = "2024 to January 2026";

/** What every estimate says beside its numbers. */
export const pricesCaveat = `on-demand list prices noted from ${pricesNoted}; check the current ones`;

/** AWS's own month: 8,760 hours a year, divided by twelve. */
export const hoursPerMonth = 730;

/** Prices of one region. */
export interface Prices {
  /** Instances, per hour, by family: the price of its size `large`. The other sizes cost in proportion. */
  instanceLarge: Record<string, number>;
  /** EBS, per GiB and month, by volume type. */
  volumeGiB: Record<string, number>;
  /** gp3 only: per month, for each IOPS above 3,000. */
  gp3Iops: number;
  /** gp3 only: per month, for each MiB/s above 125. */
  gp3Throughput: number;
  /** EBS snapshots, standard tier, per GiB and month. */
  snapshotGiB: number;
  natGatewayHour: number;
  natGatewayGB: number;
  /** Every public IPv4 address, in use or idle, per hour (since February 2024). */
  publicAddressHour: number;
  classicElbHour: number;
  classicElbGB: number;
  networkElbHour: number;
  /** A Network Load Balancer's unit (NLCU), per hour: 1 GB, 100,000 open TCP connections, or 3,000 TLS ones. */
  networkElbUnit: number;
  /** Interface endpoint, per hour and zone. */
  interfaceEndpointHour: number;
  kmsKey: number;
  /** In Secrets Manager. */
  secret: number;
  hostedZone: number;
  /** Per metric and month, the first 10,000. */
  customMetric: number;
  /** CloudWatch API, per 1,000 requests; each call of the agent is one. */
  cloudWatchRequests: number;
  /** Standard resolution, per metric that the alarm looks at. */
  alarm: number;
  compositeAlarm: number;
  dashboard: number;
  /** CloudWatch Logs, per GB taken in; the same for flow logs that are delivered there. */
  logsGB: number;
  /** CloudWatch Logs, per GB and month kept, compressed. */
  logsStoredGB: number;
  /** S3 Standard, per GB and month. */
  s3GB: number;
  /** Between zones, per GB and in each direction. */
  betweenZonesGB: number;
  /** To the internet, per GB: the first 10 TB a month, after 100 GB for nothing. */
  internetGB: number;
}

/** Elsewhere than in these regions no prices are known; an estimate then shows this one's and says so. */
export const fallbackRegion = "us-east-1";

/** The same in each of the regions below. */
const alike = {
  snapshotGiB: 0.05,
  publicAddressHour: 0.005,
  classicElbGB: 0.008,
  networkElbUnit: 0.006,
  kmsKey: 1,
  secret: 0.4,
  hostedZone: 0.5,
  customMetric: 0.3,
  cloudWatchRequests: 0.01,
  alarm: 0.1,
  compositeAlarm: 0.5,
  dashboard: 3,
  logsStoredGB: 0.03,
  s3GB: 0.023,
  betweenZonesGB: 0.01,
  internetGB: 0.09,
};

export const prices: Record<string, Prices> = {
  "us-east-1": {
    ...alike,
    instanceLarge: {
      ...{ m7g: 0.0816, c7g: 0.0725, r7g: 0.1071, m6g: 0.077, c6g: 0.068, r6g: 0.1008, t4g: 0.0672 },
      ...{ m7i: 0.1008, c7i: 0.08925, r7i: 0.1323, m6i: 0.096, c6i: 0.085, r6i: 0.126 },
      ...{ m5: 0.096, c5: 0.085, r5: 0.126, t3: 0.0832 },
    },
    volumeGiB: { gp3: 0.08, gp2: 0.1 },
    gp3Iops: 0.005,
    gp3Throughput: 0.04,
    natGatewayHour: 0.045,
    natGatewayGB: 0.045,
    classicElbHour: 0.025,
    networkElbHour: 0.0225,
    interfaceEndpointHour: 0.01,
    logsGB: 0.5,
  },
  "eu-west-1": {
    ...alike,
    instanceLarge: {
      ...{ m7g: 0.091, c7g: 0.0775, r7g: 0.1195, m6g: 0.086, c6g: 0.073, r6g: 0.1128, t4g: 0.0736 },
      ...{ m7i: 0.1124, c7i: 0.0958, r7i: 0.148, m6i: 0.107, c6i: 0.0912, r6i: 0.141 },
      ...{ m5: 0.107, c5: 0.096, r5: 0.141, t3: 0.0912 },
    },
    volumeGiB: { gp3: 0.088, gp2: 0.11 },
    gp3Iops: 0.0055,
    gp3Throughput: 0.044,
    natGatewayHour: 0.048,
    natGatewayGB: 0.048,
    classicElbHour: 0.028,
    networkElbHour: 0.0252,
    interfaceEndpointHour: 0.011,
    logsGB: 0.57,
  },
};

/** The prices to use for a region, and the region that they are from. */
export function pricesFor(region: string | undefined): { prices: Prices; region: string; areOwn: boolean } {
  const areOwn = region !== undefined && Object.hasOwn(prices, region);
  const used = areOwn ? region : fallbackRegion;
  return { prices: prices[used]!, region: used, areOwn };
}

/** What each size costs, in units of `large`. Bare metal is left out: it does not follow the proportion everywhere. */
export const sizeInLarge: Record<string, number> = {
  ...{ nano: 1 / 16, micro: 1 / 8, small: 1 / 4, medium: 1 / 2, large: 1, xlarge: 2 },
  ...Object.fromEntries([2, 4, 8, 9, 12, 16, 18, 24, 32, 48].map((count) => [`${count}xlarge`, 2 * count])),
};

const burstable = "nano micro small medium large xlarge 2xlarge";
const graviton = "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge";
const intel = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge";
const soldSizes: Record<string, string> = {
  ...{ t3: burstable, t4g: burstable },
  ...{ m6g: graviton, c6g: graviton, r6g: graviton, m7g: graviton, c7g: graviton, r7g: graviton },
  ...{ m5: intel, r5: intel, c5: "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge" },
  ...{ m6i: `${intel} 32xlarge`, c6i: `${intel} 32xlarge`, r6i: `${intel} 32xlarge` },
  ...{ m7i: `${intel} 48xlarge`, c7i: `${intel} 48xlarge`, r7i: `${intel} 48xlarge` },
};

/** An instance's price per hour; undefined for a type that is not in the table. */
export function instanceHour(list: Prices, instanceType: string): number | undefined {
  const [family = "", size = ""] = instanceType.split(".");
  const isSold = soldSizes[family]?.split(" ").includes(size) ?? false;
  return isSold ? list.instanceLarge[family]! * sizeInLarge[size]! : undefined;
}
