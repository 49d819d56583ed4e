/** What a review says about certificates and licences that end. */
import { jsonOf } from "../../review/report/json";
import { markdownOf } from "../../review/report/markdown";
import { readPreview } from "../../review/preview/read";
import { reviewOf } from "../../review/review";
import type { DigestStep } from "../../review/preview/engine";
import { create, documentOf, remove, replace, same, step, urnOf, type Resource } from "./previews";

const today = new Date("2027-01-01T12:00:00Z");
const arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1";

const elbType = "emqx-aws:index:EmqxClassicElb";
const parent = urnOf(elbType, "emqx-elb");

function component(outputs: Record<string, unknown>, type = elbType, name = "emqx-elb"): Resource {
  return { type, name, extra: { custom: false, outputs } };
}

function certificate(outputs: Record<string, unknown>, id = arn): Resource {
  return {
    type: "aws:acm/certificate:Certificate",
    name: "emqx-elb-certificate",
    id,
    parent,
    extra: { outputs },
  };
}

const balancer: Resource = { type: "aws:elb/loadBalancer:LoadBalancer", name: "emqx-elb", parent };
const listeners = (sslCertificateId: string) => ({
  inputs: { listeners: [{ lbPort: 8883, lbProtocol: "SSL", sslCertificateId }] },
});

function reviewed(...steps: DigestStep[]) {
  return reviewOf(readPreview(documentOf(...steps), "test"), { stack: "test", base: "before" }, today);
}

function reminders(...steps: DigestStep[]): string[] {
  return markdownOf(reviewed(...steps))
    .split("\n")
    .filter((line) => line.startsWith("- ⏳"));
}

const external = (resource: Resource) => ({ ...resource, extra: { ...resource.extra, external: true } });
const read = (resource: Resource, after = resource) => step("read", external(resource), external(after));
const ends = (notAfter: string, type = "AMAZON_ISSUED") => ({ notAfter, type });

describe("certificates", () => {
  test.each([
    ["2027-03-02T23:00:00Z", "expires on 2027-03-02, in 60 days"],
    ["2027-01-02T00:00:00Z", "expires on 2027-01-02, in 1 day"],
    ["2027-01-01T23:00:00Z", "expires on 2027-01-01, today"],
    ["2026-12-30T00:00:00Z", "expired on 2026-12-30, 2 days ago"],
  ])("that end on %s", (notAfter, text) => {
    expect(reminders(read(certificate(ends(notAfter))))).toEqual([
      expect.stringContaining(`The certificate of emqx-elb-certificate ${text}. ACM renews it by itself`),
    ]);
  });

  test("of more than two months, none or an unknown end are not mentioned", () => {
    expect(reminders(read(certificate(ends("2027-03-03T00:00:00Z"))))).toEqual([]);
    expect(reminders(read(certificate({})))).toEqual([]);
    expect(reminders(read(certificate(ends("no time"))))).toEqual([]);
    expect(markdownOf(reviewed(read(certificate({}))))).not.toContain("What expires");
  });

  test("are imported again, or made by the next update, or uploaded, according to what they are", () => {
    const near = ends("2027-01-11T00:00:00Z", "IMPORTED");
    const leaf = {
      type: "tls:index/locallySignedCert:LocallySignedCert",
      name: "emqx-elb-self-signed-1",
      parent,
    };
    expect(reminders(same(certificate(near)))[0]).toContain(
      "`aws acm import-certificate --certificate-arn …`",
    );
    expect(reminders(same(certificate(near)), same(leaf))[0]).toContain("the next update makes a new one");
    const iam = component({ certificateExpires: "2027-01-11T00:00:00Z" });
    expect(reminders(same(iam), same(balancer))[0]).toContain(
      "The certificate of emqx-elb expires on 2027-01-11",
    );
  });

  test("are named once, by the innermost that knows", () => {
    const outputs = { certificateExpires: "2027-01-11T00:00:00Z" };
    const outer = component(outputs, "emqx-aws:index:EmqxDeployment", "emqx");
    const inner = { ...component(outputs), parent: urnOf(outer.type, outer.name) };
    const stack = component(outputs, "pulumi:pulumi:Stack", "emqx-aws-test");
    expect(reminders(same(stack), same(outer), same(inner), same(balancer))).toHaveLength(1);
    const [line, ...others] = reminders(same(inner), read(certificate(ends("2027-01-11T00:00:00Z"))));
    expect([line, others]).toEqual([expect.stringContaining("emqx-elb-certificate"), []]);
  });

  test("that are about to be replaced by another are not", () => {
    const old = certificate(ends("2027-01-11T00:00:00Z"));
    expect(reminders(read(old, { ...old, id: `${arn}2` }))).toEqual([]);
    const iam = component({ certificateExpires: "2027-01-11T00:00:00Z" });
    const server = "arn:aws:iam::123456789012:server-certificate";
    const change = step(
      "update",
      { ...balancer, ...listeners(`${server}/one`) },
      { ...balancer, ...listeners(`${server}/two`) },
    );
    const detailedDiff = { "listeners[0].sslCertificateId": { kind: "update", inputDiff: true } };
    expect(reminders(same(iam), { ...change, detailedDiff })).toEqual([]);
    const imported = certificate(ends("2027-01-11T00:00:00Z", "IMPORTED"));
    expect(reminders(step("update", imported, imported))).toEqual([]);
  });
});

describe("licences", () => {
  const nodes = component(
    { licenseExpires: "2027-01-31T00:00:00Z" },
    "emqx-aws:index:EmqxClusterNodes",
    "emqx-nodes",
  );
  const parameter: Resource = {
    type: "aws:ssm/parameter:Parameter",
    name: "emqx-nodes-license-key",
    inputs: { type: "SecureString" },
  };

  test("that end are mentioned, also when nothing changes, with what to do", () => {
    expect(reminders(same(nodes), same(parameter))).toEqual([
      "- ⏳ The licence of emqx-nodes expires on 2027-01-31, in 30 days. Set the key of its successor: " +
        "`pulumi config set --secret emqx-aws:licenseKey`.",
    ]);
  });

  test("whose key changes are not: the preview only knows the old one's end", () => {
    expect(reminders(same(nodes), step("update", parameter, parameter))).toEqual([]);
  });

  test("are in the review for machines", () => {
    expect(jsonOf(reviewed(same(nodes)))).toMatchObject({
      expiries: [{ what: "licence", resource: "emqx-nodes", expires: "2027-01-31T00:00:00.000Z", days: 30 }],
    });
  });
});

describe("certificates of the stack's own, made anew", () => {
  const key = { type: "tls:index/privateKey:PrivateKey", name: "ca", parent };
  const authority = { type: "tls:index/selfSignedCert:SelfSignedCert", name: "ca", parent };
  const leaf = { type: "tls:index/locallySignedCert:LocallySignedCert", name: "leaf-1", parent };
  const notices = (...steps: DigestStep[]) =>
    reviewed(...steps)
      .notices.filter(({ audience }) => audience === "clients")
      .map(({ level, text }) => [level, text]);

  test("are nothing to clients of the authority", () => {
    const text = expect.stringContaining("clients that trust the authority notice nothing");
    expect(notices(replace(leaf), same(authority), same(key))).toEqual([["safe", text]]);
    const next = { ...leaf, name: "leaf-2" };
    expect(notices(remove(leaf), create(next), same(authority), same(key))).toEqual([["safe", text]]);
    expect(notices(create(leaf), create(authority), create(key))).toEqual([]);
  });

  test("an authority with the same key has time, another key has none", () => {
    expect(notices(replace(authority), same(key))).toEqual([
      ["safe", expect.stringContaining("need the new `caCertificatePem` by then")],
    ]);
    expect(notices(replace(authority), replace(key))).toEqual([
      [
        "interrupts-service",
        expect.stringContaining("clients that verify it need the new `caCertificatePem`"),
      ],
    ]);
  });

  test("what was self-signed before an authority was there is another trust anchor", () => {
    const old = { ...authority, name: "self-signed" };
    expect(notices(remove(old), create(authority), create(key), create(leaf))).toEqual([
      [
        "interrupts-service",
        expect.stringContaining("clients that verify it need the new `caCertificatePem`"),
      ],
    ]);
  });
});
