/** What has to be known of, and done to, the account in which a load balancer stands. */

/** A certificate that a load balancer could use. */
export interface CertificateFacts {
  arn: string;
  /** ISSUED is the only one that a load balancer takes. */
  status: string;
  expires: Date;
  /** Host names that it is for, wildcards among them. */
  names: string[];
}

/** A listener of the load balancer that ends TLS. */
export interface TlsListener {
  port: number;
  certificateArn: string;
}

export interface CertificateAccount {
  /** Undefined when there is no such certificate, or none of this account. */
  certificate(arn: string): Promise<CertificateFacts | undefined>;
  tlsListeners(loadBalancer: string): Promise<TlsListener[]>;
  /** SetLoadBalancerListenerSSLCertificate: the listener goes on running. */
  setListenerCertificate(loadBalancer: string, port: number, arn: string): Promise<void>;
}
