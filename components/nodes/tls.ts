/** TLS that ends at the nodes: what it can be told, and the parameters by which nodes get certificate and authorities. */
import * as pulumi from "@pulumi/pulumi";
import { authoritiesProblems } from "../certificate/pem";
import { createNodeCertificate, type NodeCertificate } from "../certificate/selfSigned";
import { certificateInputs, type EmqxSelfSignedCertificateArgs } from "../certificate/settings";
import { mostAdvancedBytes } from "../emqx/parameters";
import { hostname, isParameterName } from "../shared/awsNames";
import { checked, choice, list, text, type Resolved, type Shapes } from "../shared/inputs";
import { TlsEnd, usesTls, type Listener } from "../shared/listeners";

/** What of a client's certificate EMQX takes for the user name. */
export const CertificateField = {
  /** Nothing: clients say who they are, and give a password. */
  None: "None",
  /** The subject's common name, which every certificate of the authorities must have; no password is asked. */
  CommonName: "CommonName",
} as const;
export type CertificateField = (typeof CertificateField)[keyof typeof CertificateField];

/** TLS of clients that ends at EMQX on the nodes, on 8883 and 8084. Exactly one of `certificateParameter` and `selfSigned`. */
export interface EmqxNodeTlsArgs {
  /**
   * Name of an SSM parameter that holds certificate, chain and key as PEM, a SecureString of yours; or
   * `/aws/reference/secretsmanager/<name>` for a secret. Nodes look at it every ten minutes, so whoever renews the
   * certificate writes it there.
   */
  certificateParameter?: string;
  /** Makes a certificate instead, under an authority of the deployment's own; `{}` is enough. */
  selfSigned?: EmqxSelfSignedCertificateArgs;
  /** Names in the certificate that is made, beside load balancers of the region and a deployment's `dns.hostname`. Default: none. */
  hostnames?: string[];
  /** Certificates, PEM, of the authorities of which clients need a certificate. Default: none is asked for. */
  clientCertificateAuthorities?: pulumi.Input<string>;
  /** What of a client's certificate is its user name, so that no password is asked. Default: None. */
  usernameFrom?: CertificateField;
}

const reference = "/aws/reference/secretsmanager/";

/** A path, or a secret by its name (Secrets Manager API reference, CreateSecret). */
function parameterWords(name: string): string | undefined {
  const isSecret = name.startsWith(reference);
  return (
    isSecret
      ? /^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name.slice(reference.length))
      : name.startsWith("/") && isParameterName(name)
  )
    ? undefined
    : `is not the name of a parameter, like /tls/mqtt, or ${reference} and the name of a secret`;
}

export const nodeTlsInputs = {
  certificateParameter: text(parameterWords),
  selfSigned: certificateInputs.selfSigned,
  hostnames: list(hostname, { default: [] as string[] }),
  clientCertificateAuthorities: checked(
    "text",
    (input, pem) => {
      const bytes = Buffer.byteLength(String(pem));
      return bytes > mostAdvancedBytes
        ? [`${input}: has ${bytes} bytes, and a parameter holds ${mostAdvancedBytes}; give fewer authorities`]
        : authoritiesProblems(input, pem);
    },
    { later: true },
  ),
  usernameFrom: { ...choice(CertificateField), default: CertificateField.None },
} satisfies Shapes<EmqxNodeTlsArgs>;

export type NodeTlsSettings = Resolved<EmqxNodeTlsArgs, typeof nodeTlsInputs>;

export function nodeTlsProblems(nodeTls: NodeTlsSettings | undefined, listeners: Listener[]): string[] {
  if (nodeTls === undefined) return [];
  const { certificateParameter, selfSigned, hostnames, clientCertificateAuthorities, usernameFrom } = nodeTls;
  const given = [certificateParameter, selfSigned].filter((one) => one !== undefined).length;
  return [
    ...(usesTls(listeners)
      ? []
      : [`nodeTls: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out`]),
    ...(given === 1
      ? []
      : [
          given === 0
            ? `nodeTls: has no certificate; give certificateParameter, or selfSigned: {} to try things out`
            : `nodeTls: certificateParameter and selfSigned given; choose one of the two`,
        ]),
    ...(hostnames.length > 0 && selfSigned === undefined
      ? [`nodeTls.hostnames: given, but they are for the certificate of selfSigned; leave them out`]
      : []),
    ...(usernameFrom !== CertificateField.None && clientCertificateAuthorities === undefined
      ? [
          `nodeTls.usernameFrom: given without clientCertificateAuthorities, so that anybody could make a certificate of any ` +
            `name; give the authorities`,
        ]
      : []),
  ];
}

/** Where TLS ends, by the nodes' settings. */
export const tlsEndsOf = (nodeTls: object | undefined): TlsEnd =>
  nodeTls === undefined ? TlsEnd.LoadBalancer : TlsEnd.Node;

/** What TLS listeners ask of clients. */
export function tlsOf(nodeTls: NodeTlsSettings | undefined) {
  return (
    nodeTls && {
      clientCertificates: nodeTls.clientCertificateAuthorities !== undefined,
      commonNames: nodeTls.usernameFrom === CertificateField.CommonName,
    }
  );
}

/** The certificate that is made, if one is. */
export function nodeCertificate(
  name: string,
  parent: pulumi.Resource,
  nodeTls: NodeTlsSettings | undefined,
): NodeCertificate | undefined {
  return (
    nodeTls?.selfSigned &&
    createNodeCertificate(`${name}-tls`, parent, {
      // Their order means nothing.
      hostnames: [...nodeTls.hostnames].sort(),
      version: nodeTls.selfSigned.version,
    })
  );
}

/** What a node may read of the user's own: the certificate's parameter, or the secret behind it. */
export function certificateStatements(name: string | undefined, partition: string, place: string) {
  if (name === undefined) return [];
  const parameter = {
    Sid: "ReadCertificate",
    Effect: "Allow",
    Action: "ssm:GetParameter",
    Resource: `arn:${partition}ssm:${place}parameter${name}`,
  };
  return name.startsWith(reference)
    ? [
        parameter,
        {
          Sid: "ReadCertificateSecret",
          Effect: "Allow",
          Action: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
          // Secrets Manager puts a hyphen and six characters behind the name (its user guide, "Secret ARN").
          Resource: `arn:${partition}secretsmanager:${place}secret:${name.slice(reference.length)}-??????`,
        },
      ]
    : [parameter];
}
