/** A whole EMQX cluster: three nodes in two zones, MQTT over TLS, with a certificate to try things out. */
import { EmqxDeployment, Listener } from "emqx-aws";

const emqx = new EmqxDeployment("mqtt", {
  availabilityZones: ["eu-west-1a", "eu-west-1b"],
  listeners: [Listener.Mqtts],
  certificate: { selfSigned: {} },
});
export const { mqttsUrl, caCertificatePem, mqttUsername, mqttPasswordParameter } = emqx;
