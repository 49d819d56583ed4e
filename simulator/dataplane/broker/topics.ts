/** Topic names and filters: MQTT 3.1.1 and 5, section 4.7, and what EMQX makes of them. */

/** Whether an MQTT topic filter matches a topic name. */
export function topicMatches(filter: string, topic: string): boolean {
  const levels = topic.split("/");
  const pattern = filter.split("/");
  if (topic.startsWith("$") && (pattern[0] === "#" || pattern[0] === "+")) {
    return false;
  }
  for (const [index, part] of pattern.entries()) {
    if (part === "#") {
      return true;
    }
    if (index >= levels.length || (part !== "+" && part !== levels[index])) {
      return false;
    }
  }
  return pattern.length === levels.length;
}

const longestBytes = 65535;

/** Whether this is a topic filter: `+` and `#` stand for whole levels, `#` for the last one. */
export function isTopicFilter(filter: string, maxLevels: number): boolean {
  const levels = filter.split("/");
  return (
    fits(filter, levels, maxLevels) &&
    levels.every((level, i) =>
      level.includes("#") ? level === "#" && i === levels.length - 1 : level === "+" || !level.includes("+"),
    )
  );
}

/** Whether messages can be published to this topic. */
export function isTopicName(topic: string, maxLevels: number): boolean {
  return fits(topic, topic.split("/"), maxLevels) && !/[+#]/.test(topic);
}

function fits(topic: string, levels: string[], maxLevels: number): boolean {
  const right = topic !== "" && !topic.includes("\u0000") && levels.length <= maxLevels;
  return right && Buffer.byteLength(topic) <= longestBytes;
}

/**
 * Topics with a meaning of their own to EMQX that is not acted out here: refused, as a client that got them granted
 * would wait for messages that never come.
 */
export function isBeyondThisBroker(topic: string): boolean {
  return /^\$(share|queue|exclusive|delayed|q|s|stream|file)\//.test(topic);
}
