import type { Mark, Thing, Topology, Way } from "./topology";

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
  const title = (mark: Mark, ...parts: string[]) =>
    escaped([`${signs[mark]}${parts[0]}`, ...parts.slice(1), words[mark]].filter(Boolean).join(" · "));
  const { network } = topology;
  lines.push(`  subgraph network["${title(network.mark, network.name, network.block)}"]`);
  topology.loadBalancers.forEach((balancer, i) => lines.push(`    ${box(`lb${i}`, balancer)}`));
  // What goes has no ways in the new order of things; where everything goes, the old ones are shown.
  const standing = (things: Thing[]) =>
    things.every(({ mark }) => mark === "removed") ? () => true : isStanding;
  const staysBalancer = standing(topology.loadBalancers);
  const balancerIds = topology.loadBalancers.flatMap((balancer, i) =>
    staysBalancer(balancer) ? [`lb${i}`] : [],
  );
  const subnets = topology.zones.flatMap((zone) => zone.subnets);
  const staysNode = standing(subnets.flatMap(({ nodes }) => nodes));
  const gateways = new Map<string, string>();
  const nodesOf = new Map(subnets.map((subnet): [typeof subnet, string[]] => [subnet, []]));
  topology.zones.forEach((zone, z) => {
    lines.push(`    subgraph zone${z}["${title(zone.mark, zone.name)}"]`);
    zone.subnets.forEach((subnet, s) => {
      const id = `${z}_${s}`;
      if (subnet.name !== "") {
        lines.push(`      subgraph subnet${id}["${title(subnet.mark, subnet.name, subnet.block)}"]`);
      }
      subnet.gateways.forEach((gateway, i) => {
        gateways.set(gateway.name, `nat${id}_${i}`);
        lines.push(`        ${box(`nat${id}_${i}`, gateway)}`);
      });
      subnet.nodes.forEach((node, i) => {
        if (staysNode(node)) nodesOf.get(subnet)?.push(`node${id}_${i}`);
        lines.push(`        ${box(`node${id}_${i}`, node)}`);
      });
      if (subnet.gateways.length + subnet.nodes.length === 0) lines.push(`        empty${id}[" "]`);
      if (subnet.name !== "") lines.push("      end");
    });
    lines.push("    end");
  });
  lines.push("  end");
  const nodeIds = [...nodesOf.values()].flat();

  for (const way of topology.ways) {
    const targets = way.to === "load balancer" ? balancerIds : nodeIds;
    if (targets.length > 0)
      lines.push(`  from${sources.indexOf(way.from)} ${arrow(way)} ${targets.join(" & ")}`);
  }
  topology.waysOut.forEach((way, i) => {
    lines.push(`  out${i}(["${escaped(way.from)}"])`);
    const through = new Set<string>();
    for (const [{ nat }, ids] of nodesOf) {
      const gateway = gateways.get(nat ?? "");
      if (ids.length > 0) lines.push(`  ${ids.join(" & ")} ${arrow(way)} ${gateway ?? `out${i}`}`);
      if (ids.length > 0 && gateway) through.add(gateway);
    }
    if (through.size > 0) lines.push(`  ${[...through].join(" & ")} ${arrow(way)} out${i}`);
  });
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

function arrow({ labels, mark }: Way): string {
  const text = escaped(
    [...labels, { added: "(opened)", removed: "(closed)" }[mark as string]].filter(Boolean).join(" "),
  );
  if (mark === "removed") return `-. "${text}" .->`;
  return mark === "added" ? `== "${text}" ==>` : `-- "${text}" -->`;
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
