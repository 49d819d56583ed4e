/** The changes whose reports are kept as golden files. */
import type { Head } from "./harness";

/** What `index.ts` says about the deployment's name, and how the old name stays known. */
const renamed: NonNullable<Head["patches"]>[number] = [
  "index.ts",
  'const name = "emqx";',
  'const name = "mqtt";',
];

export const changes: Record<string, Head> = {
  nothing: {},
  tags: { settings: { tags: { environment: "test", team: "messaging" } } },
  "one-node-more": { settings: { nodeCount: 4 } },
  "one-node-fewer": { settings: { nodeCount: 2 } },
  "zone-added": { settings: { availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"] } },
  "emqx-version": { settings: { emqxVersion: "5.8.8" } },
  image: { settings: { instance: { amiId: "ami-0123456789abcdef0" } } },
  "instance-type": { settings: { instance: { type: "m7g.xlarge" } } },
  "two-at-a-time": { settings: { instance: { type: "m7g.xlarge" }, rollout: { batchSize: 2 } } },
  certificate: {
    settings: {
      certificate: {
        arn: "arn:aws:acm:eu-west-1:123456789012:certificate/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02",
      },
    },
  },
  "tls-policy-and-keep-alive": {
    settings: { classicElb: { tlsPolicy: "ELBSecurityPolicy-TLS-1-1-2017-01" }, keepAliveSeconds: 60 },
  },
  "listener-added": { settings: { listeners: ["Mqtt", "Mqtts", "Wss"] } },
  "listener-removed": { settings: { listeners: ["Mqtts"] } },
  "client-block-opened": {
    settings: {
      access: { clientCidrBlocks: ["0.0.0.0/0", "2.0.0.0/8"], adminCidrBlocks: ["198.51.100.0/24"] },
    },
  },
  "clients-narrowed": { settings: { access: { clientCidrBlocks: ["203.0.113.0/24"] } } },
  "cluster-port-to-a-block": {
    patches: [
      [
        "components/access/emqxSecurityGroup.ts",
        "function connectNodes(context: Context, nodes: ec2.SecurityGroup, clusterPorts: ClusterPorts): void {",
        `function connectNodes(context: Context, nodes: ec2.SecurityGroup, clusterPorts: ClusterPorts): void {
  allowIn(context, nodes, { name: "nodes-from-office", port: 4369, description: "office", cidrIpv4: "198.51.100.0/24" });`,
      ],
    ],
  },
  "dashboard-to-the-world": {
    patches: [
      [
        "components/access/emqxSecurityGroup.ts",
        "function letNodesOut(context: Context, nodes: ec2.SecurityGroup, egress: EmqxEgressArgs[]): void {",
        `function letNodesOut(context: Context, nodes: ec2.SecurityGroup, egress: EmqxEgressArgs[]): void {
  allowIn(context, nodes, { name: "nodes-from-all", port: 18083, description: "all", cidrIpv4: "0.0.0.0/0" });`,
      ],
    ],
  },
  "vpc-block": { settings: { vpc: { cidrBlock: "10.20.0.0/16" } } },
  cookie: { settings: { secretVersions: { cookie: 2 }, rollout: { allowFullRestart: true } } },
  passwords: { settings: { secretVersions: { dashboardPassword: 2, mqttPassword: 2 } } },
  "monitoring-and-backup": { settings: { monitoring: {}, backup: {} } },
  protection: { settings: { protect: true, dataVolume: { retain: false } } },
  "cluster-ports": { settings: { clusterPorts: "Package", rollout: { allowFullRestart: true } } },
  "internal-load-balancer": { settings: { classicElb: { internal: true } } },
  "renamed-without-alias": { patches: [renamed] },
  "renamed-with-alias": {
    patches: [
      renamed,
      ["index.ts", "readSettings(name))", 'readSettings(name), { aliases: [{ name: "emqx" }] })'],
    ],
  },
  "bad-settings": { settings: { nodeCount: 0, keepAliveSeconds: 4000 } },
};
