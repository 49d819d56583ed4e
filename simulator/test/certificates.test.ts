/** Certificates over the years: issued by an authority, renewed, imported again, put on running listeners. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cloud, names, newAccount, QuickMachines } from "..";
import { certificateMaterial } from "../certificateMaterial";
import { importCertificate, renew, replaceListenerCertificate } from "../certificateOperations";
import type { Props } from "../values";
import { balancerInputs, furnish, keyPair, listener, type Ids } from "./world";

const dayMs = 24 * 3600_000;
const region = "eu-west-1";
const scope = { region };
const issued = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const other = "arn:aws:acm:eu-west-1:123456789012:certificate/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02";
const server = "arn:aws:iam::123456789012:server-certificate/mqtt-example-com";
const elsewhere = "arn:aws:acm:us-east-1:123456789012:certificate/9d8c7b6a-5f4e-4d3c-9b2a-1f0e9d8c7b03";

let now = new Date();
let cloud: Cloud;
let folder: string;
beforeEach(() => {
  now = new Date();
  cloud = new Cloud(newAccount({ now: () => now }));
  cloud.machines.attach(new QuickMachines(cloud));
  folder = mkdtempSync(join(tmpdir(), "emqx-aws-certificates-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function create(type: string, inputs: Props): Promise<Props & { id: string }> {
  const { inputs: news, problems } = cloud.check(type, {
    name: "subject",
    urn: `${type}::subject`,
    news: inputs,
  });
  expect(problems).toEqual([]);
  const { id, outputs } = await cloud.create(type, scope, news);
  return { ...outputs, id };
}

/** What a program that changes nothing would have replaced. */
function replaced(type: string, state: Props): string[] {
  const { inputs } = cloud.check(type, {
    name: "subject",
    urn: "subject",
    olds: state,
    news: cloud.inputsOf(type, state),
  });
  return cloud.diff(type, scope, state, inputs, inputs).replaces;
}

const privateKey = () => create("tls:index/privateKey:PrivateKey", { algorithm: "RSA", rsaBits: 2048 });

const authorityOf = (key: Props) =>
  create("tls:index/selfSignedCert:SelfSignedCert", {
    privateKeyPem: key["privateKeyPem"]!,
    isCaCertificate: true,
    subject: { commonName: "authority", organization: "EMQX on AWS" },
    validityPeriodHours: 3650 * 24,
    earlyRenewalHours: 730 * 24,
    allowedUses: ["cert_signing", "crl_signing"],
  });

async function leafOf(authority: Props, authorityKey: Props): Promise<{ key: Props; certificate: Props }> {
  const key = await privateKey();
  const request = await create("tls:index/certRequest:CertRequest", {
    privateKeyPem: key["privateKeyPem"]!,
    subject: { commonName: "mqtt.example.com" },
    dnsNames: ["mqtt.example.com", "*.eu-west-1.elb.amazonaws.com"],
  });
  const certificate = await create("tls:index/locallySignedCert:LocallySignedCert", {
    certRequestPem: request["certRequestPem"]!,
    caCertPem: authority["certPem"]!,
    caPrivateKeyPem: authorityKey["privateKeyPem"]!,
    validityPeriodHours: 365 * 24,
    earlyRenewalHours: 30 * 24,
    allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
  });
  return { key, certificate };
}

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** `openssl verify` as a client that trusts the authority, at a time. */
function verify(authority: Props, leaf: Props, at = now): string {
  writeFileSync(join(folder, "ca.pem"), authority["certPem"] as string);
  writeFileSync(join(folder, "leaf.pem"), leaf["certPem"] as string);
  const seconds = String(Math.floor(at.getTime() / 1000) + 1);
  return openssl(
    ...["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "mqtt.example.com"],
    ...["-attime", seconds, "-CAfile", "ca.pem", "leaf.pem"],
  );
}

describe("an authority and what it issues", () => {
  test("openssl trusts the certificate through the authority, and nobody else's", async () => {
    const key = await privateKey();
    const authority = await authorityOf(key);
    const { certificate } = await leafOf(authority, key);
    expect(verify(authority, certificate)).toBe("leaf.pem: OK\n");
    const text = openssl("x509", "-in", "leaf.pem", "-noout", "-text");
    expect(text).toContain("DNS:mqtt.example.com, DNS:*.eu-west-1.elb.amazonaws.com");
    expect(text).toContain("CA:FALSE");
    const stranger = await authorityOf(await privateKey());
    expect(() => verify(stranger, certificate)).toThrow(
      /certificate signature failure|unable to get local issuer/,
    );
  });

  test("openssl finds the request sound", async () => {
    const key = await privateKey();
    const { certRequestPem } = await create("tls:index/certRequest:CertRequest", {
      privateKeyPem: key["privateKeyPem"]!,
      subject: { commonName: "mqtt.example.com", organization: "Example" },
      dnsNames: ["mqtt.example.com"],
    });
    writeFileSync(join(folder, "request.pem"), certRequestPem as string);
    const text = openssl("req", "-in", "request.pem", "-noout", "-verify", "-text");
    expect(text).toContain("CN = mqtt.example.com, O = Example");
    expect(text).toContain("DNS:mqtt.example.com");
  });

  test("the certificate is renewed a month before its end, the authority two years before its own", async () => {
    const key = await privateKey();
    const authority = await authorityOf(key);
    const { certificate } = await leafOf(authority, key);
    const start = now.getTime();
    const [leafType, authorityType] = [
      "tls:index/locallySignedCert:LocallySignedCert",
      "tls:index/selfSignedCert:SelfSignedCert",
    ];
    now = new Date(start + 334 * dayMs);
    expect(replaced(leafType, certificate)).toEqual([]);
    now = new Date(start + 335 * dayMs);
    expect(replaced(leafType, certificate)).toEqual(["readyForRenewal"]);
    expect(replaced(authorityType, authority)).toEqual([]);
    now = new Date(start + (3650 - 730) * dayMs);
    expect(replaced(authorityType, authority)).toEqual(["readyForRenewal"]);
  });

  test("who trusts an authority trusts what its successor with the same key issues, until it ends itself", async () => {
    const key = await privateKey();
    const authority = await authorityOf(key);
    const end = new Date(authority["validityEndTime"] as string);
    now = new Date(now.getTime() + 9 * 365 * dayMs);
    const successor = await authorityOf(key);
    const { certificate } = await leafOf(successor, key);
    expect(verify(authority, certificate)).toBe("leaf.pem: OK\n");
    expect(verify(successor, certificate)).toBe("leaf.pem: OK\n");
    expect(() => verify(authority, certificate, new Date(end.getTime() + dayMs))).toThrow(
      /certificate has expired/,
    );
  });
});

describe("a certificate under its ARN", () => {
  test("is imported again, with its chain, in place", async () => {
    const key = await privateKey();
    const authority = await authorityOf(key);
    const [first, second] = [await leafOf(authority, key), await leafOf(authority, key)];
    const inputsOf = ({ key: own, certificate }: typeof first): Props => ({
      privateKey: own["privateKeyPem"]!,
      certificateBody: certificate["certPem"]!,
      certificateChain: authority["certPem"]!,
    });
    const before = await create(names.certificate, inputsOf(first));
    const { replaces, changed } = cloud.diff(
      names.certificate,
      scope,
      before,
      inputsOf(second),
      inputsOf(first),
    );
    expect({ replaces, changed }).toEqual({ replaces: [], changed: ["certificateBody", "privateKey"] });
    const after = await cloud.update(names.certificate, scope, before.id, before, inputsOf(second));
    expect(after["arn"]).toBe(before["arn"]);
    expect((await certificateMaterial(cloud.account, region, before.id)).certificatePem).toBe(
      second.certificate["certPem"],
    );
  });

  test("is imported by somebody, and again later; another key, no other ARN", async () => {
    const [one, two] = [await keyPair("rsa"), await keyPair("other")];
    const first = await importCertificate(cloud, {
      certificate: one.certificate,
      privateKey: one.key,
      region,
    });
    const again = { certificate: two.certificate, privateKey: two.key, arn: first.id };
    expect((await importCertificate(cloud, again)).id).toBe(first.id);
    expect((await certificateMaterial(cloud.account, region, first.id)).certificatePem).toBe(two.certificate);
    await expect(importCertificate(cloud, { ...again, privateKey: one.key })).rejects.toThrow(
      "does not match the private key",
    );
    await expect(importCertificate(cloud, { ...again, arn: issued })).rejects.toThrow(
      "AMAZON_ISSUED, not IMPORTED",
    );
    const expired = await keyPair("expired");
    await expect(
      importCertificate(cloud, { certificate: expired.certificate, privateKey: expired.key, arn: first.id }),
    ).rejects.toThrow("has expired");
  });

  test("is renewed by ACM if ACM issued it", async () => {
    const before = await certificateMaterial(cloud.account, region, issued);
    const renewed = await renew(cloud, issued, 395);
    expect(renewed.id).toBe(issued);
    expect(renewed.attributes["notAfter"]).toBe(new Date(now.getTime() + 395 * dayMs).toISOString());
    expect((await certificateMaterial(cloud.account, region, issued)).certificatePem).not.toBe(
      before.certificatePem,
    );
    const { id } = await importCertificate(cloud, {
      certificate: (await keyPair("rsa")).certificate,
      privateKey: (await keyPair("rsa")).key,
      region,
    });
    await expect(renew(cloud, id, 395)).rejects.toThrow("ACM renews only what it issued itself");
  });
});

describe("a listener's certificate", () => {
  const secure = { lbPort: 8883, lbProtocol: "ssl", instancePort: 1883, instanceProtocol: "tcp" };
  let ids: Ids;
  beforeEach(async () => {
    ids = await furnish({ create: async (type, _name, inputs) => ({ ...(await createdOf(type, inputs)) }) });
    await create(names.loadBalancer, {
      ...balancerInputs(ids),
      listeners: [listener, { ...secure, sslCertificateId: issued }],
    });
  });

  async function createdOf(type: string, inputs: Props) {
    const outputs = await create(type, inputs);
    return { id: outputs.id, outputs };
  }

  const stored = () => cloud.account.get(names.loadBalancer, region, "balancer")!;
  const set = (changes: Partial<{ loadBalancer: string; port: number; arn: string }>) =>
    replaceListenerCertificate(cloud, { loadBalancer: "balancer", port: 8883, arn: other, ...changes });

  test.each([
    ["of ACM", other],
    ["of IAM", server],
  ])("is replaced %s, its policies stay", async (_service, arn) => {
    cloud.account.update(stored(), {}, { listenerPolicies: { 8883: ["ELBSecurityPolicy-TLS-1-2-2017-01"] } });
    await set({ arn });
    expect(stored().attributes["listeners"]).toEqual([listener, { ...secure, sslCertificateId: arn }]);
    expect(stored().hidden["listenerPolicies"]).toEqual({ 8883: ["ELBSecurityPolicy-TLS-1-2-2017-01"] });
  });

  test.each([
    ["no load balancer", { loadBalancer: "other" }, "LoadBalancerNotFound"],
    ["no listener", { port: 443 }, "ListenerNotFound"],
    ["a listener without TLS", { port: 1883 }, "InvalidConfigurationRequest"],
    ["no certificate", { arn: issued.replace("6f0f", "0000") }, "CertificateNotFound"],
    ["a certificate of another region", { arn: elsewhere }, "CertificateNotFound"],
  ])("is refused: %s", async (_what, changes, code) => {
    const before = stored();
    await expect(set(changes)).rejects.toMatchObject({ code });
    expect(stored()).toEqual(before);
  });

  test("is refused: a key that Classic ELBs do not take", async () => {
    const { key, certificate } = await keyPair("ec");
    const { id } = await importCertificate(cloud, { certificate, privateKey: key, region });
    await expect(set({ arn: id })).rejects.toMatchObject({ code: "InvalidConfigurationRequest" });
  });

  test("changed by the provider it is deleted first, and made anew without its policies", async () => {
    cloud.account.update(stored(), {}, { listenerPolicies: { 8883: ["ELBSecurityPolicy-TLS-1-2-2017-01"] } });
    const ports: number[][] = [];
    cloud.account.onChange((changes) =>
      changes
        .filter(({ resource }) => resource.type === names.loadBalancer)
        .forEach(({ resource }) =>
          ports.push((resource.attributes["listeners"] as { lbPort: number }[]).map(({ lbPort }) => lbPort)),
        ),
    );
    const olds = cloud.outputs(stored());
    const news = { ...olds, listeners: [listener, { ...secure, sslCertificateId: other }] };
    await cloud.update(names.loadBalancer, scope, "balancer", olds, news);
    expect(ports[0]).toEqual([1883]);
    expect(ports.at(-1)).toEqual([1883, 8883]);
    expect(stored().hidden["listenerPolicies"]).toEqual({});
  });
});
