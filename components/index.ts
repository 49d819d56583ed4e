/** EMQX on AWS as Pulumi components. Importing this module creates nothing. */
export { EmqxSecurityGroup } from "./access/emqxSecurityGroup";
export type { EmqxSecurityGroupArgs } from "./access/settings";
export { EmqxBackup } from "./backup/emqxBackup";
export type { EmqxBackupArgs } from "./backup/settings";
export { EmqxClassicElb } from "./classicElb/emqxClassicElb";
export { TlsPolicy, type EmqxAccessLogsArgs, type EmqxClassicElbArgs } from "./classicElb/settings";
export { EmqxDeployment } from "./deployment/emqxDeployment";
export { deploymentProblems, type EmqxDeploymentArgs } from "./deployment/settings";
export { ClusterPorts } from "./emqx/releases";
export { EmqxMonitoring } from "./monitoring/emqxMonitoring";
export type { EmqxMonitoredNodeArgs, EmqxMonitoringArgs } from "./monitoring/settings";
export { EmqxVpc } from "./network/emqxVpc";
export { NatGateways, type EmqxVpcArgs } from "./network/settings";
export { EmqxClusterNodes } from "./nodes/emqxClusterNodes";
export type { EmqxClusterNodesArgs, EmqxNodeArgs } from "./nodes/settings";
export { Listener } from "./shared/listeners";
