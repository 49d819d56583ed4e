/**
 * Every name that the library derives from a component's fits AWS's limit, and a component's name for which one would not
 * is refused. What is looked at follows from what the components register: a type without a row here fails.
 */
import * as pulumi from "@pulumi/pulumi";
import {
  EmqxBackup,
  EmqxClassicElb,
  EmqxNetworkLoadBalancer,
  EmqxClusterNodes,
  EmqxDeployment,
  EmqxMonitoring,
  EmqxSecurityGroup,
  EmqxVpc,
  type EmqxDeploymentArgs,
} from "../../components";
import { clusterNodesNameProblems } from "../../components/nodes/problems";
import { networkLoadBalancerNameProblems } from "../../components/networkLoadBalancer/settings";
import { elbNameProblems } from "../../components/classicElb/settings";
import { backupNameProblems } from "../../components/backup/settings";
import { deploymentProblems } from "../../components/deployment/settings";
import { groupNameProblems } from "../../components/access/settings";
import { vpcNameProblems } from "../../components/network/settings";
import { monitoringNameProblems } from "../../components/monitoring/settings";
import { RegionMocks, type Registered } from "@emqx-aws/simulator";

const everything: EmqxDeploymentArgs = {
  ...{ availabilityZones: ["eu-west-1a", "eu-west-1b"], nodeCount: 12, certificate: { selfSigned: {} } },
  ...{ classicElb: { proxyProtocol: true }, monitoring: {}, backup: {}, vpc: { flowLogs: {} } },
  access: { clientCidrBlocks: ["203.0.113.255/32"], adminCidrBlocks: ["203.0.113.254/32"] },
};

/** What AWS's own references say of each name, by type and property: the most characters, and which ones. */
const limits: Record<string, [property: string, most: number, characters: RegExp]> = {
  // IAM API reference: CreateRole, CreateInstanceProfile, PutRolePolicy.
  "aws:iam/role:Role": ["name", 64, /^[\w+=,.@-]+$/],
  "aws:iam/instanceProfile:InstanceProfile": ["name", 128, /^[\w+=,.@-]+$/],
  "aws:iam/rolePolicy:RolePolicy": ["name", 128, /^[\w+=,.@-]+$/],
  // EC2 API reference, CreateSecurityGroup.
  "aws:ec2/securityGroup:SecurityGroup": ["name", 255, /^(?!sg-)[\w .:/()#,@[\]+=&;{}!$*-]+$/],
  // Elastic Load Balancing API reference 2012-06-01: CreateLoadBalancer; policies have no limit there.
  "aws:elb/loadBalancer:LoadBalancer": ["name", 32, /^[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]$/],
  // Elastic Load Balancing API reference 2015-12-01: CreateLoadBalancer, CreateTargetGroup.
  "aws:lb/loadBalancer:LoadBalancer": ["name", 32, /^(?!internal-)[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]$/],
  "aws:lb/targetGroup:TargetGroup": ["name", 32, /^[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]$/],
  "aws:elb/loadBalancerPolicy:LoadBalancerPolicy": ["policyName", 128, /^[A-Za-z0-9-]+$/],
  // SSM API reference, PutParameter: 1,011 with the ARN's beginning; CloudWatch Logs, CreateLogGroup.
  "aws:ssm/parameter:Parameter": ["name", 1011, /^(?!\/(aws|ssm))(\/[\w.-]+){1,15}$/i],
  "aws:cloudwatch/logGroup:LogGroup": ["name", 512, /^[\w.\-/#]+$/],
  // CloudWatch API reference: PutMetricAlarm, PutDashboard.
  "aws:cloudwatch/metricAlarm:MetricAlarm": ["name", 255, /^[^\p{Cc}]+$/u],
  "aws:cloudwatch/dashboard:Dashboard": ["dashboardName", 255, /^[\w-]+$/],
  // SNS API reference, CreateTopic; S3 user guide, "General purpose bucket naming rules"; DLM API reference, CreateLifecyclePolicy.
  "aws:sns/topic:Topic": ["name", 256, /^[\w-]+$/],
  "aws:s3/bucket:Bucket": ["bucket", 63, /^[a-z0-9][a-z0-9-]+[a-z0-9]$/],
  "aws:dlm/lifecyclePolicy:LifecyclePolicy": ["description", 500, /^[0-9A-Za-z _-]+$/],
};
/** AWS calls these by ids; what else they hold is another resource's, or a tag. */
const nameless =
  /^aws:(ec2|ebs|vpc|acm)\/|^aws:e?lb\/(attachment|listener|loadBalancerBackendServerPolicy|targetGroupAttachment)|^aws:s3\/bucket./;
/** Tagging has these everywhere (components/shared/tags.ts). */
const tag = [256, /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u] as const;

async function made(project: string, stack: string, program: () => unknown): Promise<Registered[]> {
  const mocks = new RegionMocks();
  await pulumi.runtime.setMocks(mocks, project, stack, false);
  try {
    program();
  } finally {
    await pulumi.runtime.disconnect();
  }
  return mocks.registered.filter(({ type, custom }) => custom && type.startsWith("aws:"));
}

/** The longest name that is accepted, and what is said of one character more. */
function longest(problemsOf: (name: string) => string[]): { length: number; refusal: string } {
  const about = (length: number) => problemsOf("n".repeat(length)).filter((text) => /^name: /.test(text));
  let length = 1;
  while (about(length + 1).length === 0) length++;
  return { length, refusal: about(length + 1).join() };
}

const rules: Record<string, (name: string) => string[]> = {
  EmqxVpc: vpcNameProblems,
  EmqxSecurityGroup: groupNameProblems,
  EmqxClassicElb: elbNameProblems,
  EmqxNetworkLoadBalancer: networkLoadBalancerNameProblems,
  EmqxClusterNodes: clusterNodesNameProblems,
  EmqxMonitoring: monitoringNameProblems,
  EmqxBackup: backupNameProblems,
  EmqxDeployment: (name) => deploymentProblems(name, everything),
};

test.each(Object.entries(rules))(
  "%s: a name that is too long is told its length and the limit",
  (_, rule) => {
    const { length, refusal } = longest(rule);
    expect(refusal).toContain(`name: "${"n".repeat(length + 1)}" (${length + 1} characters)`);
    expect(refusal).toMatch(/ which has \d+ characters at most; /);
    expect(refusal).toContain(`use 1 to ${length} `);
  },
);

function expectToFit(resources: Registered[]): void {
  for (const { type, inputs } of resources) {
    const [property, most, characters] = limits[type] ?? [];
    expect([type, property !== undefined || nameless.test(type)]).toEqual([type, true]);
    const named = property === undefined ? [] : [[String(inputs[property]), most!, characters!] as const];
    const tags = Object.values((inputs["tags"] ?? {}) as Record<string, string>);
    for (const [text, room, allowed] of [...named, ...tags.map((value) => [value, ...tag] as const)]) {
      expect([type, text, text.length <= room, allowed.test(text)]).toEqual([type, text, true, true]);
    }
  }
  // An IAM role has 10,240 characters for all of its inline policies (IAM user guide, "IAM and AWS STS quotas").
  const policies = resources.filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy");
  expect(policies.reduce((sum, { inputs }) => sum + String(inputs["policy"]).length, 0)).toBeLessThan(10_240);
}

/** The most characters of project and stack together, with the longest name of a deployment. */
const roomForPath = 200 - "/emqx///".length - "-nodes".length - 20;
const project = "p".repeat(84);

test.each([
  ["short names of project and stack", "p", "s"],
  ["the longest names of project and stack", project, `s.${"s".repeat(roomForPath - 84 - 2)}`],
])("with %s, everything of a deployment with the longest name fits", async (_, ...place) => {
  const name = "n".repeat(longest(rules["EmqxDeployment"]!).length);
  const resources = await made(...place, () => new EmqxDeployment(name, everything));
  expect(resources.length).toBeGreaterThan(150);
  expectToFit(resources);
});

test("everything of a component alone with the longest name fits", async () => {
  const nameOf = (component: string) => "n".repeat(longest(rules[component]!).length);
  const resources = await made("p", "s", () => {
    const vpc = new EmqxVpc(nameOf("EmqxVpc"), {
      ...everything.vpc,
      availabilityZones: everything.availabilityZones,
    });
    const groups = new EmqxSecurityGroup(nameOf("EmqxSecurityGroup"), {
      ...everything.access,
      vpcId: vpc.vpcId,
    });
    const elb = new EmqxClassicElb(nameOf("EmqxClassicElb"), {
      ...{ certificate: { selfSigned: {} }, proxyProtocol: true, subnetIds: vpc.publicSubnetIds },
      securityGroupIds: [groups.loadBalancerSecurityGroupId],
    });
    const nlb = new EmqxNetworkLoadBalancer(nameOf("EmqxNetworkLoadBalancer"), {
      vpcId: vpc.vpcId,
      subnetIds: vpc.publicSubnetIds,
      securityGroupIds: [groups.loadBalancerSecurityGroupId],
      certificate: { selfSigned: {} },
    });
    const nodes = new EmqxClusterNodes(nameOf("EmqxClusterNodes"), {
      nodes: [
        {
          subnetId: vpc.privateSubnetIds[0]!,
          availabilityZone: "eu-west-1a",
          privateIp: "192.168.0.10",
        },
      ],
      securityGroupIds: [groups.nodeSecurityGroupId],
      loadBalancerNames: [elb.loadBalancerName],
      targetGroupArns: nlb.targetGroupArns,
      proxyProtocol: true,
    });
    const { parameterPrefix, roleName, loadBalancerName } = { ...nodes, ...elb };
    new EmqxMonitoring(nameOf("EmqxMonitoring"), {
      ...{ loadBalancerName, parameterPrefix, roleName },
      nodes: [{ instanceId: nodes.instanceIds[0]!, nodeName: nodes.nodeNames[0]! }],
    });
    new EmqxBackup(nameOf("EmqxBackup"), { parameterPrefix, roleName });
  });
  expect(new Set(resources.map(({ type }) => type)).size).toBeGreaterThan(30);
  expectToFit(resources);
});

test("one character more of project or stack than there is room for is refused", async () => {
  await pulumi.runtime.setMocks(new RegionMocks(), project, "s".repeat(roomForPath - 84 + 1), true);
  try {
    expect(() => new EmqxDeployment("n".repeat(20), everything)).toThrow(
      /\n {2}- name: the path of the cluster's parameters, "\/emqx\/p+\/s+\/n+-nodes", has 201 characters, and .* room for 200/,
    );
  } finally {
    await pulumi.runtime.disconnect();
  }
});
