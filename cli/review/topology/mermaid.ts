import type { Mark, Thing, Topology } from "./topology";

const words: Record<Mark, string> = {
  added: "added",
  changed: "changed",
  replaced: "replaced",
  removed: "removed",
  same: "",
};

// No list markers of Markdown (+, -): Mermaid takes them for one.
const signs: Record<Mark, string> = {
  added: "➕ ",
  changed: "✏️ ",
  replaced: "♻️ ",
  removed: "❌ ",
  same: "",
};

const styles = [
  "classDef added fill:#dafbe1,stroke:#1a7f37,color:#0b2e13,stroke-width:2px",
  "classDef changed fill:#fff8c5,stroke:#9a6700,color:#3b2300,stroke-width:2px",
  "classDef replaced fill:#ffe2c9,stroke:#bc4c00,color:#4a1d00,stroke-width:2px",
  "classDef removed fill:#ffebe9,stroke:#cf222e,color:#5a0d12,stroke-width:2px,stroke-dasharray:4",
];

/** Mermaid text of a topology, changed parts marked by colour and in words. */
export function mermaidOf(topology: Topology): string {
  const lines = ["flowchart TB"];
  const marked: Record<Exclude<Mark, "same">, string[]> = {
    added: [],
    changed: [],
    replaced: [],
    removed: [],
  };
  const box = (id: string, thing: Thing) => {
    if (thing.mark !== "same") marked[thing.mark].push(id);
    return `${id}["${label(thing)}"]`;
  };

  const sources = [...new Set(topology.ways.map(({ from }) => from))];
  sources.forEach((from, i) => lines.push(`  from${i}(["${escaped(from)}"])`));
  const { network } = topology;
  lines.push(
    `  subgraph network["${escaped([`${signs[network.mark]}${network.name}`, network.block, words[network.mark]].filter(Boolean).join(" · "))}"]`,
  );
  topology.loadBalancers.forEach((balancer, i) => lines.push(`    ${box(`lb${i}`, balancer)}`));
  // What goes has no ways in the new order of things; where everything goes, the old ones are shown.
  const standing = (things: Thing[]) =>
    things.every(({ mark }) => mark === "removed") ? () => true : isStanding;
  const staysBalancer = standing(topology.loadBalancers);
  const balancerIds = topology.loadBalancers.flatMap((balancer, i) =>
    staysBalancer(balancer) ? [`lb${i}`] : [],
  );
  const staysNode = standing(topology.zones.flatMap(({ nodes }) => nodes));
  const nodeIds: string[] = [];
  topology.zones.forEach((zone, z) => {
    const title = [`${signs[zone.mark]}${zone.name}`, words[zone.mark]].filter(Boolean).join(" · ");
    lines.push(`    subgraph zone${z}["${escaped(title)}"]`);
    zone.gateways.forEach((gateway, i) => lines.push(`      ${box(`nat${z}_${i}`, gateway)}`));
    zone.nodes.forEach((node, i) => {
      const id = `node${z}_${i}`;
      if (staysNode(node)) nodeIds.push(id);
      lines.push(`      ${box(id, node)}`);
    });
    if (zone.gateways.length + zone.nodes.length === 0) lines.push(`      empty${z}[" "]`);
    lines.push("    end");
  });
  lines.push("  end");

  for (const way of topology.ways) {
    const from = `from${sources.indexOf(way.from)}`;
    const text = escaped(
      [...way.labels, words[way.mark] && `(${way.mark === "added" ? "opened" : "closed"})`]
        .filter(Boolean)
        .join(" "),
    );
    const arrow =
      way.mark === "removed"
        ? `-. "${text}" .->`
        : way.mark === "added"
          ? `== "${text}" ==>`
          : `-- "${text}" -->`;
    const targets = way.to === "load balancer" ? balancerIds : nodeIds;
    if (targets.length > 0) lines.push(`  ${from} ${arrow} ${targets.join(" & ")}`);
  }
  if (topology.inner.toNodes.length > 0 && nodeIds.length > 0) {
    const text = escaped(topology.inner.toNodes.join(" "));
    balancerIds.forEach((id) => lines.push(`  ${id} -- "${text}" --> ${nodeIds.join(" & ")}`));
  }
  if (topology.inner.amongNodes.length > 0) {
    const text = escaped(topology.inner.amongNodes.join(" "));
    nodeIds.slice(1).forEach((id, i) => lines.push(`  ${nodeIds[i]} <-. "${text}" .-> ${id}`));
  }
  for (const style of styles) {
    const name = style.split(" ")[1] as Exclude<Mark, "same">;
    if (marked[name].length > 0) lines.push(`  ${style}`, `  class ${marked[name].join(",")} ${name}`);
  }
  return lines.join("\n");
}

function isStanding({ mark }: Thing): boolean {
  return mark !== "removed";
}

function label({ name, lines, mark }: Thing): string {
  return [`${signs[mark]}${name}`, ...lines, ...(words[mark] ? [words[mark]] : [])]
    .map(escaped)
    .join("<br/>");
}

/** Quotes and brackets end a Mermaid label. */
function escaped(text: string): string {
  return text.replace(/[#"<>[\]{}|`]/g, (character) => `#${character.charCodeAt(0)};`);
}
