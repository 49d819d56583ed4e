/** AWS's and the tls provider's rules about certificates: what breaks them, and the answer, at both doors. */
import { generateKeyPairSync } from "node:crypto";
import { names } from "..";
import type { Props } from "../values";
import { requestCertificate } from "../x509";
import { MocksDoor, Provider } from "./doors";
import { keyPair } from "./world";

const requestType = "tls:index/certRequest:CertRequest";
const signedType = "tls:index/locallySignedCert:LocallySignedCert";

const request = () =>
  requestCertificate({
    key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
    subject: [{ CN: ["mqtt.example.com"] }],
    dnsNames: ["mqtt.example.com"],
  });

const signedBy = (changes: Props) => async (): Promise<Props> => {
  const { key, certificate } = await keyPair("rsa");
  return {
    allowedUses: ["server_auth"],
    caCertPem: certificate,
    caPrivateKeyPem: key,
    certRequestPem: await request(),
    validityPeriodHours: 24,
    ...changes,
  };
};

const rows: [rule: string, type: string, inputs: () => Promise<Props>, error: string | RegExp][] = [
  [
    "request without a key",
    requestType,
    async () => ({ subject: { commonName: "x" } }),
    "Missing required property 'privateKeyPem'",
  ],
  [
    "request with no key's PEM",
    requestType,
    async () => ({ privateKeyPem: "x" }),
    "privateKeyPem is not a PEM-encoded private key",
  ],
  [
    "request with a property of certificates",
    requestType,
    async () => ({ privateKeyPem: (await keyPair("rsa")).key, validityPeriodHours: 1 }),
    "validityPeriodHours",
  ],
  ["unknown use", signedType, signedBy({ allowedUses: ["mqtt"] }), /expected one of digital_signature/],
  ["negative validity", signedType, signedBy({ validityPeriodHours: -1 }), "expected at least 0, got -1"],
  [
    "no request",
    signedType,
    signedBy({ certRequestPem: "x" }),
    "certRequestPem is not a PEM-encoded certificate request",
  ],
  [
    "a certificate instead of a request",
    signedType,
    async () => signedBy({ certRequestPem: (await keyPair("rsa")).certificate })(),
    "certRequestPem is not a PEM-encoded certificate request",
  ],
  ["no authority", signedType, signedBy({ caCertPem: "x" }), "caCertPem is not a PEM-encoded certificate"],
  [
    "an authority's key that is none",
    signedType,
    signedBy({ caPrivateKeyPem: "x" }),
    "caPrivateKeyPem is not a PEM-encoded private key",
  ],
  [
    "another authority's key",
    signedType,
    async () => signedBy({ caPrivateKeyPem: (await keyPair("other")).key })(),
    "caPrivateKeyPem is not the key of caCertPem",
  ],
  [
    "a chain of another issuer",
    names.certificate,
    async () => {
      const { key, certificate } = await keyPair("rsa");
      return {
        certificateBody: certificate,
        privateKey: key,
        certificateChain: (await keyPair("ec")).certificate,
      };
    },
    "Could not validate the certificate with the certificate chain",
  ],
];

let provider: Provider;
beforeEach(async () => {
  provider = await Provider.start();
});
afterEach(() => provider.stop());

test.each(rows)("%s", async (_rule, type, inputs, error) => {
  const given = await inputs();
  const refusal = (made: Promise<unknown>) =>
    made.then(
      () => "(accepted)",
      (e: Error) => e.message,
    );
  const atProvider = await refusal((await provider.engine()).create(type, "subject", given));
  expect(atProvider).toEqual(expect.stringMatching(error));
  expect(await refusal(new MocksDoor().create(type, "subject", given))).toBe(atProvider);
});

test("an IAM server certificate is found by its name, or not at all", async () => {
  const engine = await provider.engine();
  const token = "aws:iam/getServerCertificate:getServerCertificate";
  expect(await engine.invoke(token, { name: "mqtt-example-com" })).toMatchObject({
    arn: "arn:aws:iam::123456789012:server-certificate/mqtt-example-com",
    path: "/",
    expirationDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT00:00:00Z$/),
  });
  await expect(engine.invoke(token, { name: "mqtt" })).rejects.toThrow(
    "Search for AWS IAM server certificate returned no results (name mqtt)",
  );
});
