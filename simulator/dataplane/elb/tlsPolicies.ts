/**
 * What the predefined security policies of load balancers allow. Those of a Classic ELB know no TLS 1.3 (Elastic Load Balancing user guide);
 * of a Network Load Balancer's the name says it (Network Load Balancers guide, "Security policies").
 */
import { SecureVersion } from "node:tls";

interface TlsSettings {
  minVersion: SecureVersion;
  maxVersion: SecureVersion;
  ciphers: string;
}

const gcmAndSha2 = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES128-SHA256",
  "ECDHE-RSA-AES128-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES256-SHA384",
  "ECDHE-RSA-AES256-SHA384",
  "AES128-GCM-SHA256",
  "AES128-SHA256",
  "AES256-GCM-SHA384",
  "AES256-SHA256",
];

const sha1 = [
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-RSA-AES256-SHA",
  "ECDHE-ECDSA-AES256-SHA",
  "AES128-SHA",
  "AES256-SHA",
];

const minimumVersions: Record<string, SecureVersion> = {
  "ELBSecurityPolicy-TLS-1-2-2017-01": "TLSv1.2",
  "ELBSecurityPolicy-TLS-1-1-2017-01": "TLSv1.1",
  "ELBSecurityPolicy-2016-08": "TLSv1",
  "ELBSecurityPolicy-2015-05": "TLSv1",
  "ELBSecurityPolicy-2015-03": "TLSv1",
  "ELBSecurityPolicy-2015-02": "TLSv1",
};

/** The policy of a listener that names none. */
const defaultPolicy = "ELBSecurityPolicy-2016-08";

/** Only these are named in OpenSSL's list; without one of them Node.js offers no TLS 1.3. */
const tls13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

export function tlsSettings(policy: string | undefined): TlsSettings {
  const [, minor, restricted] = /^ELBSecurityPolicy-TLS13-1-([0-3])(-Res)?/.exec(policy ?? "") ?? [];
  if (minor !== undefined) {
    const minVersion = (minor === "0" ? "TLSv1" : `TLSv1.${minor}`) as SecureVersion;
    const suites = restricted ? gcmAndSha2.filter((suite) => /^ECDHE.*GCM/.test(suite)) : gcmAndSha2;
    const older = minor < "2" ? [...sha1, "@SECLEVEL=0"] : [];
    return { minVersion, maxVersion: "TLSv1.3", ciphers: [...tls13, ...suites, ...older].join(":") };
  }
  const minVersion = minimumVersions[policy ?? defaultPolicy] ?? "TLSv1.2";
  return minVersion === "TLSv1.2"
    ? { minVersion, maxVersion: "TLSv1.2", ciphers: gcmAndSha2.join(":") }
    : // OpenSSL gives TLS 1.0 and 1.1 only at security level 0.
      { minVersion, maxVersion: "TLSv1.2", ciphers: [...gcmAndSha2, ...sha1, "@SECLEVEL=0"].join(":") };
}
