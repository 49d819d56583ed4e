/** The program of every stack: settings in, a deployment, its outputs. */
import { EmqxDeployment } from "./components";
import { readSettings } from "./stacks/settings";

// Pulumi keeps a stack trace of every promise, for its own debugging, and ts-node maps each to its sources: that was half of
// what a preview computes. Errors keep theirs.
const format = Error.prepareStackTrace;
if (format !== undefined && process.env.PULUMI_DEBUG_PROMISE_LEAKS === undefined) {
  Error.prepareStackTrace = (error, frames) =>
    frames[0]?.getFunctionName() === "debuggablePromise" ? String(error) : (format(error, frames) as unknown);
}

const name = "emqx";
const deployment = new EmqxDeployment(name, readSettings(name));

const outputs = {
  mqttUrl: deployment.mqttUrl,
  mqttsUrl: deployment.mqttsUrl,
  wsUrl: deployment.wsUrl,
  wssUrl: deployment.wssUrl,
  caCertificatePem: deployment.caCertificatePem,
  certificateExpires: deployment.certificateExpires,
  licenseExpires: deployment.licenseExpires,
  loadBalancerDnsName: deployment.dnsName,
  loadBalancerName: deployment.loadBalancerName,
  vpcId: deployment.vpcId,
  loadBalancerSecurityGroupId: deployment.loadBalancerSecurityGroupId,
  nodeSecurityGroupId: deployment.nodeSecurityGroupId,
  instanceIds: deployment.instanceIds,
  nodeNames: deployment.nodeNames,
  cookieParameter: deployment.cookieParameter,
  dashboardPasswordParameter: deployment.dashboardPasswordParameter,
  mqttUsername: deployment.mqttUsername,
  mqttPasswordParameter: deployment.mqttPasswordParameter,
  mqttUsersParameter: deployment.mqttUsersParameter,
  alarmTopicArn: deployment.alarmTopicArn,
  dashboardName: deployment.dashboardName,
  logGroupName: deployment.logGroupName,
  backupBucketName: deployment.backupBucketName,
};

// Pulumi warns about outputs without a value; a listener that is off has no address to show.
export = Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined));
