import type { InvokeType, ResourceType } from "../schema";
import { bucketLifecycleType } from "./bucketLifecycle";
import * as settings from "./bucketSettings";
import { bucketType } from "./buckets";
import { certificateType } from "./certificates";
import { dashboardType, metricAlarmType } from "./cloudwatch";
import { recordType } from "./dns";
import { vpcEndpointServiceType } from "./endpointServices";
import * as functions from "./functions";
import { eipType, natGatewayType } from "./gateways";
import { instanceProfileType, rolePolicyType, roleType } from "./iam";
import { instanceType } from "./instances";
import { networkInterfaceType } from "./interfaces";
import * as elb from "./loadBalancers";
import { flowLogType, logGroupType } from "./logs";
import { networkListenerCertificateType, networkListenerType } from "./networkListeners";
import { networkLoadBalancerType } from "./networkLoadBalancers";
import { parameterType } from "./parameters";
import { randomPasswordType } from "./random";
import { routeTableAssociationType, routeTableType, routeType, vpcEndpointType } from "./routing";
import * as groups from "./securityGroups";
import { snapshotPolicyType } from "./snapshotPolicies";
import { topicType } from "./sns";
import { targetGroupAttachmentType, targetGroupType } from "./targetGroups";
import { privateKeyType } from "./tls";
import { certRequestType, locallySignedCertType, selfSignedCertType } from "./tlsCertificates";
import { volumeAttachmentType, volumeType } from "./volumes";
import { internetGatewayType, subnetType, vpcType } from "./vpc";

const all: ResourceType[] = [
  vpcType,
  internetGatewayType,
  subnetType,
  eipType,
  natGatewayType,
  routeTableType,
  routeType,
  routeTableAssociationType,
  vpcEndpointType,
  vpcEndpointServiceType,
  flowLogType,
  logGroupType,
  groups.securityGroupType,
  groups.defaultSecurityGroupType,
  groups.ingressRuleType,
  groups.egressRuleType,
  networkInterfaceType,
  instanceType,
  volumeType,
  volumeAttachmentType,
  elb.loadBalancerType,
  elb.attachmentType,
  elb.loadBalancerPolicyType,
  elb.listenerPolicyType,
  elb.backendServerPolicyType,
  networkLoadBalancerType,
  targetGroupType,
  networkListenerType,
  networkListenerCertificateType,
  targetGroupAttachmentType,
  certificateType,
  recordType,
  roleType,
  rolePolicyType,
  instanceProfileType,
  parameterType,
  bucketType,
  settings.bucketVersioningType,
  settings.bucketEncryptionType,
  settings.bucketPublicAccessBlockType,
  settings.bucketOwnershipControlsType,
  settings.bucketPolicyType,
  bucketLifecycleType,
  snapshotPolicyType,
  metricAlarmType,
  dashboardType,
  topicType,
  randomPasswordType,
  privateKeyType,
  certRequestType,
  selfSignedCertType,
  locallySignedCertType,
];

/** Every resource type that exists in the simulated region. */
export const resourceTypes = new Map(all.map((type) => [type.token, type]));

/** Every function. */
export const invokes = new Map<string, InvokeType>(
  Object.values(functions)
    .filter((f): f is InvokeType => typeof f === "object")
    .map((f) => [f.token, f]),
);
