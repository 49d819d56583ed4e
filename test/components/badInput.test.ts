import type { EmqxDeploymentArgs } from "../../components";
import { deploymentProblems } from "../../components";

const good: EmqxDeploymentArgs = {
  availabilityZones: ["eu-west-1a", "eu-west-1b"],
  certificate: { selfSigned: {} },
};

/** What is changed of the good input, values of the wrong type included, and every line of the answer. */
const rows: [Record<string, unknown>, string[]][] = [
  [
    { vpc: { cidrBlock: "192.168.0.0" } },
    ['vpc.cidrBlock: "192.168.0.0" is not an IPv4 block in CIDR notation (for example 192.168.0.0/16)'],
  ],
  [
    { vpc: { cidrBlock: "192.168.1.0/16" } },
    ['vpc.cidrBlock: "192.168.1.0/16" has host bits set or is not in canonical form: write 192.168.0.0/16'],
  ],
  [
    { vpc: { cidrBlock: "10.0.0.0/8" } },
    ['vpc.cidrBlock: "10.0.0.0/8" is a /8; a VPC\'s block is between /16 and /28'],
  ],
  [
    { vpc: { cidrBlock: "10.0.0.0/26" } },
    [
      'vpc.cidrBlock: "10.0.0.0/26" is too small: it is divided into 16 subnets, and a Classic ELB needs subnets of /27 or larger; use a /23 or larger block',
    ],
  ],
  [
    { availabilityZones: [] },
    ['availabilityZones: none given; name at least one zone, for example ["eu-west-1a", "eu-west-1b"]'],
  ],
  [
    { availabilityZones: undefined },
    ['availabilityZones: none given; name at least one zone, for example ["eu-west-1a", "eu-west-1b"]'],
  ],
  [
    { availabilityZones: ["eu-west-1a", "eu-west-1a"] },
    ['availabilityZones: "eu-west-1a" is listed twice; list every zone once'],
  ],
  [
    { availabilityZones: ["eu-west-1a", "us-east-1a"] },
    [
      'availabilityZones: "us-east-1a" is a zone of us-east-1, not of eu-west-1; all zones belong to the one region that is deployed to',
    ],
  ],
  [
    { availabilityZones: ["eu-west-1"] },
    [
      'availabilityZones: "eu-west-1" is not the name of an Availability Zone; write a region and a letter, for example "eu-west-1a"',
    ],
  ],
  [{ nodeCount: 0 }, ["nodeCount: 0 is not a whole number of nodes from 1 to 100"]],
  [{ nodeCount: -1 }, ["nodeCount: -1 is not a whole number of nodes from 1 to 100"]],
  [{ nodeCount: 2.5 }, ["nodeCount: 2.5 is not a whole number of nodes from 1 to 100"]],
  [{ nodeCount: 101 }, ["nodeCount: 101 is not a whole number of nodes from 1 to 100"]],
  [
    { nodeCount: 30, vpc: { cidrBlock: "10.0.0.0/23" } },
    [
      "nodeCount: 30 nodes do not fit into subnet 10.0.0.0/27, which has addresses for 21; use fewer nodes or a larger VPC (vpc.cidrBlock)",
    ],
  ],
  [{ nodeCount: "3" }, ['nodeCount: "3" is not a whole number of nodes from 1 to 100']],
  [
    { emqxVersion: "6.2.3" },
    [
      "emqxVersion 6.2.3 needs licenseKey for 3 nodes: without one it runs as a single node only. Set licenseKey, or one node, or 5.8.9, the last open source release.",
    ],
  ],
  [
    { emqxVersion: "5.8" },
    [
      'emqxVersion "5.8" is not a version: give a released version as three numbers: 5.8.0 to 5.8.9 (open source), or a later one below 7.0.0 (Enterprise; needs licenseKey for more than one node), such as 5.8.9, 5.10.4 or 6.2.3.',
    ],
  ],
  [
    { emqxVersion: "v5.8.9" },
    [
      'emqxVersion "v5.8.9" is not a version: give a released version as three numbers: 5.8.0 to 5.8.9 (open source), or a later one below 7.0.0 (Enterprise; needs licenseKey for more than one node), such as 5.8.9, 5.10.4 or 6.2.3.',
    ],
  ],
  [
    { emqxVersion: "latest" },
    [
      'emqxVersion "latest" is not a version: give a released version as three numbers: 5.8.0 to 5.8.9 (open source), or a later one below 7.0.0 (Enterprise; needs licenseKey for more than one node), such as 5.8.9, 5.10.4 or 6.2.3.',
    ],
  ],
  [
    { emqxVersion: "4.4.19" },
    [
      "emqxVersion 4.4.19 is not supported: give a released version as three numbers: 5.8.0 to 5.8.9 (open source), or a later one below 7.0.0 (Enterprise; needs licenseKey for more than one node), such as 5.8.9, 5.10.4 or 6.2.3.",
    ],
  ],
  [
    { emqxVersion: "5.8.1" },
    [
      "emqxVersion 5.8.1 cannot use clusterPorts Documented (4369, 5369, 6369): EMQX takes them from 5.8.2 on. Choose a newer version, or clusterPorts Package.",
    ],
  ],
  [
    { emqxVersion: "7.0.0" },
    [
      "emqxVersion 7.0.0 is not supported: give a released version as three numbers: 5.8.0 to 5.8.9 (open source), or a later one below 7.0.0 (Enterprise; needs licenseKey for more than one node), such as 5.8.9, 5.10.4 or 6.2.3.",
    ],
  ],
  [
    { emqxVersion: "5.8.10" },
    [
      "emqxVersion 5.8.10 needs licenseKey for 3 nodes: without one it runs as a single node only. Set licenseKey, or one node, or 5.8.9, the last open source release.",
    ],
  ],
  [
    { instance: { type: "m7g" } },
    [
      'instance.type: "m7g" is not the name of an EC2 instance type: write family, generation and size, like m7g.large or c7i.2xlarge',
    ],
  ],
  [
    { instance: { type: "M7G.large" } },
    [
      'instance.type: "M7G.large" is not the name of an EC2 instance type: write family, generation and size, like m7g.large or c7i.2xlarge',
    ],
  ],
  [
    { instance: { type: "t2.micro" } },
    [
      'instance.type: "t2.micro" is of a previous generation without EBS optimization; use a current one, for example m7g.large',
    ],
  ],
  [
    { instance: { amiId: "ami-xyz" } },
    ['instance.amiId: "ami-xyz" is not the id of an image, for example ami-0123456789abcdef0'],
  ],
  [
    { certificate: { selfSigned: undefined } },
    [
      "certificate: missing, and a TLS listener is on; give the arn of an ACM or IAM certificate, or selfSigned: {} to try things out",
    ],
  ],
  [
    { certificate: { arn: "arn:aws:acm:eu-west-1:123456789012:certificate/x", selfSigned: {} } },
    ["certificate: arn and selfSigned given; choose one of the two"],
  ],
  [
    { nodeTls: { selfSigned: {} } },
    ["certificate: given, but TLS ends at the nodes (nodeTls); leave it out"],
  ],
  [
    { certificate: undefined, nodeTls: {} },
    ["nodeTls: has no certificate; give certificateParameter, or selfSigned: {} to try things out"],
  ],
  [
    {
      certificate: undefined,
      classicElb: { tlsPolicy: "ELBSecurityPolicy-TLS-1-2-2017-01" },
      nodeTls: { selfSigned: {}, certificateParameter: "/tls/mqtt", usernameFrom: "CommonName" },
    },
    [
      "classicElb.tlsPolicy: given, but TLS ends at the nodes (nodeTls); leave it out",
      "nodeTls: certificateParameter and selfSigned given; choose one of the two",
      "nodeTls.usernameFrom: given without clientCertificateAuthorities, so that anybody could make a certificate of any name; give the authorities",
    ],
  ],
  [
    { certificate: undefined, nodeTls: { certificateParameter: "mqtt" } },
    [
      'nodeTls.certificateParameter: "mqtt" is not the name of a parameter, like /tls/mqtt, or /aws/reference/secretsmanager/ and the name of a secret',
    ],
  ],
  [
    {
      certificate: undefined,
      listeners: ["Mqtt"],
      nodeTls: { certificateParameter: "/tls/mqtt", hostnames: ["mqtt.example.com"] },
    },
    [
      "nodeTls: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out",
      "nodeTls.hostnames: given, but they are for the certificate of selfSigned; leave them out",
    ],
  ],
  [
    { certificate: undefined, nodeTls: { selfSigned: {}, clientCertificateAuthorities: "fleet" } },
    ["nodeTls.clientCertificateAuthorities: has no certificate in PEM (-----BEGIN CERTIFICATE-----)"],
  ],
  [
    { certificate: undefined },
    [
      "certificate: missing, and a TLS listener is on; give the arn of an ACM or IAM certificate, or selfSigned: {} to try things out",
    ],
  ],
  [
    { certificate: { arn: "arn:aws:acm:us-east-1:123456789012:certificate/x" } },
    [
      'certificate.arn: "arn:aws:acm:us-east-1:123456789012:certificate/x" is in us-east-1, but the deployment is in eu-west-1; use one of eu-west-1',
    ],
  ],
  [
    { certificate: { arn: "arn:aws:s3:::x" } },
    [
      'certificate.arn: "arn:aws:s3:::x" is not of the form arn:aws:acm:<region>:<account>:certificate/<id> or arn:aws:iam::<account>:server-certificate/<name>',
    ],
  ],
  [
    { certificate: { arn: "" } },
    [
      'certificate.arn: "" is not of the form arn:aws:acm:<region>:<account>:certificate/<id> or arn:aws:iam::<account>:server-certificate/<name>',
    ],
  ],
  [
    { listeners: ["Mqtt"] },
    ["certificate: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out"],
  ],
  [{ listeners: [] }, ["listeners: none given; name at least one of Mqtt, Mqtts, Ws, Wss"]],
  [
    { listeners: ["Mqtt", "Mqtt"], certificate: undefined },
    ['listeners: "Mqtt" is listed twice; list each once'],
  ],
  [{ listeners: ["mqtts"] }, ['listeners: "mqtts" is no listener; use Mqtt, Mqtts, Ws, Wss']],
  [
    { keepAliveSeconds: 2400 },
    [
      "keepAliveSeconds: 2400 is not a whole number of seconds from 1 to 2380; a Classic ELB's idle timeout ends at 3600 s",
    ],
  ],
  [
    { keepAliveSeconds: 0 },
    [
      "keepAliveSeconds: 0 is not a whole number of seconds from 1 to 2380; a Classic ELB's idle timeout ends at 3600 s",
    ],
  ],
  [
    { rollout: { drainingTimeoutSeconds: 3601 } },
    ["rollout.drainingTimeoutSeconds: 3601 is not a whole number of seconds from 1 to 3600"],
  ],
  [
    { classicElb: { tlsPolicy: "x" } },
    [
      'classicElb.tlsPolicy: "x" is not one of ELBSecurityPolicy-TLS-1-2-2017-01, ELBSecurityPolicy-TLS-1-1-2017-01, ELBSecurityPolicy-2016-08',
    ],
  ],
  [
    { access: { clientCidrBlocks: ["1.2.3.4"] } },
    ['access.clientCidrBlocks: "1.2.3.4" is not an IPv4 block in CIDR notation (for example 192.168.0.0/16)'],
  ],
  [
    { access: { clientCidrBlocks: [] } },
    [
      "access.clientCidrBlocks: none given; name at least one block, or leave it out to admit clients from anywhere",
    ],
  ],
  [
    { access: { clientCidrBlocks: ["10.0.0.1/8"] } },
    ['access.clientCidrBlocks: "10.0.0.1/8" has host bits set or is not in canonical form: write 10.0.0.0/8'],
  ],
  [
    { access: { clientCidrBlocks: ["::/0"] } },
    ['access.clientCidrBlocks: "::/0" is not an IPv4 block in CIDR notation (for example 192.168.0.0/16)'],
  ],
  [
    { access: { clientCidrBlocks: ["10.0.0.0/8", "10.0.0.0/8"] } },
    ['access.clientCidrBlocks: "10.0.0.0/8" is listed twice; list each block once'],
  ],
  [
    { access: { adminCidrBlocks: ["0.0.0.0/0"] } },
    [
      'access.adminCidrBlocks: "0.0.0.0/0" would open the dashboard and the management API to the whole internet; name the blocks that administrators connect from',
    ],
  ],
  [
    { access: { adminCidrBlocks: ["x"] } },
    ['access.adminCidrBlocks: "x" is not an IPv4 block in CIDR notation (for example 192.168.0.0/16)'],
  ],
  ...(
    [
      [
        [{ port: 5432 }],
        "egress[0]: has none of cidrBlock, securityGroupId and prefixListId; give exactly one",
      ],
      [
        [{ port: 5432, cidrBlock: "10.0.0.0/8", prefixListId: "pl-01234567" }],
        "egress[0]: has 2 of cidrBlock, securityGroupId and prefixListId; give exactly one",
      ],
      [[{ cidrBlock: "10.0.0.0/8" } as never], "egress[0].port: missing; give the port of the back end"],
      [
        [{ port: 70000, cidrBlock: "10.0.0.0/8" }],
        "egress[0].port: 70000 is not a whole number of a port from 1 to 65535",
      ],
      [
        [{ port: 443, cidrBlock: "0.0.0.0/0" }],
        "egress[0]: port 443 is open to 0.0.0.0/0 anyway; leave it out",
      ],
      [
        [0, 1].map(() => ({ port: 5432, cidrBlock: "10.0.0.0/8" })),
        "egress[1]: port 5432 to 10.0.0.0/8 is listed twice; list each way once",
      ],
      [
        [{ port: 5369, cidrBlock: "10.0.0.0/8" }],
        "egress[0].port: 5369 is for RPC between nodes and open to their own group alone; give the port of a back end",
      ],
    ] satisfies [NonNullable<NonNullable<EmqxDeploymentArgs["access"]>["egress"]>, string][]
  ).map(([egress, problem]): [Partial<EmqxDeploymentArgs>, string[]] => [
    { access: { egress } },
    [`access.${problem}`],
  ]),
  [
    { extraConfig: "a = {" },
    ['extraConfig is not HOCON that can be appended to emqx.conf: line 1: "{" is never closed.'],
  ],
  [
    { extraConfig: "node.cookie = x" },
    [
      "extraConfig line 1 sets node.cookie, but node.cookie is set by the component: it is generated and read from a parameter. Remove it.",
    ],
  ],
  [
    { extraConfig: "listeners { tcp { default { bind = 1 } } }" },
    [
      "extraConfig line 1 sets listeners.tcp.default.bind, but listeners.tcp.default.bind is set by the component: the load balancer and the security groups use 1883. Remove it.",
    ],
  ],
  [{ dataVolume: { sizeGiB: 0 } }, ["dataVolume.sizeGiB: 0 is not a whole number of GiB from 1 to 16384"]],
  [
    { dataVolume: { sizeGiB: 20000 } },
    ["dataVolume.sizeGiB: 20000 is not a whole number of GiB from 1 to 16384"],
  ],
  [
    { dns: { hostname: "mqtt.example.com" } },
    ["dns.hostedZoneId: missing; give the id of the hosted zone that the hostname is in"],
  ],
  [
    { dns: { hostname: "MQTT_x", hostedZoneId: "Z1" } },
    ['dns.hostname: "MQTT_x" is not a DNS name in lower case, for example mqtt.example.com'],
  ],
  [{ dns: { hostedZoneId: "Z1" } }, ["dns.hostname: missing; give the name that clients connect to"]],
  [
    { vpc: { natGateways: "None" } },
    [
      "vpc.natGateways: None leaves the nodes without a way to their package and to AWS's APIs; use Single or PerAvailabilityZone",
    ],
  ],
  [
    { vpc: { natGateways: "single" } },
    ['vpc.natGateways: "single" is not one of None, Single, PerAvailabilityZone'],
  ],
  [{ clusterPorts: "X" }, ['clusterPorts: "X" is not one of Documented, Package']],
  [
    { rollout: { batchSize: 3 } },
    ["rollout.batchSize: 3 is not a whole number of nodes from 1 to 2, so that some of the 3 always serve"],
  ],
  [
    { rollout: { readinessTimeoutSeconds: 5 } },
    ["rollout.readinessTimeoutSeconds: 5 is not a whole number of seconds from 60 to 7200"],
  ],
  [
    { instance: { package: { url: "http://x/y.rpm" } } },
    ['instance.package.url: "http://x/y.rpm" must be an https:// address of an RPM for Amazon Linux 2023'],
  ],
  [
    { instance: { package: { sha256: "abc" } } },
    [
      'instance.package.sha256: "abc" must be the SHA-256 sum of the package: 64 digits 0-9, a-f in lower case',
    ],
  ],
  [
    { kmsKeyId: "alias/x" },
    ['kmsKeyId: "alias/x" is not of the form arn:aws:kms:<region>:<account>:key/<key id>'],
  ],
  [
    { kmsKeyId: "arn:aws:kms:us-east-1:123456789012:key/x" },
    [
      'kmsKeyId: "arn:aws:kms:us-east-1:123456789012:key/x" is in us-east-1, but the deployment is in eu-west-1; use one of eu-west-1',
    ],
  ],
  [
    { classicElb: { accessLogs: {} } },
    ["classicElb.accessLogs.bucket: missing; name the bucket that the logs go to"],
  ],
  [
    { classicElb: { accessLogs: { bucket: "B" } } },
    ['classicElb.accessLogs.bucket: "B" is not the name of an S3 bucket'],
  ],
  [
    { classicElb: { accessLogs: { bucket: "bbb", intervalMinutes: 10 } } },
    ["classicElb.accessLogs.intervalMinutes: 10 is not 5 or 60"],
  ],
  [
    { vpc: { flowLogs: { retentionDays: 100 } } },
    [
      "vpc.flowLogs.retentionDays: 100 is not one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653",
    ],
  ],
  [{ licenseKey: " " }, ["licenseKey: is empty; give the key, or leave it out"]],
];

describe("bad input", () => {
  test("is told from good input", () => {
    expect(deploymentProblems("emqx", good)).toEqual([]);
  });

  test.each(rows)("%j", (change, problems) => {
    expect(deploymentProblems("emqx", { ...good, ...change })).toEqual(problems);
  });

  test("is reported all at once, each problem with the input's name first", () => {
    const problems = deploymentProblems("emqx", {
      ...good,
      vpc: { cidrBlock: "10.0.0.0/8" },
      nodeCount: 0,
      keepAliveSeconds: -1,
      access: { adminCidrBlocks: ["0.0.0.0/0"] },
      instance: { type: "large" },
    });
    expect(problems.map((problem) => problem.split(/[: ]/)[0])).toEqual([
      "nodeCount",
      "vpc.cidrBlock",
      "access.adminCidrBlocks",
      "instance.type",
      "keepAliveSeconds",
    ]);
  });

  test("includes user data over EC2's limit, by how much", () => {
    const [problem] = deploymentProblems("emqx", { ...good, extraConfig: `# ${"y".repeat(17000)}` });
    expect(problem).toMatch(
      /^extraConfig: user data has \d{5} bytes, EC2 allows 16384: shorten extraConfig by \d+ bytes/,
    );
  });

  test("includes rules that a security group has no room for", () => {
    const blocks = (count: number) => Array.from({ length: count }, (_, i) => `10.0.${i}.0/24`);
    const problemsWith = (clients: number, administrators: number, backEnds: number) =>
      deploymentProblems("emqx", {
        ...good,
        access: {
          clientCidrBlocks: blocks(clients),
          adminCidrBlocks: blocks(administrators),
          egress: blocks(backEnds).map((cidrBlock) => ({ port: 5432, cidrBlock })),
        },
      });
    expect(problemsWith(30, 55, 56)).toEqual([]);
    expect(problemsWith(31, 56, 57)).toEqual([
      "access.clientCidrBlocks: 31 blocks for 2 listeners need 62 rules, and a security group holds 60; use fewer or larger blocks",
      "access.adminCidrBlocks: 56 blocks do not fit; a security group has room for 55",
      "access.egress: 57 ways do not fit; a security group has room for 56",
    ]);
  });

  test("includes a name too long for a load balancer", () => {
    expect(deploymentProblems("a-name-of-22-character", good)).toEqual([
      `name: "a-name-of-22-character" (22 characters) cannot begin the name of a load balancer, which has 32 characters at most; ` +
        `use 1 to 20 letters, digits and hyphens, a letter or digit first`,
    ]);
  });
});
