import type { CommandShape } from "../command";
import { option, real } from "../command";
import type { CertificateOptions } from "./run";

export const certificateCommand: CommandShape = {
  name: "certificate",
  description: "put another certificate on the load balancer's TLS listeners without a connection lost",
  options: [
    option("-s, --stack <name>", "the stack", { required: true }),
    option("--arn <arn>", "the certificate, of ACM or IAM, in the load balancer's region", {
      required: true,
    }),
    option("--set", "change the stack's settings too (stacks/Pulumi.<stack>.yaml)"),
    real,
  ],
  more: "In AWS it needs the aws CLI and your credentials. Why, and what remains: docs/certificates.md",
  run: async (session, options: CertificateOptions) =>
    (await import("./run")).runCertificate(session, options),
};
