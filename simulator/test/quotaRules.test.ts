/** What an account has only so many of, at both doors: quotas of simulator/account.yaml, and addresses of a subnet. */
import { names } from "..";
import { askAtBothDoors } from "./rows";
import { balancerInputs, type Door, type Ids } from "./world";

const times = async (count: number, make: (i: number) => Promise<unknown>) => {
  for (let i = 0; i < count; i++) await make(i);
};
const address = (door: Door, i: number) => door.create(names.eip, `eip-${i}`, { domain: "vpc" });

askAtBothDoors([
  {
    rule: "51 VPCs in a region",
    type: names.vpc,
    // Two are there.
    given: (door) =>
      times(48, (i) => door.create(names.vpc, `vpc-${i}`, { cidrBlock: `10.${i + 2}.0.0/16` })),
    inputs: { cidrBlock: "10.99.0.0/16" },
    error: "VpcLimitExceeded",
  },
  {
    rule: "51 Elastic IPs in a region",
    type: names.eip,
    // One is there.
    given: (door) => times(49, (i) => address(door, i)),
    inputs: { domain: "vpc" },
    error: "AddressLimitExceeded",
  },
  {
    rule: "6 NAT gateways in a zone",
    type: names.natGateway,
    given: (door, ids) =>
      times(5, async (i) => {
        const { id } = await address(door, i);
        await door.create(names.natGateway, `nat-${i}`, { subnetId: ids["subnetA"]!, allocationId: id });
      }),
    inputs: (ids: Ids) => ({ subnetId: ids["subnetA"]!, allocationId: ids["eip"]! }),
    error: "NatGatewayLimitExceeded",
  },
  {
    rule: "21 load balancers in a region",
    type: names.loadBalancer,
    given: (door, ids) =>
      times(20, (i) =>
        door.create(names.loadBalancer, `lb-${i}`, { ...balancerInputs(ids), name: `lb-${i}` }),
      ),
    inputs: balancerInputs,
    error: "TooManyLoadBalancers",
  },
  {
    rule: "a 12th interface in a subnet of 16 addresses, of which AWS keeps 5",
    type: names.networkInterface,
    given: async (door, ids) => {
      const subnet = { vpcId: ids["vpc"]!, cidrBlock: "10.0.9.0/28", availabilityZone: "eu-west-1a" };
      const { id } = await door.create(names.subnet, "small", subnet);
      ids["small"] = id;
      await times(11, (i) => door.create(names.networkInterface, `eni-${i}`, { subnetId: id }));
    },
    inputs: (ids: Ids) => ({ subnetId: ids["small"]! }),
    error: "InsufficientFreeAddressesInSubnet",
  },
]);
