/** The load balancer only: MQTT over TLS and secure WebSocket for clients, plain TCP to whatever registers with it. */
import * as pulumi from "@pulumi/pulumi";
import { EmqxClassicElb, Listener } from "emqx-aws";

const config = new pulumi.Config();
const certificateArn = config.get("certificateArn");

const balancer = new EmqxClassicElb("mqtt", {
  subnetIds: config.requireObject<string[]>("subnetIds"),
  securityGroupIds: config.requireObject<string[]>("securityGroupIds"),
  listeners: [Listener.Mqtts, Listener.Wss],
  certificate: certificateArn === undefined ? { selfSigned: {} } : { arn: certificateArn },
});

export const { loadBalancerName, dnsName, mqttsUrl, wssUrl, caCertificatePem } = balancer;
