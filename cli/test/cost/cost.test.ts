/** What things cost: each charge, what is not charged for, and the sum. */
import * as fc from "fast-check";
import type { CostedResource } from "../../cost/charges";
import { charges, free, isDecided } from "../../cost/charges";
import { countMetrics } from "../../cost/customMetrics";
import { estimateOf, regionOf } from "../../cost/estimate";
import { formatComparison, formatEstimate } from "../../cost/format";
import { fallbackRegion, instanceHour, prices, pricesFor } from "../../cost/prices";
import { agentConfiguration } from "../../../components/monitoring/agent";
import { types } from "../../review/types";
import { resourceTypes } from "@emqx-aws/simulator/services";

const resource = (type: string, inputs: CostedResource["inputs"] = {}, name = "r"): CostedResource => ({
  ...{ type, name, inputs },
});
const zone = { availabilityZone: "eu-west-1a" };
const subnet = resource("aws:ec2/subnet:Subnet", zone);
const volume = (size: number, more = {}) =>
  resource("aws:ebs/volume:Volume", { size, type: "gp3", ...zone, ...more });
const instance = (instanceType: string, more = {}) =>
  resource("aws:ec2/instance:Instance", {
    instanceType,
    rootBlockDevice: { volumeSize: 16, volumeType: "gp3" },
    ...more,
  });
const monthlyOf = (...resources: CostedResource[]) =>
  Object.fromEntries(
    estimateOf([subnet, ...resources]).lines.map(({ what, monthly }) => [
      what,
      monthly === undefined ? undefined : Number(monthly.toFixed(2)),
    ]),
  );

describe("charges, in eu-west-1", () => {
  test.each<[string, CostedResource[], Record<string, number | undefined>]>([
    [
      "an instance and its root disk",
      [instance("m7g.xlarge")],
      { "instance m7g.xlarge": 132.86, "root disk gp3, GiB": 1.41 },
    ],
    [
      "detailed monitoring and a public address",
      [
        instance("t4g.small", {
          monitoring: true,
          associatePublicIpAddress: true,
          rootBlockDevice: undefined,
        }),
      ],
      {
        "instance t4g.small": 13.43,
        "root disk gp3, GiB": 0.7,
        "detailed monitoring of an instance": 2.1,
        "public IPv4 address": 3.65,
      },
    ],
    ["a data volume", [volume(50)], { "data volume gp3, GiB": 4.4 }],
    [
      "a data volume that is faster than included",
      [volume(100, { iops: 4000, throughput: 225 })],
      { "data volume gp3, GiB": 8.8, "gp3 IOPS above 3,000": 5.5, "gp3 MiB/s above 125": 4.4 },
    ],
    [
      "a volume of a type without a price",
      [volume(10, { type: "io2" })],
      { "data volume io2, GiB": undefined },
    ],
    [
      "a NAT gateway and its address",
      [resource(types.natGateway), resource(types.eip)],
      { "NAT gateway": 35.04, "public IPv4 address": 3.65 },
    ],
    [
      "a Network Load Balancer in two zones, and one with addresses of its own",
      [
        resource("aws:lb/loadBalancer:LoadBalancer", { subnets: ["a", "b"], internal: false }),
        resource("aws:lb/loadBalancer:LoadBalancer", { subnetMappings: [{}, {}] }, "static"),
        resource("aws:lb/listener:Listener"),
      ],
      { "Network Load Balancer": 36.79, "public IPv4 address": 7.3 },
    ],
    [
      "a load balancer in three zones",
      [resource(types.loadBalancer, { subnets: ["a", "b", "c"], internal: false })],
      { "Classic ELB": 20.44, "public IPv4 address": 10.95 },
    ],
    [
      "an internal load balancer",
      [resource(types.loadBalancer, { subnets: ["a"], internal: true })],
      { "Classic ELB": 20.44 },
    ],
    ["a gateway endpoint", [resource("aws:ec2/vpcEndpoint:VpcEndpoint", { vpcEndpointType: "Gateway" })], {}],
    [
      "an interface endpoint in two zones",
      [resource("aws:ec2/vpcEndpoint:VpcEndpoint", { vpcEndpointType: "Interface", subnetIds: ["a", "b"] })],
      { "VPC interface endpoint, zone": 16.06 },
    ],
    [
      "keys, zones and secrets",
      [
        resource("aws:kms/key:Key"),
        resource("aws:route53/zone:Zone"),
        resource("aws:secretsmanager/secret:Secret"),
      ],
      { "KMS key": 1, "hosted zone": 0.5, "secret in Secrets Manager": 0.4 },
    ],
    [
      "alarms: of one metric, of an expression over two, and of other alarms",
      [
        resource("aws:cloudwatch/metricAlarm:MetricAlarm", { metricName: "CPUUtilization" }),
        resource("aws:cloudwatch/metricAlarm:MetricAlarm", {
          metricQueries: [{ expression: "a/b" }, { metric: {} }, { metric: {} }],
        }),
        resource("aws:cloudwatch/compositeAlarm:CompositeAlarm"),
      ],
      { "alarm, metric": 0.3, "composite alarm": 0.5 },
    ],
    ["a dashboard", [resource("aws:cloudwatch/dashboard:Dashboard")], { dashboard: 3 }],
    [
      "a bucket, by an assumed size",
      [resource("aws:s3/bucket:Bucket")],
      { "S3 storage, GB (assumed)": 0.23 },
    ],
    [
      "snapshots of the stack's volumes, by an assumed size",
      [volume(20), volume(20), resource("aws:dlm/lifecyclePolicy:LifecyclePolicy")],
      { "data volume gp3, GiB": 3.52, "snapshots, GiB (assumed)": 2 },
    ],
    ["a plan of snapshots without a volume", [resource("aws:backup/plan:Plan")], {}],
    [
      "an instance type without a price",
      [instance("x9z.large")],
      { "instance x9z.large": undefined, "root disk gp3, GiB": 1.41 },
    ],
    [
      "metrics that an agent sends, of two nodes",
      [
        instance("m7g.large"),
        instance("m7g.large"),
        resource(types.parameter, {
          name: "/emqx/p/s/n/monitoring",
          value: JSON.stringify({
            metrics: { metrics_collected: { mem: { measurement: ["used_percent"] } } },
          }),
        }),
      ],
      {
        "instance m7g.large": 132.86,
        "root disk gp3, GiB": 2.82,
        "custom metric (at least)": 0.6,
        "a thousand requests of the CloudWatch agent": 0.88,
      },
    ],
    [
      "exports, whose result is a metric of the cluster",
      [
        instance("m7g.large"),
        resource(types.parameter, { name: "/x/backup" }),
        resource(types.parameter, { name: "/x/operations/backup" }),
      ],
      { "instance m7g.large": 66.43, "root disk gp3, GiB": 1.41, "custom metric (at least)": 0.3 },
    ],
    [
      "an agent's configuration that is not known yet",
      [instance("m7g.large"), resource(types.parameter, { name: "/x/monitoring" })],
      { "instance m7g.large": 66.43, "root disk gp3, GiB": 1.41 },
    ],
  ])("%s", (_what, resources, expected) => {
    expect(monthlyOf(...resources)).toEqual(expected);
  });

  test("measurements count once for each resource that is named, selectors once", () => {
    expect(
      countMetrics({
        metrics: {
          metrics_collected: {
            mem: { measurement: ["used_percent", "available"] },
            disk: { measurement: ["used_percent"], resources: ["/", "/var/lib/emqx"] },
            net: { measurement: ["bytes_sent"], resources: ["*"] },
            procstat: [{ pattern: "beam", measurement: ["memory_rss", "cpu_usage"] }],
          },
        },
        logs: {
          metrics_collected: {
            prometheus: {
              emf_processor: { metric_declaration: [{ metric_selectors: ["^a$", "^b$", "^c$"] }] },
            },
          },
        },
      }),
    ).toBe(2 + 2 + 1 + 2 + 3);
    expect(countMetrics(undefined)).toBe(0);
    // Memory and data volume, of the configuration that nodes really get.
    expect(countMetrics(JSON.parse(agentConfiguration("/emqx/p/s/c", "/emqx/p/s/c")))).toBe(2);
  });
});

describe("what a type costs is decided for", () => {
  test.each([...resourceTypes.keys()])("%s", (type) => {
    expect(isDecided(type)).toBe(true);
  });

  test.each(Object.values(types))("%s, which reviews know", (type) => {
    expect(isDecided(type)).toBe(true);
  });

  test("not every type, and no type twice", () => {
    expect(isDecided("aws:rds/instance:Instance")).toBe(false);
    expect(free.filter((type) => Object.hasOwn(charges, type))).toEqual([]);
    expect(new Set(free).size).toBe(free.length);
  });

  test("a type that is not shows in the estimate", () => {
    const estimate = estimateOf([subnet, resource("aws:rds/instance:Instance")]);
    expect(estimate.undecided).toEqual(["aws:rds/instance:Instance"]);
    expect(formatEstimate("test", estimate)).toContain(
      "Not known whether these cost anything (1 type): aws:rds/instance:Instance.",
    );
  });
});

describe("prices", () => {
  test("both regions have the same ones", () => {
    const shape = (list: object): unknown =>
      Object.entries(list)
        .map(([key, value]) => [
          key,
          typeof value === "object" ? Object.keys(value as object).sort() : "price",
        ])
        .sort();
    expect(shape(prices["eu-west-1"]!)).toEqual(shape(prices["us-east-1"]!));
  });

  test("Ireland is never cheaper than Virginia, and at most a fifth dearer", () => {
    const flat = (list: object): [string, number][] =>
      Object.entries(list).flatMap(([key, value]) =>
        typeof value === "number" ? [[key, value]] : flat(value as object),
      );
    const ireland = new Map(flat(prices["eu-west-1"]!));
    for (const [key, price] of flat(prices["us-east-1"]!)) {
      expect(ireland.get(key)! / price).toBeGreaterThanOrEqual(1);
      expect(ireland.get(key)! / price).toBeLessThanOrEqual(1.2);
    }
  });

  test.each([
    ["m7g.medium", 0.0408],
    ["m7g.large", 0.0816],
    ["m7g.16xlarge", 2.6112],
    ["c7g.4xlarge", 0.58],
    ["r6g.2xlarge", 0.4032],
    ["t4g.nano", 0.0042],
    ["t3.2xlarge", 0.3328],
    ["m5.24xlarge", 4.608],
    ["c5.18xlarge", 3.06],
    ["m6i.32xlarge", 6.144],
    ["r7i.48xlarge", 12.7008],
  ])("%s costs what AWS says for it, by its proportion to large", (type, price) => {
    expect(instanceHour(prices["us-east-1"]!, type)).toBeCloseTo(price, 6);
  });

  test.each(["m7g.24xlarge", "m7g.metal", "t4g.4xlarge", "c5.8xlarge", "m8g.large", "large", ""])(
    "%j has none",
    (type) => {
      expect(instanceHour(prices["us-east-1"]!, type)).toBeUndefined();
    },
  );

  test("elsewhere those of us-east-1 are shown, and said to be", () => {
    expect(pricesFor("ap-south-1")).toMatchObject({ region: fallbackRegion, areOwn: false });
    const there = estimateOf([
      resource("aws:ec2/subnet:Subnet", { availabilityZone: "ap-south-1a" }),
      resource(types.natGateway),
    ]);
    expect(formatEstimate("test", there)).toContain(
      "No prices of ap-south-1 are known here; those of us-east-1 are shown.",
    );
    expect(formatEstimate("test", estimateOf([resource(types.natGateway)]))).toContain(
      "No prices of an unknown region",
    );
  });
});

describe("sums", () => {
  const some = fc.array(
    fc.constantFrom(
      instance("m7g.large"),
      instance("t3.micro", { monitoring: true }),
      volume(20),
      resource(types.natGateway),
      resource(types.eip),
      resource(types.loadBalancer, { subnets: ["a", "b"] }),
      resource(types.vpc),
      resource("aws:kms/key:Key"),
    ),
  );

  test("two stacks cost what each of them costs", () => {
    fc.assert(
      fc.property(some, some, (one, other) => {
        const total = (resources: CostedResource[]) => estimateOf(resources, "eu-west-1").total;
        expect(total([...one, ...other])).toBeCloseTo(total(one) + total(other), 6);
      }),
    );
  });

  test("what has no price is not in the sum, and stands first", () => {
    const estimate = estimateOf([subnet, instance("x9z.large"), resource(types.natGateway)]);
    expect(estimate.lines[0]).toMatchObject({ what: "instance x9z.large", monthly: undefined });
    expect(estimate.total).toBeCloseTo(35.04 + 16 * 0.088);
    const text = formatEstimate("test", estimate);
    expect(text).toMatch(/instance x9z\.large +1 +no price known/);
    expect(text).toContain("Together, of what has a price");
    expect(formatComparison(new Map([["a", estimate]]))).toMatch(/Together +at least 36/);
  });

  test("by the GB costs what is there: a NAT gateway, several zones, logs", () => {
    const whats = (...resources: CostedResource[]) =>
      estimateOf(resources).usage.map(({ what }) => what.split(",")[0]);
    expect(whats(subnet)).toEqual([]);
    expect(whats(resource(types.natGateway))).toEqual(["through a NAT gateway"]);
    expect(whats(volume(1), volume(1))).toEqual([]);
    expect(whats(volume(1), volume(1, { availabilityZone: "eu-west-1b" }))).toEqual([
      "from node to node in another zone",
    ]);
    expect(whats(resource(types.flowLog))).toHaveLength(2);
  });
});

test("a stack's region is that of its subnets and volumes", () => {
  expect(regionOf([resource(types.vpc), subnet])).toBe("eu-west-1");
  expect(regionOf([resource(types.vpc)])).toBeUndefined();
});
