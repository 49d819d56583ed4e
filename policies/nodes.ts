import type { Policies } from "@pulumi/policy";
import { AclError, ownRules, readAcl } from "../components/emqx/acl";
import { aclDefault, askedByNode, safeguardsOfNode } from "../components/emqx/access";

const instance = "aws:ec2/instance:Instance";
const parameter = "aws:ssm/parameter:Parameter";
const volume = "aws:ebs/volume:Volume";
const subnet = "aws:ec2/subnet:Subnet";
const eip = "aws:ec2/eip:Eip";
const eipAssociation = "aws:ec2/eipAssociation:EipAssociation";

function userDataOf(props: Record<string, unknown>): string {
  const encoded = typeof props.userDataBase64 === "string" ? props.userDataBase64 : "";
  const plain = typeof props.userData === "string" ? props.userData : "";
  return plain || Buffer.from(encoded, "base64").toString();
}

/** Of the rules that nodes read; EMQX's own end so, too, and are what it is without any. */
function allowsTheRest({ name, insecureValue: text }: Record<string, unknown>): boolean {
  if (!String(name).endsWith("/acl") || typeof text !== "string" || text === ownRules) return false;
  try {
    const last = readAcl(text).at(-1);
    return (
      last?.permission === "allow" &&
      last.who.kind === "all" &&
      last.action === "all" &&
      last.topics[0]?.filter === "#"
    );
  } catch (error) {
    if (error instanceof AclError) return false;
    throw error;
  }
}

interface Disk {
  encrypted?: boolean;
  deviceName?: string;
}

export const nodePolicies: Policies = [
  {
    name: "clients-authenticate",
    description: "MQTT clients have to say who they are.",
    validateResource: ({ type, props, name }, report) => {
      if (type !== instance) return;
      const open = [...(askedByNode(userDataOf(props)) ?? [])].flatMap(([at, asked]) =>
        asked === undefined ? [at] : [],
      );
      if (open.length > 0) {
        report(
          `EMQX on ${name} has no authentication that is on at ${open.join(", ")}, so anybody may connect. Leave ` +
            `anonymousAccess out, or set an authentication of your own in extraConfig.`,
        );
      }
    },
  },
  {
    name: "acl-denies-the-rest",
    description: "What no ACL rule decides is denied.",
    validateResource: ({ type, props, name }, report) => {
      if (type === parameter && allowsTheRest(props)) {
        report(
          `the rules in ${name} end by allowing everybody everything. Leave acl.noMatch out, and that rule.`,
        );
      }
      if (type !== instance) return;
      const safeguards = safeguardsOfNode(userDataOf(props)) ?? [];
      if (safeguards.some(({ what, rank }) => what === aclDefault && rank === 0)) {
        report(`EMQX on ${name} allows what no ACL rule decides. Set authorization.no_match = deny.`);
      }
    },
  },
  {
    name: "disks-encrypted",
    description: "Data volumes and the instances' own disks are encrypted.",
    validateResource: ({ type, props, name }, report) => {
      if (type === volume && props.encrypted !== true) {
        report(`volume ${name} is not encrypted. Set encrypted: true.`);
      }
      if (type === instance) {
        const root = props.rootBlockDevice as Disk | undefined;
        if (root?.encrypted !== true) {
          report(`the root disk of ${name} is not encrypted. Set rootBlockDevice: { encrypted: true }.`);
        }
        for (const disk of (props.ebsBlockDevices as Disk[] | undefined) ?? []) {
          if (disk.encrypted !== true) report(`disk ${disk.deviceName ?? "?"} of ${name} is not encrypted.`);
        }
      }
    },
  },
  {
    name: "metadata-by-session-only",
    description: "Instances answer questions about themselves by IMDSv2 only.",
    validateResource: ({ type, props, name }, report) => {
      if (type !== instance) return;
      const options = props.metadataOptions as { httpEndpoint?: string; httpTokens?: string } | undefined;
      if (options?.httpEndpoint !== "disabled" && options?.httpTokens !== "required") {
        report(
          `${name} accepts IMDSv1, which hands its role's credentials to any request. Set metadataOptions.httpTokens: "required".`,
        );
      }
    },
  },
  {
    name: "no-public-address",
    description: "Nodes have no public address; clients come through the load balancer.",
    validateResource: ({ type, props, name }, report) => {
      if (type === instance && props.associatePublicIpAddress === true) {
        report(`${name} asks for a public address. Leave associatePublicIpAddress out.`);
      }
      if (type === subnet && props.mapPublicIpOnLaunch === true) {
        report(`subnet ${name} gives a public address to every instance. Set mapPublicIpOnLaunch: false.`);
      }
      if (type !== eip && type !== eipAssociation) return;
      // Whose address it is may not be known yet; that it is somebody's is.
      const owners = ["instance", "instanceId", "networkInterface", "networkInterfaceId"];
      if (owners.some((property) => property in props)) {
        report(`${name} gives an instance a public address. Elastic IP addresses are for NAT gateways.`);
      }
    },
  },
];
