import { X509Certificate } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import {
  EmqxClassicElb,
  EmqxSecurityGroup,
  EmqxVpc,
  Listener,
  TlsPolicy,
  type EmqxClassicElbArgs,
} from "../../../components";
import { elbProblems } from "../../../components/classicElb/settings";
import { newAccount } from "@emqx-aws/simulator";
import { inAws, namesByType, run, valueOf, type RunOptions } from "../../support";

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

const place = { subnetIds: ["subnet-0123456789abcdef0"], securityGroupIds: ["sg-0123456789abcdef0"] };

describe("EmqxClassicElb", () => {
  test("makes the guide's two listeners, TLS ended at the load balancer", async () => {
    const { loadBalancer } = await deploy({ certificate: { arn: certificateArn } });
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
    const { mocks } = await deploy({ certificate: { arn: certificateArn } });
    const own = inAws(mocks).filter(({ name }) => name.startsWith("lb"));
    expect(namesByType(own)).toEqual({
      // Read only, for its end.
      Certificate: ["lb-certificate"],
      ListenerPolicy: ["lb-tls-mqtts"],
      LoadBalancer: ["lb"],
      LoadBalancerPolicy: ["lb-tls"],
    });
  });

  test("makes WebSocket listeners on request", async () => {
    const { loadBalancer, mocks } = await deploy({
      certificate: { arn: certificateArn },
      listeners: [Listener.Wss, Listener.Ws],
    });
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
    const { loadBalancer } = await deploy({ certificate: { arn: certificateArn }, keepAliveSeconds });
    expect(loadBalancer.inputs["idleTimeout"]).toBe(idleTimeout);
  });

  test.each([
    [undefined, "ELBSecurityPolicy-TLS-1-2-2017-01"],
    [TlsPolicy.Tls10, "ELBSecurityPolicy-2016-08"],
  ])("sets TLS policy %s", async (tlsPolicy, reference) => {
    const { mocks } = await deploy({ certificate: { arn: certificateArn }, tlsPolicy });
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
      certificate: { arn: certificateArn },
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

  describe("self-signed", () => {
    const selfSigned = { certificate: { selfSigned: {} } };
    const certificateType = "aws:acm/certificate:Certificate";

    test("imports an RSA certificate for the load balancer's names, issued by an authority that clients can trust", async () => {
      const { mocks, elb, loadBalancer } = await deploy(selfSigned);
      const { inputs, outputs } = mocks.named("lb-self-signed", certificateType);
      expect(loadBalancer.inputs["listeners"]).toMatchObject([{}, { sslCertificateId: outputs?.["arn"] }]);
      const authority = new X509Certificate(await valueOf(elb.caCertificatePem));
      expect(inputs["certificateChain"]).toBe(authority.toString());
      expect(authority.ca).toBe(true);
      const leaf = new X509Certificate(inputs["certificateBody"] as string);
      expect(leaf.ca).toBe(false);
      expect(leaf.publicKey.asymmetricKeyType).toBe("rsa");
      expect(leaf.checkHost(await valueOf(elb.dnsName))).toBeDefined();
      expect(leaf.checkIssued(authority)).toBe(true);
      expect(leaf.verify(authority.publicKey)).toBe(true);
    });

    test("names the deployment's own host name first", async () => {
      const dns = { hostedZoneId: "Z0123456789EXAMPLE01", hostname: "mqtt.example.com" };
      const { mocks } = await deploy({ ...selfSigned, dns });
      expect(mocks.named("lb-self-signed-1", "tls:index/certRequest:CertRequest").inputs).toMatchObject({
        subject: { commonName: "mqtt.example.com" },
        dnsNames: ["mqtt.example.com", "*.eu-west-1.elb.amazonaws.com"],
      });
    });

    test("lasts a year under an authority of ten, and each is renewed long before its end", async () => {
      const { mocks, elb } = await deploy(selfSigned);
      const leaf = mocks.named("lb-self-signed-1", "tls:index/locallySignedCert:LocallySignedCert");
      expect(leaf.inputs).toMatchObject({ validityPeriodHours: 365 * 24, earlyRenewalHours: 30 * 24 });
      expect(await valueOf(elb.certificateExpires)).toBe(leaf.outputs?.["validityEndTime"]);
      const authority = mocks.named("lb-self-signed-ca", "tls:index/selfSignedCert:SelfSignedCert");
      expect(authority.inputs).toMatchObject({
        isCaCertificate: true,
        validityPeriodHours: 3650 * 24,
        earlyRenewalHours: 730 * 24,
        allowedUses: ["cert_signing", "crl_signing"],
      });
    });

    test("another version is another key and certificate, of the same authority, in the same place of ACM", async () => {
      const [first, second] = [
        await deploy(selfSigned),
        await deploy({ certificate: { selfSigned: { version: 2 } } }),
      ];
      const tls = (mocks: typeof first.mocks) =>
        mocks.registered.filter(({ type }) => type.startsWith("tls:")).map(({ name }) => name);
      expect(tls(first.mocks).sort()).toEqual([
        ...["lb-self-signed-1", "lb-self-signed-1", "lb-self-signed-1"],
        ...["lb-self-signed-ca", "lb-self-signed-ca"],
      ]);
      expect(tls(second.mocks).sort()).toEqual([
        ...["lb-self-signed-2", "lb-self-signed-2", "lb-self-signed-2"],
        ...["lb-self-signed-ca", "lb-self-signed-ca"],
      ]);
      expect(second.mocks.ofType(certificateType).map(({ name }) => name)).toEqual(["lb-self-signed"]);
    });

    test("keeps the keys secret", async () => {
      const { mocks } = await deploy(selfSigned);
      expect(mocks.named("lb-self-signed", certificateType).secrets).toContain("privateKey");
      expect(mocks.named("lb-self-signed-1", "tls:index/certRequest:CertRequest").secrets).toContain(
        "privateKeyPem",
      );
      expect(
        mocks.named("lb-self-signed-1", "tls:index/locallySignedCert:LocallySignedCert").secrets,
      ).toContain("caPrivateKeyPem");
    });

    test("works at preview, when no key is known yet", async () => {
      const { loadBalancer, elb } = await deploy(selfSigned, { preview: true });
      expect(loadBalancer.inputs["listeners"]).toMatchObject([{}, { lbPort: 8883 }]);
      expect(elb.certificateExpires).toBeDefined();
    });

    test.each([
      [0, "certificate.selfSigned.version: 0 is not a whole number"],
      [1.5, "certificate.selfSigned.version: 1.5 is not a whole number"],
    ])("refuses version %j", (version, problem) => {
      expect(elbProblems("lb", { ...place, certificate: { selfSigned: { version } } })).toEqual([
        expect.stringContaining(problem),
      ]);
    });
  });

  describe("the certificate's end", () => {
    const server = "arn:aws:iam::123456789012:server-certificate/mqtt-example-com";

    test.each([
      ["ACM", certificateArn, "aws:acm/certificate:Certificate"],
      ["IAM", server, "aws:iam/serverCertificate:ServerCertificate"],
    ])("is what %s says", async (_service, arn, type) => {
      const { mocks, elb } = await deploy({ certificate: { arn: arn } });
      const [stored] = mocks.account.list(type).filter(({ id }) => id === arn);
      expect(await valueOf(elb.certificateExpires)).toBe(
        (stored!.attributes["notAfter"] as string).replace(".000Z", "Z"),
      );
    });

    test.each([certificateArn, server])("is known at preview: %s", async (arn) => {
      const { elb } = await deploy({ certificate: { arn: arn } }, { preview: true });
      expect(await valueOf(elb.certificateExpires)).toMatch(/^\d{4}-\d\d-\d\dT00:00:00Z$/);
    });

    test("is not asked for where another resource gives the ARN, or no listener has a certificate", async () => {
      const late = await deploy({ certificate: { arn: pulumi.output(Promise.resolve(certificateArn)) } });
      expect(late.elb.certificateExpires).toBeUndefined();
      expect((await deploy({ listeners: [Listener.Mqtt] })).elb.certificateExpires).toBeUndefined();
    });

    test("is warned of a month before, and more clearly once it is over; the deployment goes on", async () => {
      const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
      try {
        for (const [days, text] of [
          [31, undefined],
          [
            29,
            /^certificate\.arn: the certificate arn\S+ expires on \S+, in 29 days; ACM renews it by itself/,
          ],
          [
            -1,
            /^certificate\.arn: the certificate arn\S+ expired on \S+, 1 day ago: clients that check it refuse/,
          ],
        ] as const) {
          warn.mockClear();
          const account = newAccount();
          const stored = account.get("aws:acm/certificate:Certificate", "eu-west-1", certificateArn)!;
          // Half a day more, so that the test's own time does not count.
          account.update(stored, {
            notAfter: new Date(Date.now() + (days + 0.5) * 86_400_000).toISOString(),
          });
          const { loadBalancer } = await deploy({ certificate: { arn: certificateArn } }, { account });
          expect(loadBalancer.id).toBeDefined();
          const said = warn.mock.calls
            .map(([message]) => message)
            .filter((text) => text.startsWith("certificate"));
          expect(said).toEqual(text === undefined ? [] : [expect.stringMatching(text)]);
        }
      } finally {
        warn.mockRestore();
      }
    });
  });

  test("makes an alias record and names it in the endpoints", async () => {
    const { mocks, elb, loadBalancer } = await deploy({
      certificate: { arn: certificateArn },
      listeners: [Listener.Mqtts, Listener.Wss],
      dns: { hostedZoneId: "Z0123456789EXAMPLE01", hostname: "mqtt.example.com" },
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
    const { elb } = await deploy({ certificate: { arn: certificateArn } });
    const dnsName = await valueOf(elb.dnsName);
    expect(dnsName).toMatch(/^lb-[0-9a-f]{7}-\d+\.eu-west-1\.elb\.amazonaws\.com$/);
    expect(await valueOf(elb.mqttUrl)).toBe(`mqtt://${dnsName}:1883`);
    expect(await valueOf(elb.mqttsUrl)).toBe(`mqtts://${dnsName}:8883`);
    expect(elb.caCertificatePem).toBeUndefined();
  });

  test("writes access logs when given a bucket", async () => {
    const { loadBalancer } = await deploy({
      certificate: { arn: certificateArn },
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
    const { loadBalancer } = await deploy({ certificate: { arn: certificateArn } }, { preview: true });
    expect(loadBalancer.inputs).toMatchObject({ idleTimeout: 480 });
  });

  test("refuses a name that no load balancer can have", async () => {
    await run(() => {
      expect(
        () =>
          new EmqxClassicElb("my_lb", {
            subnetIds: ["subnet-1"],
            securityGroupIds: ["sg-1"],
            certificate: { arn: certificateArn },
          }),
      ).toThrow(`name: "my_lb" cannot begin the name of a load balancer`);
    });
  });
});
