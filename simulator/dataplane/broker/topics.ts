/** Whether an MQTT topic filter matches a topic name (MQTT 3.1.1 and 5, section 4.7). */
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
