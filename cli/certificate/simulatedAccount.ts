import type { RegionClient } from "@emqx-aws/simulator/client";
import { RegionError } from "@emqx-aws/simulator/client";
import { UserError } from "../console";
import type { CertificateAccount, CertificateFacts, TlsListener } from "./account";

/** The simulated region, asked through its control endpoint. */
export class SimulatedAccount implements CertificateAccount {
  constructor(private readonly region: RegionClient) {}

  async certificate(arn: string): Promise<CertificateFacts | undefined> {
    const found = await this.region.describeCertificate(arn).catch(noneFound);
    if (found === undefined) return undefined;
    const { status, notAfter, subjectAlternativeNames } = found.attributes;
    return {
      arn,
      status: String(status),
      expires: new Date(String(notAfter)),
      names: subjectAlternativeNames as string[],
    };
  }

  async tlsListeners(loadBalancer: string): Promise<TlsListener[]> {
    const { attributes } = await this.region.resource({ id: loadBalancer, type: "LoadBalancer" });
    const listeners = attributes["listeners"] as { lbPort: number; sslCertificateId?: string }[];
    return listeners.flatMap(({ lbPort, sslCertificateId }) =>
      sslCertificateId ? [{ port: lbPort, certificateArn: sslCertificateId }] : [],
    );
  }

  async setListenerCertificate(loadBalancer: string, port: number, arn: string): Promise<void> {
    try {
      await this.region.setListenerCertificate(loadBalancer, port, arn);
    } catch (error) {
      throw error instanceof RegionError ? new UserError(error.message) : error;
    }
  }
}

function noneFound(error: unknown): undefined {
  if (error instanceof RegionError && error.code === "NotFound") return undefined;
  throw error;
}
