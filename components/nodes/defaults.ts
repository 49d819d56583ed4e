/** Two Graviton3 vCPUs and 8 GiB, steady rather than burstable: a broker's load does not rest. */
export const defaultInstanceType = "m7g.large";

/** The first MQTT user, whose password is generated. */
export const mqttUsername = "mqtt";
