import type { Command } from "commander";
import type { Session } from "../local/session";
import type { CertificateOptions } from "./run";

export function addCertificateCommand(program: Command, session: Session): void {
  program
    .command("certificate")
    .description("put another certificate on the load balancer's TLS listeners without a connection lost")
    .requiredOption("-s, --stack <name>", "the stack")
    .requiredOption("--arn <arn>", "the certificate, of ACM or IAM, in the load balancer's region")
    .option("--set", "change the stack's settings too (stacks/Pulumi.<stack>.yaml)", false)
    .option("--real", "the deployment in AWS, where the simulated region has one of that name too", false)
    .addHelpText(
      "after",
      "\nIn AWS it needs the aws CLI and your credentials. Why, and what remains: docs/certificates.md",
    )
    .action(async (options: CertificateOptions) => {
      const { runCertificate } = await import("./run");
      await runCertificate(session, options);
    });
}
