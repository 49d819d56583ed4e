/** EMQX on AWS as Pulumi components. Importing this module creates nothing. */
export {
  EmqxClassicElb,
  TlsPolicy,
  type EmqxAccessLogsArgs,
  type EmqxClassicElbArgs,
} from "./classicElb/emqxClassicElb";
export { EmqxBackup, type EmqxBackupArgs } from "./backup/emqxBackup";
export { EmqxClusterNodes, type EmqxClusterNodesArgs, type EmqxNodeArgs } from "./nodes/emqxClusterNodes";
export { deploymentProblems, EmqxDeployment, type EmqxDeploymentArgs } from "./deployment/emqxDeployment";
export {
  EmqxMonitoring,
  type EmqxMonitoredNodeArgs,
  type EmqxMonitoringArgs,
} from "./monitoring/emqxMonitoring";
export { EmqxSecurityGroup, type EmqxSecurityGroupArgs } from "./access/emqxSecurityGroup";
export { EmqxVpc, NatGateways, type EmqxVpcArgs } from "./network/emqxVpc";
export { ClusterPorts } from "./emqx/releases";
export { Listener } from "./shared/listeners";
