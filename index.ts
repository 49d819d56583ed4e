/** The program of every stack: settings in, a deployment, its outputs. */
import { EmqxDeployment } from "./components";
import { readSettings } from "./stacks/settings";

const name = "emqx";
const deployment = new EmqxDeployment(name, readSettings(name));

export const mqttUrl = deployment.mqttUrl;
export const mqttsUrl = deployment.mqttsUrl;
export const wsUrl = deployment.wsUrl;
export const wssUrl = deployment.wssUrl;
export const caCertificatePem = deployment.caCertificatePem;
export const loadBalancerDnsName = deployment.dnsName;
export const loadBalancerName = deployment.loadBalancerName;
export const vpcId = deployment.vpcId;
export const loadBalancerSecurityGroupId = deployment.loadBalancerSecurityGroupId;
export const nodeSecurityGroupId = deployment.nodeSecurityGroupId;
export const instanceIds = deployment.instanceIds;
export const nodeNames = deployment.nodeNames;
export const cookieParameter = deployment.cookieParameter;
export const dashboardPasswordParameter = deployment.dashboardPasswordParameter;
export const mqttUsername = deployment.mqttUsername;
export const mqttPasswordParameter = deployment.mqttPasswordParameter;
