import * as pulumi from "@pulumi/pulumi";
import {
  AddressType,
  EmqxNetworkLoadBalancer,
  EmqxSecurityGroup,
  EmqxVpc,
  Listener,
  NetworkTlsPolicy,
  type EmqxNetworkLoadBalancerArgs,
} from "../../../components";
import {
  networkKeyProblem,
  networkLoadBalancerProblems,
} from "../../../components/networkLoadBalancer/settings";
import { inAws, namesByType, run, valueOf } from "../../support";

const region = "arn:aws:acm:eu-west-1:123456789012:certificate";
const certificateArn = `${region}/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01`;
const other = `${region}/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02`;
const trustStore = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:truststore/fleet/0123456789abcdef";
const certificate = { arn: certificateArn };
type Args = Omit<EmqxNetworkLoadBalancerArgs, "vpcId" | "subnetIds" | "securityGroupIds">;

async function deploy(args: Args) {
  const made: EmqxNetworkLoadBalancer[] = [];
  const mocks = await run(() => {
    const vpc = new EmqxVpc("net", { availabilityZones: ["eu-west-1a", "eu-west-1b"] });
    const groups = new EmqxSecurityGroup("mq", { vpcId: vpc.vpcId, listeners: args.listeners });
    made.push(
      new EmqxNetworkLoadBalancer("lb", {
        vpcId: vpc.vpcId,
        subnetIds: vpc.publicSubnetIds,
        securityGroupIds: [groups.loadBalancerSecurityGroupId],
        ...args,
      }),
    );
  });
  return { mocks, nlb: made[0]!, loadBalancer: mocks.named("lb", "aws:lb/loadBalancer:LoadBalancer").inputs };
}

const place = {
  vpcId: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0"],
  securityGroupIds: ["sg-0123456789abcdef0"],
};

describe("EmqxNetworkLoadBalancer", () => {
  test("makes the guide's two listeners to one target group, with AWS's safer values", async () => {
    const { mocks, loadBalancer } = await deploy({ certificate });
    const groups = mocks.ofType("aws:lb/targetGroup:TargetGroup");
    expect(loadBalancer).toMatchObject({
      loadBalancerType: "network",
      internal: false,
      ipAddressType: "ipv4",
      enableCrossZoneLoadBalancing: true,
      enableZonalShift: false,
    });
    expect(loadBalancer["securityGroups"]).toHaveLength(1);
    expect(loadBalancer["subnets"]).toHaveLength(2);
    expect(groups.map(({ inputs }) => inputs)).toMatchObject([
      {
        port: 1883,
        protocol: "TCP",
        targetType: "instance",
        healthCheck: {
          protocol: "HTTP",
          port: "18083",
          path: "/status",
          matcher: "200",
          interval: 10,
          timeout: 5,
          healthyThreshold: 2,
          unhealthyThreshold: 2,
        },
        deregistrationDelay: 300,
        targetHealthStates: [{ enableUnhealthyConnectionTermination: false, unhealthyDrainingInterval: 300 }],
        proxyProtocolV2: false,
      },
    ]);
    const forward = [{ type: "forward", targetGroupArn: groups[0]!.outputs!["arn"] }];
    expect(mocks.named("lb-mqtt").inputs).toMatchObject({
      port: 1883,
      protocol: "TCP",
      tcpIdleTimeoutSeconds: 350,
      defaultActions: forward,
    });
    expect(mocks.named("lb-mqtts").inputs).toMatchObject({
      port: 8883,
      protocol: "TLS",
      sslPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
      certificateArn,
      defaultActions: forward,
    });
    expect(mocks.named("lb-mqtts").inputs).not.toHaveProperty("tcpIdleTimeoutSeconds");
    expect(namesByType(inAws(mocks).filter(({ name }) => name.startsWith("lb")))).toEqual({
      Certificate: ["lb-certificate"],
      Listener: ["lb-mqtt", "lb-mqtts"],
      LoadBalancer: ["lb"],
      TargetGroup: ["lb-1883"],
    });
  });

  test("makes everything that it can be told", async () => {
    const { mocks, nlb, loadBalancer } = await deploy({
      listeners: [Listener.Ws, Listener.Wss],
      certificate,
      tlsPolicy: NetworkTlsPolicy.Tls13,
      furtherCertificateArns: [other, pulumi.output(other)],
      clientTrustStoreArn: trustStore,
      crossZone: false,
      staticAddresses: true,
      zonalShift: true,
      endpointService: { allowedPrincipalArns: ["arn:aws:iam::123456789012:root"] },
      proxyProtocol: true,
      keepAliveSeconds: 60,
      drainingTimeoutSeconds: 20,
      accessLogs: { bucket: "emqx-access-logs-example", bucketPrefix: "mqtt" },
      dns: { hostedZoneId: "Z0123456789EXAMPLE01", hostname: "mqtt.example.com" },
    });
    expect(loadBalancer).toMatchObject({
      subnetMappings: [{}, {}],
      enableCrossZoneLoadBalancing: false,
      enableZonalShift: true,
      accessLogs: { bucket: "emqx-access-logs-example", prefix: "mqtt", enabled: true },
    });
    expect(loadBalancer["subnets"]).toBeUndefined();
    expect(mocks.named("lb-8083").inputs).toMatchObject({
      port: 8083,
      proxyProtocolV2: true,
      deregistrationDelay: 20,
    });
    expect(mocks.named("lb-ws").inputs).toMatchObject({ port: 8083, tcpIdleTimeoutSeconds: 120 });
    expect(mocks.named("lb-wss").inputs).toMatchObject({
      port: 8084,
      sslPolicy: "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
      mutualAuthentication: { mode: "verify", trustStoreArn: trustStore },
    });
    expect(mocks.named("lb-wss-1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02").inputs["certificateArn"]).toBe(other);
    expect(mocks.named("lb-dns").inputs).toMatchObject({ type: "A", name: "mqtt.example.com" });
    expect(mocks.ofType("aws:ec2/eip:Eip").map(({ name }) => name)).toEqual(
      expect.arrayContaining(["lb-0", "lb-1"]),
    );
    expect(await valueOf(pulumi.all(nlb.addresses))).toHaveLength(2);
    expect(await valueOf(pulumi.all(nlb.targetGroupArns))).toEqual([
      expect.stringMatching(/^arn:aws:elasticloadbalancing:eu-west-1:\d+:targetgroup\/lb-8083-/),
    ]);
    expect(await valueOf(nlb.endpointServiceName)).toMatch(/^com\.amazonaws\.vpce\.eu-west-1\.vpce-svc-/);
    expect([await valueOf(nlb.wssUrl), nlb.mqttUrl]).toEqual(["wss://mqtt.example.com:8084/mqtt", undefined]);
  });

  test("names itself in a certificate that it signs", async () => {
    const { mocks, nlb } = await deploy({ certificate: { selfSigned: {} } });
    expect(mocks.named("lb-self-signed-1", "tls:index/certRequest:CertRequest").inputs["dnsNames"]).toEqual([
      "*.eu-west-1.elb.amazonaws.com",
      "*.elb.eu-west-1.amazonaws.com",
    ]);
    expect(await valueOf(nlb.caCertificatePem)).toContain("BEGIN CERTIFICATE");
  });

  test.each<[string, Args, string | undefined]>([
    ["213 s with TLS", { certificate, keepAliveSeconds: 213 }, undefined],
    [
      "214 s with TLS",
      { certificate, keepAliveSeconds: 214 },
      "keepAliveSeconds: 214 is over 213, and a TLS listener of a Network Load Balancer cuts clients that are silent for 350 s, " +
        "which nobody can change; let clients keep alive within 213 s, or leave Mqtts and Wss out",
    ],
    ["3,980 s without", { listeners: [Listener.Mqtt], keepAliveSeconds: 3980 }, undefined],
    [
      "3,981 s without",
      { listeners: [Listener.Mqtt], keepAliveSeconds: 3981 },
      "keepAliveSeconds: 3981 is not a whole number of seconds from 1 to 3980",
    ],
    [
      "IPv6 of an internal one",
      { certificate, internal: true, addressType: AddressType.DualStack },
      "addressType: DualStack is for the internet; leave it out, or internal",
    ],
    [
      "Elastic IPs of an internal one",
      { certificate, internal: true, staticAddresses: true },
      "staticAddresses: Elastic IPs are for the internet; leave it out, or internal",
    ],
    [
      "logs without TLS",
      { listeners: [Listener.Mqtt], accessLogs: { bucket: "bbb" } },
      "accessLogs: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out",
    ],
    [
      "a trust store of Classic ELBs",
      { certificate, clientTrustStoreArn: certificateArn },
      `clientTrustStoreArn: "${certificateArn}" is not of the form arn:aws:elasticloadbalancing:<region>:<account>:truststore/<name>/<id>`,
    ],
    [
      "QUIC",
      { listeners: ["Quic" as Listener] },
      'listeners: "Quic" is no listener; use Mqtt, Mqtts, Ws, Wss',
    ],
    [
      "a certificate twice",
      { certificate, furtherCertificateArns: [other, other] },
      `furtherCertificateArns: "${other}" is listed twice; list each once`,
    ],
    [
      "26 certificates",
      { certificate, furtherCertificateArns: Array.from({ length: 26 }, (_, i) => `${region}/${i}`) },
      "furtherCertificateArns: 26 certificates, and a Network Load Balancer takes 25 beside its own",
    ],
  ])("%s", (_, args, problem) => {
    expect(networkLoadBalancerProblems("lb", { ...place, ...args })).toEqual(problem ? [problem] : []);
  });

  test("refuses a name without room for a group's, and Elastic IPs for it does not know how many zones", () => {
    const problems = (name: string) => networkLoadBalancerProblems(name, { ...place, certificate });
    expect(problems("n".repeat(19))).toEqual([]);
    expect(problems("n".repeat(20)).join()).toMatch(
      /a target group, which has 32 characters at most; use 1 to 19/,
    );
    expect(problems("internal-x").join()).toContain("which AWS keeps for itself");
    expect(
      networkLoadBalancerProblems("lb", {
        ...place,
        certificate,
        subnetIds: pulumi.output(place.subnetIds),
        staticAddresses: true,
      }).join(),
    ).toContain("give a list of outputs");
  });

  test("refuses RSA keys that AWS takes and cannot use", () => {
    expect(networkKeyProblem(certificateArn, 3072)).toBeUndefined();
    expect(networkKeyProblem(certificateArn, 4096)).toContain(
      "has 4096 bits (RSA), and a Network Load Balancer takes 3072",
    );
  });
});
