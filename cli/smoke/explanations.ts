/** What a failure means, and where to look: the part of a smoke test that is read at night. */
import type { ConnectFailure } from "./connection";
import type { Inside } from "./inside";
import type { Explanation } from "./result";

type Text = Omit<Explanation, "evidence">;

const health =
  "health: npm run status; on AWS: aws elb describe-instance-health --load-balancer-name …, or " +
  "aws elbv2 describe-target-health --target-group-arn …";
const boot = "the node's boot: npm run console -- <node>; on AWS: aws ec2 get-console-output --instance-id …";

export const unresolved: Text = {
  meaning: "The name has no address, so no client finds the load balancer.",
  look: [
    "DNS: the group dns of the stack, and whether the zone is delegated; a new record takes a minute",
    "whether the stack is deployed: the load balancer's own name resolves as soon as it exists",
  ],
};

export const noTcp: Text = {
  meaning: "The load balancer's port does not take connections from here.",
  look: [
    "security group: access.clientCidrBlocks must contain the address that this machine has on the internet",
    "listener: it must be among the stack's listeners (npm run region -- show <load balancer>)",
    "routes: the public subnets' 0.0.0.0/0 must lead to the internet gateway; an internal load balancer has none",
  ],
};

export const badChain: Text = {
  meaning: "Clients that verify certificates refuse this one: nothing they trust has signed it.",
  look: [
    "certificate: the listener's certificate (certificate.arn), and its chain (an imported one needs its intermediates)",
    "with certificate.selfSigned: clients need the output caCertificatePem; was the certificate replaced by hand?",
  ],
};

export const otherName: Text = {
  meaning:
    "The certificate is for another name than the one clients connect to; clients that verify refuse it.",
  look: [
    "certificate: certificate.arn must cover the host name of the URL",
    "DNS: with a certificate of your own, set the group dns (or make the record yourself), " +
      "and let clients use that name, not the load balancer's",
  ],
};

export const expired: Text = {
  meaning: "The certificate has run out, or is about to. Open connections live on; nobody new gets in.",
  look: [
    "certificate: renew or import it again under the same ARN; ACM renews its own only while DNS validation works",
    "with certificate.selfSigned: npm run up makes a new one from 30 days before the end on",
  ],
};

export const noTls: Text = {
  meaning: "The load balancer takes the connection, but no TLS comes about.",
  look: [
    "listener: the port must be an SSL or TLS listener with a certificate (npm run region -- show <load balancer>)",
    "TLS policy: tlsPolicy (of the group classicElb or networkLoadBalancer) must allow a version that the client speaks; a Classic ELB has no TLS 1.3",
  ],
};

export const connectTexts: Record<ConnectFailure, Text> = {
  refused: {
    meaning: "EMQX is there and refuses the user name or password.",
    look: [
      "credentials: the SSM parameter (output mqttPasswordParameter) and the user in EMQX's database; nodes take up a " +
        "password that changed in SSM within a minute (by hand: operation sync), but not one changed in EMQX",
      "an account given by --username: the authentication in extraConfig, whose server must answer the nodes",
    ],
  },
  closed: {
    meaning: "The load balancer takes the client and lets it go again: no node took it.",
    look: [
      health,
      "health check: its target must be HTTP:18083/status, and both security groups must let it through",
      "listener: its instance port must be one that EMQX listens on (1883, WebSocket 8083)",
      "PROXY protocol: either the load balancer sends it and EMQX expects it, or neither (classicElb.proxyProtocol sets both)",
    ],
  },
  silence: {
    meaning: "The connection stands and nobody answers.",
    look: [
      "PROXY protocol: EMQX waits for its header when only the nodes have it on (classicElb.proxyProtocol sets both sides)",
      health,
      "a node that hangs and has not failed its health checks yet",
    ],
  },
  tls: noTls,
  network: noTcp,
};

/** The stack has no built-in user, and EMQX refuses who does not say who he is. */
export const ownAuthentication: Text = {
  meaning:
    "EMQX asks clients who they are by the authentication in extraConfig, whose accounts only you know.",
  look: ["To connect as one of them: npm run smoke -- --username <name> --password-file <file>"],
};

/** The first level of every topic that smoke uses. */
export const smokeTopics = "emqx-aws/smoke";

export const denied: Text = {
  meaning: `EMQX lets the client in, and its rules do not let it use ${smokeTopics}/#, by which nodes are tried out.`,
  look: [
    `acl: a rule such as { permission: allow, username: mqtt, topics: ["${smokeTopics}/#"] } before those that deny, or a source of ` +
      "your own in authorization",
    "As a user who may: npm run smoke -- --username <name> --password-file <file>",
  ],
};

export const openToAnyone: Text = {
  meaning: "Whoever reaches the load balancer may publish and subscribe.",
  look: [
    "credentials: without an authentication in extraConfig anonymousAccess must be false; with one, it must be on " +
      "(enable, and the listener's enable_authn)",
  ],
};

export const notInService: Text = {
  meaning: "Nodes are missing behind the load balancer: fewer serve than the stack has.",
  look: [
    "health check: target HTTP:18083/status, and security groups that let the load balancer reach 18083 on nodes",
    boot,
    "egress: a node needs tcp/443 to the internet (NAT gateway, route, security group) to fetch its package",
  ],
};

export const oneNodeOnly: Text = {
  meaning: "All connections ended at one node, so the others serve nobody.",
  look: [health, "cross-zone balancing, and the zones that the load balancer is in"],
};

export const notDelivered: Text = {
  meaning: "Messages do not get from node to node: clients at different nodes do not hear each other.",
  look: [
    "security group: nodes must reach each other on the cluster ports (4369, 5369, 6369; with ClusterPorts.Package " +
      "4370, 5370), in and out; npm run refresh shows a rule that was removed by hand",
    "cookie: all nodes must have read the same SSM parameter (output cookieParameter)",
    "seeds: static_seeds in the nodes' user data must be the nodes' addresses",
    "licence: EMQX from 5.8.10 on clusters only with one",
  ],
};

export const notRetained: Text = {
  meaning: "A retained message is not there for who subscribes later.",
  look: ["extraConfig: retainer.enable", ...notDelivered.look.slice(0, 1)],
};

export const idleTooShort: Text = {
  meaning:
    "The load balancer cuts a client that is silent for longer than its idle timeout, between two pings.",
  look: [
    "idle timeout: keepAliveSeconds must be the longest keep-alive of any client (the load balancer gets 1.5 times it)",
    "npm run refresh, then npm run up, if somebody changed it by hand",
  ],
};

export const exposed: Text = {
  meaning: "A port that is only for nodes or operators answers from here.",
  look: [
    "listener: the load balancer must have none but the client ports",
    "security group: access.clientCidrBlocks opens the client ports only; the dashboard is for access.adminCidrBlocks, inside the VPC",
    "npm run refresh shows a rule or listener that was added by hand; npm run up takes it away",
  ],
};

/** A failure's explanation, with what the account itself says. */
export async function explained(inside: Inside, text: Text, ...more: string[]): Promise<Explanation> {
  const instances = (await inside.instances().catch(() => undefined)) ?? [];
  const complaints = await inside.complaints().catch(() => []);
  const out = instances.filter(({ inService }) => !inService);
  const summary =
    instances.length === 0
      ? inside.kind === "simulated"
        ? ["no instance is registered with the load balancer"]
        : []
      : [`${instances.length - out.length} of ${instances.length} instances are in service`];
  const details = out.map(({ instanceId, description }) => `${instanceId} is out of service: ${description}`);
  return { ...text, evidence: [...more, ...summary, ...details, ...complaints] };
}
