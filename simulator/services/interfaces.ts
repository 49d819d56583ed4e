import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { out, set, text, type ResourceType } from "../schema";
import { ownerId } from "../seeds";
import type { Props } from "../values";
import { claimAddresses, macAddress, privateDns } from "./addresses";
import * as names from "./names";
import { requireGroup } from "./securityGroups";
import { requireSubnet } from "./vpc";

/** How an interface hangs on an instance (in its hidden facts). */
export interface Attachment {
  attachmentId: string;
  instanceId: string;
  deviceIndex: number;
}

export function attachmentOf(eni: StoredResource): Attachment | undefined {
  return eni.hidden["attachment"] as unknown as Attachment | undefined;
}

export const networkInterfaceType: ResourceType = {
  token: names.networkInterface,
  title: "EC2 Network Interface",
  tagged: true,
  properties: {
    subnetId: text({ required: true, forceNew: true }),
    privateIps: set(text(), { computed: true }),
    privateIp: text({ computed: true }),
    securityGroups: set(text(), { computed: true }),
    description: text(),
    attachments: out("set"),
    interfaceType: out(),
    arn: out(),
    macAddress: out(),
    outpostArn: out(),
    ownerId: out(),
    privateDnsName: out(),
  },
  redundant: () => ["attachments", "privateIp", "privateIpsCount"],
  create(context, inputs) {
    const subnet = requireSubnet(context, inputs["subnetId"] as string);
    const listed = (inputs["privateIps"] as string[] | undefined) ?? [];
    const single = inputs["privateIp"] as string | undefined;
    const wanted = single && !listed.includes(single) ? [single, ...listed] : listed;
    const ips = claimAddresses(context, subnet, wanted);
    const groups = interfaceGroups(context, subnet, inputs["securityGroups"] as string[] | undefined);
    const id = context.id("eni");
    return {
      id,
      attributes: {
        privateIps: ips,
        privateIp: single ?? ips[0]!,
        securityGroups: groups,
        attachments: [],
        interfaceType: "interface",
        arn: context.arn("ec2", `network-interface/${id}`),
        macAddress: macAddress(context),
        outpostArn: "",
        ownerId,
        privateDnsName: privateDns(context, single ?? ips[0]!),
      },
      hidden: { vpcId: subnet.attributes["vpcId"]!, zone: subnet.attributes["availabilityZone"]! },
    };
  },
  update(context, eni, inputs, changed) {
    const subnet = requireSubnet(context, eni.attributes["subnetId"] as string);
    const computed: Props = {};
    if (changed.has("privateIps") || changed.has("privateIp")) {
      const own = eni.attributes["privateIps"] as string[];
      const primary = eni.attributes["privateIp"] as string;
      const wanted = (inputs["privateIps"] as string[] | undefined) ?? own;
      if (!wanted.includes(primary)) {
        fail(
          "InvalidParameterValue",
          `The primary private address ${primary} of ${eni.id} cannot be unassigned`,
        );
      }
      computed["privateIps"] = claimAddresses(context, subnet, wanted, own);
    }
    if (changed.has("securityGroups")) {
      const groups = inputs["securityGroups"] as string[] | undefined;
      computed["securityGroups"] = interfaceGroups(context, subnet, groups);
    }
    return computed;
  },
  delete(_context, eni) {
    const attachment = attachmentOf(eni);
    if (attachment) {
      fail(
        "InvalidNetworkInterface.InUse",
        `The network interface '${eni.id}' is in use: it is attached to instance '${attachment.instanceId}' at device index ${attachment.deviceIndex}.`,
      );
    }
    if (eni.implicit) {
      fail(
        "OperationNotPermitted",
        `You do not have permission to delete the service-managed interface ${eni.id}`,
      );
    }
  },
  view(_context, eni) {
    const attachment = attachmentOf(eni);
    if (!attachment) {
      return { attachments: [] };
    }
    const { instanceId, deviceIndex, attachmentId } = attachment;
    return { attachments: [{ instance: instanceId, deviceIndex, networkCardIndex: 0, attachmentId }] };
  },
};

/** Groups for an interface in a subnet: they exist, are of its VPC, and not too many. Default: the VPC's own. */
export function interfaceGroups(context: Context, subnet: StoredResource, wanted?: string[]): string[] {
  const vpcId = subnet.attributes["vpcId"];
  if (!wanted || wanted.length === 0) {
    const group = context
      .list(names.securityGroup)
      .find((g) => g.implicit && g.attributes["vpcId"] === vpcId)!;
    return [group.id];
  }
  const quota = context.account.seeds.quotas.securityGroupsPerInterface;
  if (wanted.length > quota) {
    fail(
      "SecurityGroupsPerInterfaceLimitExceeded",
      `The maximum number of security groups per interface has been reached (${quota}).`,
    );
  }
  for (const id of wanted) {
    if (requireGroup(context, id).attributes["vpcId"] !== vpcId) {
      fail("InvalidParameter", `Security group ${id} and subnet ${subnet.id} belong to different networks.`);
    }
  }
  return wanted;
}
