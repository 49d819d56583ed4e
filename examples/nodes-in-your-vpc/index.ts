/** EMQX nodes only: the network, its security groups and, if there is one, the load balancer are somebody else's. */
import * as pulumi from "@pulumi/pulumi";
import { EmqxClusterNodes, type EmqxNodeArgs } from "emqx-aws";

const config = new pulumi.Config();

const cluster = new EmqxClusterNodes("emqx", {
  nodes: config.requireObject<EmqxNodeArgs[]>("nodes"),
  securityGroupIds: config.requireObject<string[]>("securityGroupIds"),
  loadBalancerNames: config.getObject<string[]>("loadBalancerNames"),
  tags: { team: "messaging" },
});

export const { instanceIds, nodeNames, cookieParameter, dashboardPasswordParameter, mqttPasswordParameter } =
  cluster;
