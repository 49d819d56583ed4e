import type { PeerCertificate } from "node:tls";
import { checkServerIdentity, connect } from "node:tls";
import { errorText } from "./connection";

interface TlsFacts {
  protocol: string;
  names: string[];
  validTo: Date;
  daysLeft: number;
  /** Why a client would not trust its chain. */
  chainProblem?: string;
  /** Why it is not for this name. */
  nameProblem?: string;
}

/** The load balancer has let the client go, which it does when it has no node to give it to. */
export class ClosedBeforeTls extends Error {
  constructor() {
    super("the connection was closed before TLS was established");
  }
}

const timeoutMs = 5000;
const dayMs = 24 * 60 * 60 * 1000;

/** Looks at what a TLS port shows; judges chain, name and time separately. Throws when no TLS comes about. */
export function inspectTls(
  host: string,
  port: number,
  servername: string,
  ca: string | undefined,
): Promise<TlsFacts> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, servername, rejectUnauthorized: false, ...(ca && { ca }) });
    const timer = setTimeout(() => fail(new Error(`no TLS within ${timeoutMs / 1000} s`)), timeoutMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      const { code } = error as NodeJS.ErrnoException;
      reject(code === "ECONNRESET" ? new ClosedBeforeTls() : new Error(errorText(error)));
    };
    socket.on("error", fail);
    socket.on("close", () => fail(Object.assign(new Error(), { code: "ECONNRESET" })));
    socket.on("secureConnect", () => {
      clearTimeout(timer);
      const certificate = socket.getPeerCertificate();
      // @types has an Error; Node.js gives the code.
      const chainProblem = socket.authorizationError as unknown as string | undefined;
      const facts = judge(certificate, servername, socket.getProtocol() ?? "?", chainProblem);
      socket.destroy();
      resolve(facts);
    });
  });
}

function judge(
  certificate: PeerCertificate,
  servername: string,
  protocol: string,
  chainProblem: string | undefined,
): TlsFacts {
  const nameProblem = checkServerIdentity(servername, certificate)?.message;
  const validTo = new Date(certificate.valid_to);
  const isTime = chainProblem === "CERT_HAS_EXPIRED";
  return {
    protocol,
    names: namesOf(certificate),
    validTo,
    daysLeft: Math.floor((validTo.getTime() - Date.now()) / dayMs),
    ...(chainProblem && !isTime && { chainProblem: String(chainProblem) }),
    ...(nameProblem && { nameProblem }),
  };
}

function namesOf({ subjectaltname, subject }: PeerCertificate): string[] {
  const alternatives = (subjectaltname ?? "")
    .split(", ")
    .flatMap((name) => /^DNS:(.+)$/.exec(name)?.[1] ?? []);
  return alternatives.length > 0 ? alternatives : [[subject.CN].flat().join(", ")];
}
