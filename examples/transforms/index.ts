/** A deployment whose instances have properties that no input reaches. */
import type { ResourceTransform } from "@pulumi/pulumi";
import { EmqxDeployment, Listener } from "emqx-aws";

const patchInstances: ResourceTransform = ({ type, props, opts }) =>
  type === "aws:ec2/instance:Instance"
    ? {
        props: {
          ...props,
          rootBlockDevice: { ...props["rootBlockDevice"], volumeSize: 32 },
          tags: { ...props["tags"], patch: "weekly" },
        },
        opts,
      }
    : undefined;

const emqx = new EmqxDeployment(
  "mqtt",
  {
    availabilityZones: ["eu-west-1a", "eu-west-1b"],
    listeners: [Listener.Mqtts],
    certificate: { selfSigned: {} },
  },
  { transforms: [patchInstances] },
);
export const { mqttsUrl } = emqx;
