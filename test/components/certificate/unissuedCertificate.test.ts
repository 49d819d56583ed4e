/** ACM tells no end of a certificate that it has not issued: what it is, and what to do, is said instead. */
import { unissuedProblem } from "../../../components/certificate/expiry";
import { rfc3339 } from "../../../components/shared/expiry";

const arn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";

test.each([
  ["PENDING_VALIDATION", "make the DNS records"],
  ["FAILED", "request or import another one"],
  ["VALIDATION_TIMED_OUT", "request or import another one"],
  ["REVOKED", "request or import another one"],
])("%s", (status, remedy) => {
  expect(unissuedProblem(arn, status)).toContain(`certificate.arn: the certificate ${arn} is ${status}, and`);
  expect(unissuedProblem(arn, status)).toContain(remedy);
});

test("an issued one, and one of which nothing is known, are no problem; no end is no text", () => {
  expect(unissuedProblem(arn, "ISSUED")).toBeUndefined();
  expect(unissuedProblem(arn, undefined)).toBeUndefined();
  expect(rfc3339("")).toBeUndefined();
  expect(rfc3339(undefined as never)).toBeUndefined();
  expect(() => rfc3339("soon")).toThrow(RangeError);
});
