/** EMQX on AWS as Pulumi components. Importing this module creates nothing. */
export {
  EmqxClassicElb,
  TlsPolicy,
  type EmqxAccessLogsArgs,
  type EmqxClassicElbArgs,
} from "./emqxClassicElb";
export { EmqxBackup, type EmqxBackupArgs } from "./emqxBackup";
export { EmqxClusterNodes, type EmqxClusterNodesArgs, type EmqxNodeArgs } from "./emqxClusterNodes";
export { deploymentProblems, EmqxDeployment, type EmqxDeploymentArgs } from "./emqxDeployment";
export { EmqxMonitoring, type EmqxMonitoredNodeArgs, type EmqxMonitoringArgs } from "./emqxMonitoring";
export { EmqxSecurityGroup, type EmqxSecurityGroupArgs } from "./emqxSecurityGroup";
export { EmqxVpc, NatGateways, type EmqxVpcArgs } from "./emqxVpc";
export { ClusterPorts } from "./emqx/releases";
export { Listener } from "./network/listeners";
