/** PrivateLink's side of a Network Load Balancer, as far as a program describes it: nobody makes endpoints here. */
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, out, set, text, type ResourceType } from "../schema";
import * as names from "./names";
import { requireNetworkLoadBalancer } from "./networkLoadBalancers";
import { arn } from "./validators";

export const vpcEndpointServiceType: ResourceType = {
  token: names.vpcEndpointService,
  title: "EC2 VPC Endpoint Service",
  tagged: true,
  properties: {
    acceptanceRequired: bool({ required: true }),
    allowedPrincipals: set(text({ check: arn }), { computed: true }),
    networkLoadBalancerArns: set(text({ check: arn })),
    arn: out(),
    availabilityZones: out("set"),
    baseEndpointDnsNames: out("set"),
    managesVpcEndpoints: out("boolean"),
    serviceName: out(),
    serviceType: out(),
    state: out(),
  },
  create(context, inputs) {
    const balancers = checkBalancers(context, inputs["networkLoadBalancerArns"] as string[] | undefined);
    const id = context.id("vpce-svc");
    const serviceName = `com.amazonaws.vpce.${context.region}.${id}`;
    return {
      id,
      attributes: {
        allowedPrincipals: [],
        ...inputs,
        arn: context.arn("ec2", `vpc-endpoint-service/${id}`),
        availabilityZones: [
          ...new Set(
            balancers.flatMap(({ attributes }) =>
              (attributes["subnets"] as string[]).map(
                (subnet) => context.find(names.subnet, subnet)!.attributes["availabilityZone"] as string,
              ),
            ),
          ),
        ],
        baseEndpointDnsNames: [`${id}.${context.region}.vpce.amazonaws.com`],
        managesVpcEndpoints: false,
        serviceName,
        serviceType: "Interface",
        state: "Available",
      },
    };
  },
  update(context, _service, inputs) {
    checkBalancers(context, inputs["networkLoadBalancerArns"] as string[] | undefined);
  },
};

function checkBalancers(context: Context, arns: string[] = []) {
  if (arns.length === 0) {
    fail("MissingParameter", "Either Network or Gateway Load Balancer ARNs must be specified");
  }
  return arns.map((balancer) => requireNetworkLoadBalancer(context, balancer));
}
