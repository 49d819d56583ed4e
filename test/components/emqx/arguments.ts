import { NodeUserDataArgs } from "../../../components/emqx/userData";

/** Arguments of node 0 of three, to change one thing at a time. */
export function nodeArgs(changes: Partial<NodeUserDataArgs> = {}): NodeUserDataArgs {
  return {
    nodeNumber: 0,
    privateIp: "192.168.0.10",
    seeds: ["192.168.0.10", "192.168.0.11", "192.168.0.12"],
    version: "5.8.9",
    architecture: "arm64",
    clusterPorts: "Documented",
    clusterName: "emqxcl",
    cookieVersion: 1,
    listeners: { ws: false },
    proxyProtocol: false,
    anonymousAccess: false,
    mqttUsername: "mqtt",
    parameterPrefix: "/emqx/emqx-aws/dev/emqx-nodes",
    hasLicense: false,
    loadBalancerCount: 1,
    region: "eu-west-1",
    readinessTimeoutSeconds: 900,
    ...changes,
  };
}
