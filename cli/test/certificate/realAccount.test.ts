/** What the command asks of the aws CLI, and how it reads the answers; a script stands in for the CLI. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealAccount } from "../../certificate/realAccount";
import { keyPair } from "@emqx-aws/simulator/test/world";

const arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1";
let folder: string;
let account: RealAccount;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "emqx-aws-cli-"));
  account = new RealAccount("eu-west-1", { PATH: `${folder}:/usr/bin:/bin` });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The CLI, with one answer; it writes down what it was asked. */
function answer(output: unknown, exitCode = 0): void {
  const text = typeof output === "string" ? output : JSON.stringify(output);
  writeFileSync(join(folder, "answer"), text);
  writeFileSync(
    join(folder, "aws"),
    `#!/bin/sh\necho "$@" >>"${folder}/asked"\ncat "${folder}/answer" >&${exitCode === 0 ? 1 : 2}\nexit ${exitCode}\n`,
  );
  chmodSync(join(folder, "aws"), 0o755);
}

const asked = () => readFileSync(join(folder, "asked"), "utf8").trim().split("\n");

test("an ACM certificate", async () => {
  answer({
    Certificate: {
      Status: "ISSUED",
      NotAfter: "2027-10-01T01:00:00+01:00",
      SubjectAlternativeNames: ["mqtt.example.com"],
    },
  });
  expect(await account.certificate(arn)).toEqual({
    arn,
    status: "ISSUED",
    expires: new Date("2027-10-01T00:00:00Z"),
    names: ["mqtt.example.com"],
  });
  expect(asked()).toEqual([
    `acm describe-certificate --certificate-arn ${arn} --region eu-west-1 --output json`,
  ]);
});

test("an IAM server certificate, whose names are in its body only", async () => {
  answer({
    ServerCertificate: {
      ServerCertificateMetadata: { Expiration: "2027-10-01T00:00:00Z" },
      CertificateBody: (await keyPair("rsa")).certificate,
    },
  });
  const server = "arn:aws:iam::123456789012:server-certificate/company/mqtt";
  expect(await account.certificate(server)).toEqual({
    arn: server,
    status: "ISSUED",
    expires: new Date("2027-10-01T00:00:00Z"),
    names: ["mqtt.example.com"],
  });
  expect(asked()[0]).toContain("iam get-server-certificate --server-certificate-name mqtt ");
});

test("none, and a refusal for another reason", async () => {
  answer("An error occurred (ResourceNotFoundException) when calling the DescribeCertificate operation", 254);
  expect(await account.certificate(arn)).toBeUndefined();
  answer("An error occurred (AccessDeniedException) when calling the DescribeCertificate operation", 254);
  await expect(account.certificate(arn)).rejects.toThrow(
    /^aws acm describe-certificate: .*AccessDeniedException/,
  );
});

test("the TLS listeners, and the one that gets another certificate", async () => {
  const listener = (LoadBalancerPort: number, SSLCertificateId?: string) => ({
    Listener: { LoadBalancerPort, ...(SSLCertificateId ? { SSLCertificateId } : {}) },
  });
  answer({ LoadBalancerDescriptions: [{ ListenerDescriptions: [listener(1883), listener(8883, arn)] }] });
  expect(await account.tlsListeners("emqx-elb")).toEqual([{ port: 8883, certificateArn: arn }]);
  answer("");
  await account.setListenerCertificate("emqx-elb", 8883, `${arn}2`);
  expect(asked()).toEqual([
    "elb describe-load-balancers --load-balancer-names emqx-elb --region eu-west-1 --output json",
    "elb set-load-balancer-listener-ssl-certificate --load-balancer-name emqx-elb --load-balancer-port 8883 " +
      `--ssl-certificate-id ${arn}2 --region eu-west-1 --output json`,
  ]);
});

test("no aws CLI", async () => {
  account = new RealAccount("eu-west-1", { PATH: folder });
  await expect(account.tlsListeners("emqx-elb")).rejects.toThrow("the aws CLI is not installed");
});
