/** Limits of the components that sizing has to keep. */
export { mostNodes } from "../../components/nodes/settings";
export { idleTimeoutSeconds } from "../../components/shared/keepAlive";

/** The longest keep-alive that a Classic ELB's idle timeout of 3,600 seconds leaves room for (EmqxClassicElb). */
export const longestKeepAlive = 2380;

/** EmqxClusterNodes' own default. */
export const smallestVolumeGiB = 20;

/** The largest gp3 volume that the components allow. */
export const largestVolumeGiB = 16_384;
