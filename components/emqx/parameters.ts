/** The SSM parameters by which a cluster's nodes learn what they are to be. */

/** Bytes that a parameter of the standard tier holds (SSM API reference, PutParameter). */
export const mostParameterBytes = 4096;

/** The same of the advanced tier. */
export const mostAdvancedBytes = 8192;

/** What nodes take up while they run, in the order in which they report it (operation "sync"). */
export const takenUp = [
  "dashboard-password",
  "mqtt-password",
  "license-key",
  "secret-config",
  "acl",
  "mqtt-users",
  "node-certificate",
  "client-authorities",
];

/** Those whose versions nodes read in the parameter "cluster": one call has room for ten names. */
export const further = ["acl", "mqtt-users", "node-certificate", "client-authorities"];
