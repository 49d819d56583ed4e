/** EMQX on AWS as Pulumi components. Importing this module creates nothing. */
export { EmqxSecurityGroup } from "./access/emqxSecurityGroup";
export type { EmqxAccessArgs, EmqxEgressArgs, EmqxSecurityGroupArgs } from "./access/settings";
export { EmqxBackup } from "./backup/emqxBackup";
export type { EmqxBackupArgs, EmqxBackupOptionsArgs } from "./backup/settings";
export type { EmqxCertificateArgs, EmqxSelfSignedCertificateArgs } from "./certificate/settings";
export { EmqxClassicElb } from "./classicElb/emqxClassicElb";
export {
  TlsPolicy,
  type EmqxAccessLogsArgs,
  type EmqxClassicElbArgs,
  type EmqxDnsArgs,
  type EmqxElbOptionsArgs,
} from "./classicElb/settings";
export { EmqxDeployment } from "./deployment/emqxDeployment";
export { deploymentProblems, type EmqxDeploymentArgs } from "./deployment/settings";
export { AclAction, AclPermission, type EmqxAclArgs, type EmqxAclRuleArgs } from "./emqx/acl";
export { ClusterPorts } from "./emqx/releases";
export type { EmqxUserArgs } from "./emqx/users";
export { EmqxMonitoring } from "./monitoring/emqxMonitoring";
export type {
  EmqxMonitoredNodeArgs,
  EmqxMonitoringArgs,
  EmqxMonitoringOptionsArgs,
} from "./monitoring/settings";
export { EmqxNetworkLoadBalancer } from "./networkLoadBalancer/emqxNetworkLoadBalancer";
export {
  AddressType,
  NetworkTlsPolicy,
  type EmqxEndpointServiceArgs,
  type EmqxNetworkAccessLogsArgs,
  type EmqxNetworkLoadBalancerArgs,
  type EmqxNetworkLoadBalancerOptionsArgs,
} from "./networkLoadBalancer/settings";
export { EmqxVpc } from "./network/emqxVpc";
export {
  NatGateways,
  type EmqxExistingVpcArgs,
  type EmqxFlowLogsArgs,
  type EmqxNetworkArgs,
  type EmqxVpcArgs,
} from "./network/settings";
export { EmqxClusterNodes } from "./nodes/emqxClusterNodes";
export type {
  EmqxClusterNodesArgs,
  EmqxDataVolumeArgs,
  EmqxInstanceArgs,
  EmqxNodeArgs,
  EmqxNodeOptionsArgs,
  EmqxPackageArgs,
  EmqxRolloutArgs,
  EmqxSecretVersionsArgs,
} from "./nodes/settings";
export { CertificateField } from "./nodes/tls";
export type { EmqxNodeTlsArgs } from "./nodes/tls";
export { Listener, TlsEnd } from "./shared/listeners";
