import { Argument } from "commander";
import { readFileSync } from "node:fs";
import type { CommandShape } from "../command";
import { option } from "../command";
import { UserError } from "../console";
import { ask } from "./ask";

interface ImportOptions {
  certificate: string;
  privateKey: string;
  certificateChain?: string;
  certificateArn?: string;
  region: string;
}

export const days = option("--days <days>", "how long it is valid", { parse: Number, preset: 395 });

/** What somebody does to certificates in ACM, beside every stack. */
export const certificateCommands: CommandShape[] = [
  {
    name: "renew-certificate",
    description: "let ACM renew a certificate that it issued: a new one under the same ARN",
    arguments: [new Argument("<arn>")],
    options: [days],
    async run(session, options: { days: number }, arn: string) {
      const { attributes } = await ask(session, (client) => client.renewCertificate(arn, options.days));
      session.speaker.say(`ACM has renewed ${arn}: valid until ${String(attributes["notAfter"])}.`);
    },
  },
  {
    name: "import-certificate",
    description:
      "aws acm import-certificate: a new certificate, or a successor under the ARN of an imported one",
    options: [
      option("--certificate <file>", "PEM", { required: true }),
      option("--private-key <file>", "PEM", { required: true }),
      option("--certificate-chain <file>", "PEM"),
      option("--certificate-arn <arn>", "the imported certificate that it takes the place of"),
      option("--region <region>", "where a new one is to be", { preset: "eu-west-1" }),
    ],
    async run(session, options: ImportOptions) {
      const { certificateArn: arn, certificateChain: chain, region } = options;
      const given = {
        certificate: readFile(options.certificate),
        privateKey: readFile(options.privateKey),
        ...(chain === undefined ? {} : { chain: readFile(chain) }),
        ...(arn === undefined ? { region } : { arn }),
      };
      const { id } = await ask(session, (client) => client.importCertificate(given));
      return { text: () => id };
    },
  },
];

function readFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
