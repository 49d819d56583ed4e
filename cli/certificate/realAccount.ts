import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import { isServerCertificate, serverCertificateName } from "../../components/certificate/arn";
import { UserError } from "../console";
import type { CertificateAccount, CertificateFacts, TlsListener } from "./account";

/** AWS, asked through the `aws` CLI with the caller's own credentials. */
export class RealAccount implements CertificateAccount {
  constructor(
    private readonly region: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  certificate(arn: string): Promise<CertificateFacts | undefined> {
    return isServerCertificate(arn) ? this.ofIam(arn) : this.ofAcm(arn);
  }

  async tlsListeners(loadBalancer: string): Promise<TlsListener[]> {
    const { LoadBalancerDescriptions: found } = await this.aws<Described>(
      ...["elb", "describe-load-balancers", "--load-balancer-names", loadBalancer],
    );
    return (found[0]?.ListenerDescriptions ?? []).flatMap(({ Listener: listener }) =>
      listener.SSLCertificateId
        ? [{ port: listener.LoadBalancerPort, certificateArn: listener.SSLCertificateId }]
        : [],
    );
  }

  async setListenerCertificate(loadBalancer: string, port: number, arn: string): Promise<void> {
    await this.aws(
      ...["elb", "set-load-balancer-listener-ssl-certificate", "--load-balancer-name", loadBalancer],
      ...["--load-balancer-port", String(port), "--ssl-certificate-id", arn],
    );
  }

  private async ofAcm(arn: string): Promise<CertificateFacts | undefined> {
    const answer = await this.aws<{ Certificate: AcmCertificate }>(
      ...["acm", "describe-certificate", "--certificate-arn", arn],
    ).catch(noneFound);
    if (answer === undefined) return undefined;
    const { Status, NotAfter, SubjectAlternativeNames = [] } = answer.Certificate;
    // Missing as long as it is not issued.
    const expires = new Date(NotAfter ?? 0);
    return { arn, status: Status, expires, names: SubjectAlternativeNames };
  }

  private async ofIam(arn: string): Promise<CertificateFacts | undefined> {
    const answer = await this.aws<{ ServerCertificate: IamCertificate }>(
      ...["iam", "get-server-certificate", "--server-certificate-name", serverCertificateName(arn)],
    ).catch(noneFound);
    if (answer === undefined) return undefined;
    const { ServerCertificateMetadata, CertificateBody } = answer.ServerCertificate;
    const { subjectAltName = "" } = new X509Certificate(CertificateBody);
    const names = subjectAltName.split(", ").flatMap((entry) => /^DNS:(.+)$/.exec(entry)?.[1] ?? []);
    return { arn, status: "ISSUED", expires: new Date(ServerCertificateMetadata.Expiration), names };
  }

  private async aws<Answer>(...args: string[]): Promise<Answer> {
    try {
      const { stdout } = await promisify(execFile)(
        "aws",
        [...args, "--region", this.region, "--output", "json"],
        { env: { ...this.env, AWS_PAGER: "" }, timeout: 60_000 },
      );
      return (stdout.trim() === "" ? {} : JSON.parse(stdout)) as Answer;
    } catch (error) {
      const { stderr, code, message } = error as { stderr?: string; code?: unknown; message: string };
      const reason =
        code === "ENOENT" ? "the aws CLI is not installed" : stderr?.trim() || message.split("\n")[0];
      throw new AwsRefusal(`aws ${args.slice(0, 2).join(" ")}: ${reason}`);
    }
  }
}

class AwsRefusal extends UserError {}

/** ACM's and IAM's own words for what does not exist. */
function noneFound(error: unknown): undefined {
  if (error instanceof AwsRefusal && /ResourceNotFoundException|NoSuchEntity/.test(error.message)) {
    return undefined;
  }
  throw error;
}

interface Described {
  LoadBalancerDescriptions: {
    ListenerDescriptions: { Listener: { LoadBalancerPort: number; SSLCertificateId?: string } }[];
  }[];
}

interface AcmCertificate {
  Status: string;
  /** ISO 8601. */
  NotAfter?: string;
  SubjectAlternativeNames?: string[];
}

interface IamCertificate {
  ServerCertificateMetadata: { Expiration: string };
  CertificateBody: string;
}
