/** What costs by the gigabyte. An estimate shows the prices and adds nothing: the amounts are not in the settings. */
import type { CostedResource } from "./charges";
import type { Prices } from "./prices";

export interface Usage {
  what: string;
  /** In US dollars for a GB. */
  price: number;
}

export function usageOf(resources: readonly CostedResource[], prices: Prices): Usage[] {
  const has = (...types: string[]) => resources.some(({ type }) => types.includes(type));
  const zones = new Set(
    resources
      .filter(({ type }) => type === "aws:ebs/volume:Volume")
      .map(({ inputs }) => String(inputs.availabilityZone)),
  );
  return [
    ...(has("aws:elb/loadBalancer:LoadBalancer")
      ? [{ what: "through the Classic ELB, both directions together", price: prices.classicElbGB }]
      : []),
    ...(has("aws:lb/loadBalancer:LoadBalancer")
      ? [
          {
            what: "through the Network Load Balancer, unless its connections cost more (docs/fronts.md)",
            price: prices.networkElbUnit,
          },
        ]
      : []),
    ...(has("aws:elb/loadBalancer:LoadBalancer", "aws:lb/loadBalancer:LoadBalancer")
      ? [{ what: "out to the internet, the first 10 TB a month", price: prices.internetGB }]
      : []),
    ...(has("aws:ec2/natGateway:NatGateway")
      ? [{ what: "through a NAT gateway, both directions together", price: prices.natGatewayGB }]
      : []),
    ...(zones.size > 1
      ? [{ what: "from node to node in another zone, each direction", price: prices.betweenZonesGB }]
      : []),
    ...(has("aws:ec2/flowLog:FlowLog", "aws:cloudwatch/logGroup:LogGroup")
      ? [
          {
            what: "taken in by CloudWatch Logs (how much flow logs are is not known before)",
            price: prices.logsGB,
          },
          { what: "kept by CloudWatch Logs for a month, compressed", price: prices.logsStoredGB },
        ]
      : []),
  ];
}
