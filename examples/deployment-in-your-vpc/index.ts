/** A whole EMQX cluster in a VPC that somebody else looks after. */
import * as pulumi from "@pulumi/pulumi";
import { EmqxDeployment, Listener, type EmqxExistingVpcArgs } from "emqx-aws";

const emqx = new EmqxDeployment("fleet", {
  availabilityZones: ["eu-west-1a", "eu-west-1b"],
  existingVpc: new pulumi.Config().requireObject<EmqxExistingVpcArgs>("existingVpc"),
  listeners: [Listener.Mqtts],
  certificate: { selfSigned: {} },
});
export const { mqttsUrl, nodeNames, vpcId } = emqx;
