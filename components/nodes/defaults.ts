/** The last open source release: it clusters without a licence. */
export const defaultEmqxVersion = "5.8.9";

/** Two Graviton3 vCPUs and 8 GiB, steady rather than burstable: a broker's load does not rest. */
export const defaultInstanceType = "m7g.large";

/** A node boots in about three minutes; the rest is for slow package downloads and large clusters. */
export const defaultReadinessTimeoutSeconds = 900;

/** The first MQTT user, whose password is generated. */
export const mqttUsername = "mqtt";

/** EMQX's own default (`cluster.name`). */
export const defaultClusterName = "emqxcl";

/** Seconds that a node's open connections live on, by default, after it was taken out (Classic ELB's own default). */
export const defaultDrainingTimeoutSeconds = 300;
