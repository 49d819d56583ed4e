/** Every policy there is. */
import type { Policies } from "@pulumi/policy";
import { loadBalancerPolicies } from "./loadBalancer";
import { networkPolicies } from "./network";
import { nodePolicies } from "./nodes";
import { secretPolicies } from "./secrets";

export const policies: Policies = [
  ...networkPolicies,
  ...nodePolicies,
  ...loadBalancerPolicies,
  ...secretPolicies,
];
