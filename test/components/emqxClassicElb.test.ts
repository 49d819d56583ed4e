import { X509Certificate } from "node:crypto";
import {
  EmqxClassicElb,
  EmqxSecurityGroup,
  EmqxVpc,
  Listener,
  TlsPolicy,
  type EmqxClassicElbArgs,
} from "../../components";
import { inAws, namesByType, run, valueOf, type RunOptions } from "../support";

const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
type Args = Omit<EmqxClassicElbArgs, "subnetIds" | "securityGroupIds">;

async function deploy(args: Args, options: RunOptions = {}) {
  const made: EmqxClassicElb[] = [];
  const mocks = await run(() => {
    const vpc = new EmqxVpc("net", { availabilityZones: ["eu-west-1a", "eu-west-1b"] });
    const groups = new EmqxSecurityGroup("mq", { vpcId: vpc.vpcId, listeners: args.listeners });
    made.push(
      new EmqxClassicElb("lb", {
        subnetIds: vpc.publicSubnetIds,
        securityGroupIds: [groups.loadBalancerSecurityGroupId],
        ...args,
      }),
    );
  }, options);
  const loadBalancer = mocks.named("lb", "aws:elb/loadBalancer:LoadBalancer");
  return { mocks, elb: made[0]!, loadBalancer };
}

describe("EmqxClassicElb", () => {
  test("makes the guide's two listeners, TLS ended at the load balancer", async () => {
    const { loadBalancer } = await deploy({ certificateArn });
    expect(loadBalancer.inputs).toMatchObject({
      internal: false,
      listeners: [
        { lbProtocol: "TCP", lbPort: 1883, instanceProtocol: "TCP", instancePort: 1883 },
        {
          lbProtocol: "SSL",
          lbPort: 8883,
          instanceProtocol: "TCP",
          instancePort: 1883,
          sslCertificateId: certificateArn,
        },
      ],
      healthCheck: {
        target: "HTTP:18083/status",
        interval: 10,
        timeout: 5,
        healthyThreshold: 2,
        unhealthyThreshold: 2,
      },
      crossZoneLoadBalancing: true,
      connectionDraining: true,
      connectionDrainingTimeout: 300,
      idleTimeout: 480,
    });
    expect(loadBalancer.inputs["accessLogs"]).toBeUndefined();
  });

  test("makes nothing but the load balancer and its TLS policy by default", async () => {
    const { mocks } = await deploy({ certificateArn });
    const own = inAws(mocks).filter(({ name }) => name.startsWith("lb"));
    expect(namesByType(own)).toEqual({
      ListenerPolicy: ["lb-tls-mqtts"],
      LoadBalancer: ["lb"],
      LoadBalancerPolicy: ["lb-tls"],
    });
  });

  test("makes WebSocket listeners on request", async () => {
    const { loadBalancer, mocks } = await deploy({ certificateArn, listeners: [Listener.Wss, Listener.Ws] });
    expect(loadBalancer.inputs["listeners"]).toMatchObject([
      { lbProtocol: "TCP", lbPort: 8083, instancePort: 8083 },
      { lbProtocol: "SSL", lbPort: 8084, instancePort: 8083, sslCertificateId: certificateArn },
    ]);
    expect(mocks.named("lb-tls-wss").inputs["loadBalancerPort"]).toBe(8084);
  });

  test.each([
    [60, 120],
    [300, 480],
    [1, 32],
    [2380, 3600],
  ])("rests for a keep-alive of %d s with an idle timeout of %d s", async (keepAliveSeconds, idleTimeout) => {
    const { loadBalancer } = await deploy({ certificateArn, keepAliveSeconds });
    expect(loadBalancer.inputs["idleTimeout"]).toBe(idleTimeout);
  });

  test.each([
    [undefined, "ELBSecurityPolicy-TLS-1-2-2017-01"],
    [TlsPolicy.Tls10, "ELBSecurityPolicy-2016-08"],
  ])("sets TLS policy %s", async (tlsPolicy, reference) => {
    const { mocks } = await deploy({ certificateArn, tlsPolicy });
    const policy = mocks.named("lb-tls");
    expect(policy.inputs).toMatchObject({
      policyTypeName: "SSLNegotiationPolicyType",
      policyAttributes: [{ name: "Reference-Security-Policy", value: reference }],
    });
    expect(mocks.named("lb-tls-mqtts").inputs).toMatchObject({
      loadBalancerPort: 8883,
      policyNames: [policy.inputs["policyName"]],
      triggers: { certificateArn },
    });
  });

  test("has no TLS policy without a TLS listener", async () => {
    const { mocks } = await deploy({ listeners: [Listener.Mqtt] });
    expect(mocks.ofType("aws:elb/loadBalancerPolicy:LoadBalancerPolicy")).toEqual([]);
  });

  test("announces clients by PROXY protocol on every port of the nodes, when asked", async () => {
    const { mocks } = await deploy({
      certificateArn,
      listeners: [Listener.Mqtt, Listener.Mqtts, Listener.Wss],
      proxyProtocol: true,
    });
    const ports = mocks
      .ofType("aws:elb/loadBalancerBackendServerPolicy:LoadBalancerBackendServerPolicy")
      .map(({ inputs }) => inputs["instancePort"]);
    expect(ports.sort()).toEqual([1883, 8083]);
    expect(mocks.named("lb-proxy").inputs).toMatchObject({
      policyTypeName: "ProxyProtocolPolicyType",
      policyAttributes: [{ name: "ProxyProtocol", value: "true" }],
    });
  });

  test("imports a self-signed RSA certificate for the load balancer's names, and gives its PEM", async () => {
    const { mocks, elb, loadBalancer } = await deploy({ selfSignedCertificate: true });
    const arn = mocks.named("lb-self-signed", "aws:acm/certificate:Certificate").outputs?.["arn"];
    expect(loadBalancer.inputs["listeners"]).toMatchObject([{}, { sslCertificateId: arn }]);
    const certificate = new X509Certificate(await valueOf(elb.caCertificatePem));
    expect(certificate.publicKey.asymmetricKeyType).toBe("rsa");
    expect(certificate.checkHost(await valueOf(elb.dnsName))).toBeDefined();
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  test("keeps the self-signed certificate's key secret", async () => {
    const { mocks } = await deploy({ selfSignedCertificate: true });
    expect(mocks.named("lb-self-signed", "aws:acm/certificate:Certificate").secrets).toContain("privateKey");
  });

  test("makes an alias record and names it in the endpoints", async () => {
    const { mocks, elb, loadBalancer } = await deploy({
      certificateArn,
      listeners: [Listener.Mqtts, Listener.Wss],
      hostedZoneId: "Z0123456789EXAMPLE01",
      hostname: "mqtt.example.com",
    });
    expect(mocks.named("lb-dns").inputs).toMatchObject({
      zoneId: "Z0123456789EXAMPLE01",
      name: "mqtt.example.com",
      type: "A",
      aliases: [{ name: loadBalancer.outputs?.["dnsName"], zoneId: loadBalancer.outputs?.["zoneId"] }],
    });
    expect(await valueOf(elb.mqttsUrl)).toBe("mqtts://mqtt.example.com:8883");
    expect(await valueOf(elb.wssUrl)).toBe("wss://mqtt.example.com:8084/mqtt");
    expect(elb.mqttUrl).toBeUndefined();
    expect(elb.wsUrl).toBeUndefined();
  });

  test("names the load balancer itself without a host name", async () => {
    const { elb } = await deploy({ certificateArn });
    const dnsName = await valueOf(elb.dnsName);
    expect(dnsName).toMatch(/^lb-[0-9a-f]{7}-\d+\.eu-west-1\.elb\.amazonaws\.com$/);
    expect(await valueOf(elb.mqttUrl)).toBe(`mqtt://${dnsName}:1883`);
    expect(await valueOf(elb.mqttsUrl)).toBe(`mqtts://${dnsName}:8883`);
    expect(elb.caCertificatePem).toBeUndefined();
  });

  test("writes access logs when given a bucket", async () => {
    const { loadBalancer } = await deploy({
      certificateArn,
      accessLogs: { bucket: "emqx-access-logs-example", bucketPrefix: "mqtt", intervalMinutes: 5 },
    });
    expect(loadBalancer.inputs["accessLogs"]).toEqual({
      bucket: "emqx-access-logs-example",
      bucketPrefix: "mqtt",
      enabled: true,
      interval: 5,
    });
  });

  test("works at preview, when nothing is known yet", async () => {
    const { loadBalancer } = await deploy({ certificateArn }, { preview: true });
    expect(loadBalancer.inputs).toMatchObject({ idleTimeout: 480 });
  });

  test("refuses a name that no load balancer can have", async () => {
    await run(() => {
      expect(
        () =>
          new EmqxClassicElb("my_lb", {
            subnetIds: ["subnet-1"],
            securityGroupIds: ["sg-1"],
            certificateArn,
          }),
      ).toThrow(`name: "my_lb" cannot be a load balancer's name`);
    });
  });
});
