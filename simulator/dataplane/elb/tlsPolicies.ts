/** What the predefined security policies of a Classic ELB allow (Elastic Load Balancing user guide). None knows TLS 1.3. */
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

export function tlsSettings(policy: string | undefined): TlsSettings {
  const minVersion = minimumVersions[policy ?? defaultPolicy] ?? "TLSv1.2";
  return minVersion === "TLSv1.2"
    ? { minVersion, maxVersion: "TLSv1.2", ciphers: gcmAndSha2.join(":") }
    : // OpenSSL gives TLS 1.0 and 1.1 only at security level 0.
      { minVersion, maxVersion: "TLSv1.2", ciphers: [...gcmAndSha2, ...sha1, "@SECLEVEL=0"].join(":") };
}
