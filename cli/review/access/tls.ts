/** TLS versions that the policies of Classic ELBs admit. */
import { list, record, text } from "../change/values";

/**
 * AWS's predefined policies and the oldest version that each admits (Classic Load Balancers user guide, "Predefined SSL
 * security policies"). What is not listed is taken for the worst.
 */
const oldest: Record<string, number> = {
  "ELBSecurityPolicy-TLS-1-2-2017-01": 1.2,
  "ELBSecurityPolicy-TLS-1-1-2017-01": 1.1,
  "ELBSecurityPolicy-2016-08": 1.0,
  "ELBSecurityPolicy-2015-05": 1.0,
  "ELBSecurityPolicy-2015-03": 1.0,
  "ELBSecurityPolicy-2015-02": 1.0,
  // These still know SSLv3.
  "ELBSecurityPolicy-2014-10": 1.0,
  "ELBSecurityPolicy-2014-01": 0.3,
  "ELBSecurityPolicy-2011-08": 0.3,
};

const byAttribute: [attribute: string, version: number][] = [
  ["Protocol-SSLv2", 0.2],
  ["Protocol-SSLv3", 0.3],
  ["Protocol-TLSv1", 1.0],
  ["Protocol-TLSv1.1", 1.1],
  ["Protocol-TLSv1.2", 1.2],
];

/** The name of the predefined policy that a load balancer's policy refers to. */
export function referencePolicy(inputs: Record<string, unknown> | undefined): string | undefined {
  return attributesOf(inputs).get("Reference-Security-Policy");
}

/** The oldest version of TLS, or below 1 of SSL, that a policy admits. */
export function oldestTls(inputs: Record<string, unknown>): number {
  const reference = referencePolicy(inputs);
  if (reference !== undefined) return (Object.hasOwn(oldest, reference) && oldest[reference]) || 0;
  const attributes = attributesOf(inputs);
  return byAttribute.find(([attribute]) => attributes.get(attribute) === "true")?.[1] ?? 0;
}

export function tlsText(inputs: Record<string, unknown>): string {
  const reference = referencePolicy(inputs);
  const versions = oldestTls(inputs);
  const name = reference ?? "a policy of its own";
  return versions === 0
    ? `${name}, whose TLS versions are not known here`
    : versions < 1
      ? `${name}, from SSL ${versions === 0.2 ? 2 : 3} on`
      : `${name}, from TLS ${versions.toFixed(1)} on`;
}

function attributesOf(inputs: Record<string, unknown> | undefined): Map<string, string> {
  return new Map(
    list(inputs?.policyAttributes)
      .map(record)
      .map(({ name, value }) => [text(name) ?? "", text(value) ?? ""]),
  );
}
