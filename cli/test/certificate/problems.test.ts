import type { CertificateFacts } from "../../certificate/account";
import { arnProblems, certificateProblems, certificateRemarks, covers } from "../../certificate/problems";

const arn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const now = new Date("2027-01-01T12:00:00Z");
const wanted = { arn, region: "eu-west-1", hostname: "mqtt.example.com", now };
const good: CertificateFacts = {
  arn,
  status: "ISSUED",
  expires: new Date("2027-12-31T00:00:00Z"),
  names: ["mqtt.example.com"],
};

test.each([
  [arn, []],
  ["arn:aws:iam::123456789012:server-certificate/company/mqtt", []],
  [
    "arn:aws:acm:us-east-1:123456789012:certificate/x",
    ["it is in us-east-1, but the deployment is in eu-west-1; use one of eu-west-1"],
  ],
  ["arn:aws:s3:::bucket", [expect.stringMatching(/^it is not of the form arn:aws:acm:/)]],
])("%s", (given, problems) => {
  expect(arnProblems({ ...wanted, arn: given })).toEqual(problems);
});

test.each<[string, Partial<CertificateFacts>, string[]]>([
  ["good", {}, []],
  [
    "pending",
    { status: "PENDING_VALIDATION" },
    ["its status is PENDING_VALIDATION; only an ISSUED one can be used"],
  ],
  ["expired", { expires: new Date("2026-12-30T00:00:00Z") }, ["it expired on 2026-12-30, 3 days ago"]],
  [
    "for another name",
    { names: ["www.example.com"] },
    ["it is for www.example.com, but clients connect to mqtt.example.com"],
  ],
  ["for no name", { names: [] }, ["it is for no host name, but clients connect to mqtt.example.com"]],
])("a certificate that is %s", (_what, facts, problems) => {
  expect(certificateProblems({ ...good, ...facts }, wanted)).toEqual(problems);
});

test("a certificate that does not exist", () => {
  expect(certificateProblems(undefined, wanted)).toEqual([
    "there is no such certificate in this account and region",
  ]);
});

test("what works and should be known", () => {
  expect(certificateRemarks(good, wanted)).toEqual([]);
  expect(certificateRemarks({ ...good, expires: new Date("2027-01-11T13:00:00Z") }, wanted)).toEqual([
    "It expires on 2027-01-11, in 10 days.",
  ]);
  expect(certificateRemarks(good, { arn, region: "eu-west-1", now })).toEqual([
    expect.stringContaining("Its names were not checked"),
  ]);
});

test.each([
  ["mqtt.example.com", ["mqtt.example.com"], true],
  ["mqtt.example.com", ["*.example.com"], true],
  ["mqtt.example.com", ["MQTT.Example.com"], true],
  ["a.b.example.com", ["*.example.com"], false],
  ["example.com", ["*.example.com"], false],
  ["mqtt.example.com", ["*.com"], false],
])("%s by %j: %s", (hostname, names, expected) => {
  expect(covers(names, hostname)).toBe(expected);
});
