/** The outputs of index.ts that say how to use a deployment. */
export interface Outputs {
  mqttUrl?: string;
  mqttsUrl?: string;
  wsUrl?: string;
  wssUrl?: string;
  caCertificatePem?: string;
  loadBalancerDnsName?: string;
  loadBalancerName?: string;
  instanceIds?: string[];
  nodeNames?: string[];
  nodeSecurityGroupId?: string;
  /** Missing where clients need no password. */
  mqttUsername?: string;
  mqttPasswordParameter?: string;
}

const schemes = ["mqtts", "mqtt", "wss", "ws"] as const;
export type Scheme = (typeof schemes)[number];

/** One of a deployment's addresses for clients. */
export interface Address {
  scheme: Scheme;
  url: string;
  hostname: string;
  port: number;
  path: string;
  usesTls: boolean;
}

/** The addresses in a stack's outputs, TLS first. */
export function addressesOf(outputs: Outputs): Address[] {
  return schemes.flatMap((scheme) => {
    const url = outputs[`${scheme}Url`];
    if (url === undefined) return [];
    const { hostname, port, pathname } = new URL(url);
    const usesTls = scheme === "mqtts" || scheme === "wss";
    return [{ scheme, url, hostname, port: Number(port), path: pathname, usesTls }];
  });
}
