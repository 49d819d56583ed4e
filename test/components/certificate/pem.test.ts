import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { issue } from "@emqx-aws/simulator/x509";
import { authoritiesProblems } from "../../../components/certificate/pem";

const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const day = 86_400_000;
const certificate = (name: string, ca: boolean, days: number, of: KeyObject = key) =>
  issue({
    key: of,
    serial: "01",
    subject: [{ CN: [name] }],
    notBefore: new Date("2025-01-01"),
    notAfter: new Date(Date.UTC(2025, 0, 1) + days * day),
    dnsNames: [],
    ca,
    keyUsages: [],
    extendedUsages: [],
  });
const now = new Date("2025-06-01");

test("authorities are certificates of authorities, none of them over, and no keys", async () => {
  const [good, leaf, old] = await Promise.all([
    certificate("good", true, 365),
    certificate("leaf", false, 365),
    certificate("old", true, 30),
  ]);
  expect(authoritiesProblems("x", good + good, now)).toEqual([]);
  expect(authoritiesProblems("x", good + leaf + old, now)).toEqual([
    "x: certificate 2, CN=leaf, is none of an authority (basicConstraints CA:TRUE)",
    "x: certificate 3, CN=old, has expired on 2025-01-31",
  ]);
  const pem = String(key.export({ type: "pkcs8", format: "pem" }));
  expect(authoritiesProblems("x", good + pem, now)).toEqual([
    "x: holds a private key, which belongs to the authority alone; give its certificate",
  ]);
  expect(authoritiesProblems("x", good.replace(/^MII/m, "AAA"), now)).toEqual([
    "x: has a certificate that cannot be read",
  ]);
});
