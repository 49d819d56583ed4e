/** A stack's outputs as lines for people: where clients connect, and what else a first look wants to see. */
export function endpointLines(outputs: Record<string, unknown>): string[] {
  const urls = Object.entries(outputs).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && /^\w+:\/\//.test(entry[1]),
  );
  const rows: [string, string][] = urls.map(([name, url]) => [name.replace(/Url$/, "").toUpperCase(), url]);
  if (Array.isArray(outputs.nodeNames)) rows.push(["Nodes", outputs.nodeNames.join(", ")]);
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
}
