import type { Policies } from "@pulumi/policy";
import {
  admits,
  defaultSecurityGroup,
  inlineRules,
  inwardRules,
  isWorld,
  oldRule,
  securityGroup,
} from "./rules";

/** EMQX's ports between nodes: the guide's three, and those of EMQX's own packages. */
export const clusterPorts = [4369, 5369, 6369, 4370, 5370];
export const dashboardPort = 18083;

export const networkPolicies: Policies = [
  {
    name: "cluster-ports-from-nodes-only",
    description: "Ports between EMQX nodes are open to the nodes' own security group, never to addresses.",
    validateResource: ({ type, props }, report) => {
      for (const rule of inwardRules(type, props)) {
        const open = clusterPorts.filter((port) => admits(rule, port));
        if (open.length > 0 && rule.blocks.length > 0) {
          report(
            `cluster ports ${open.join(", ")} are open to ${rule.blocks.join(", ")}. Whoever reaches them can run code on ` +
              `the nodes. Refer to the nodes' security group (referencedSecurityGroupId) instead of addresses.`,
          );
        }
      }
    },
  },
  {
    name: "dashboard-not-from-the-world",
    description: "The dashboard and management API (18083) is never open to the internet.",
    validateResource: ({ type, props }, report) => {
      for (const rule of inwardRules(type, props)) {
        const world = rule.blocks.filter(isWorld);
        if (world.length > 0 && admits(rule, dashboardPort)) {
          report(
            `port ${dashboardPort}, EMQX's dashboard and management API, is open to ${world.join(", ")}. Name the blocks ` +
              `of your administrators (access.adminCidrBlocks).`,
          );
        }
      }
    },
  },
  {
    name: "one-rule-resource-per-permission",
    description:
      "Every permission of a security group is a resource of its own, so that a preview shows each by itself.",
    validateResource: ({ type, props, name }, report) => {
      if (type === securityGroup || type === defaultSecurityGroup) {
        for (const property of ["ingress", "egress"]) {
          const count = inlineRules(props[property]).length;
          if (count > 0) {
            report(
              `${name} has ${count} inline ${property} ${count === 1 ? "rule" : "rules"}; they and rule resources undo each ` +
                `other. Use vpc.SecurityGroupIngressRule and vpc.SecurityGroupEgressRule.`,
            );
          }
        }
      }
      if (type === oldRule) {
        report(
          `${name} is an ec2.SecurityGroupRule; use vpc.SecurityGroupIngressRule or vpc.SecurityGroupEgressRule.`,
        );
      }
    },
  },
];
