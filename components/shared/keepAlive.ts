/** EMQX closes a connection after 1.5 keep-alives without a packet (MQTT 5.0, 3.1.2.10); what stands in front comes later. */
const keepAliveMultiplier = 1.5;
const idleMarginSeconds = 30;

/** The idle timeout, in seconds, that lets a client with the given keep-alive rest for as long as the broker lets it. */
export function idleTimeoutSeconds(keepAliveSeconds: number): number {
  return Math.ceil(keepAliveSeconds * keepAliveMultiplier) + idleMarginSeconds;
}

/** The longest keep-alive that fits into an idle timeout. */
export function longestKeepAlive(idleSeconds: number): number {
  return (idleSeconds - idleMarginSeconds) / keepAliveMultiplier;
}
