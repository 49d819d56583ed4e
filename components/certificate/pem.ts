/** What PEM texts hold, and whether it can be used. Pure. */
import { X509Certificate } from "node:crypto";
import { dateOf } from "../shared/expiry";

const block = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;

/** The certificates of a PEM text, in its order; throws where one is damaged. */
export function certificatesIn(pem: string): X509Certificate[] {
  return [...pem.matchAll(block)]
    .filter(([, label]) => label === "CERTIFICATE")
    .map(([text]) => new X509Certificate(text));
}

/** What is wrong with a PEM text of authorities, without a word of it. */
export function authoritiesProblems(input: string, pem: unknown, now = new Date()): string[] {
  if (typeof pem !== "string") return [`${input}: is not a text`];
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    return [`${input}: holds a private key, which belongs to the authority alone; give its certificate`];
  }
  const found = read(input, pem);
  if (!Array.isArray(found)) return [found.problem];
  return found.flatMap((certificate, i) => {
    const what = `${input}: certificate ${i + 1}, ${oneLine(certificate.subject)},`;
    return [
      ...(certificate.ca ? [] : [`${what} is none of an authority (basicConstraints CA:TRUE)`]),
      ...validityProblems(what, certificate, now),
    ];
  });
}

function read(input: string, pem: string): X509Certificate[] | { problem: string } {
  try {
    const found = certificatesIn(pem);
    return found.length > 0
      ? found
      : { problem: `${input}: has no certificate in PEM (-----BEGIN CERTIFICATE-----)` };
  } catch {
    return { problem: `${input}: has a certificate that cannot be read` };
  }
}

function validityProblems(what: string, { validTo }: X509Certificate, now: Date): string[] {
  const end = new Date(validTo);
  return end < now ? [`${what} has expired on ${dateOf(end)}`] : [];
}

const oneLine = (name: string) => name.split("\n").join(", ");
