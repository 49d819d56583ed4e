/** The diagram as SVG, laid out by hand: sources on top, the load balancer below, then a column for every zone. */
import type { Mark, Thing, Topology, Way, Zone } from "./topology";

const column = 220;
const gap = 24;
const lineHeight = 18;
const boxPadding = 14;

const fills: Record<Mark, string> = {
  same: "#ffffff",
  added: "#dafbe1",
  changed: "#fff8c5",
  replaced: "#ffe2c9",
  removed: "#ffebe9",
};

export function svgOf(topology: Topology, title: string): string {
  const columns = Math.max(topology.zones.length, topology.loadBalancers.length, 2);
  const inner = columns * column + (columns - 1) * gap;
  const width = inner + 4 * gap;
  const centre = width / 2;
  const drawing: string[] = [];

  const sources = [...new Set(topology.ways.map(({ from }) => from))];
  const sourceWidth =
    sources.length > 0 ? Math.min(280, (inner - (sources.length - 1) * gap) / sources.length) : 0;
  const sourceX = (i: number) => centre + (i - (sources.length - 1) / 2) * (sourceWidth + gap);
  const sourceY = 40;
  sources.forEach((from, i) => drawing.push(pill(sourceX(i), sourceY, sourceWidth, from)));

  const frameTop = 130;
  const balancerTop = frameTop + 44;
  const balancerHeight = Math.max(0, ...topology.loadBalancers.map(heightOf));
  const zonesTop = balancerTop + balancerHeight + 64;
  const zoneHeight = Math.max(0, ...topology.zones.map(zoneHeightOf));
  const footer = topology.inner.amongNodes.length > 0 ? 40 : 12;
  const frameBottom = zonesTop + zoneHeight + footer;

  const frame = rectangle(gap, frameTop, width - 2 * gap, frameBottom - frameTop, "#f6f8fa", "#57606a");
  const heading = [topology.network.name, topology.network.block].filter(Boolean).join(" · ");
  const under = [frame, textAt(2 * gap, frameTop + 24, heading, "start", true)];

  const balancerX = (i: number) =>
    centre + (i - (topology.loadBalancers.length - 1) / 2) * (column + 60 + gap);
  topology.loadBalancers.forEach((balancer, i) => {
    drawing.push(box(balancerX(i) - (column + 60) / 2, balancerTop, column + 60, balancer));
  });
  const zoneX = (i: number) => centre + (i - (topology.zones.length - 1) / 2) * (column + gap);
  topology.zones.forEach((zone, i) => drawing.push(...drawZone(zone, zoneX(i), zonesTop, zoneHeight)));

  for (const [target, ways] of waysByTarget(topology.ways)) {
    for (const way of ways) {
      const x = sourceX(sources.indexOf(way.from));
      const label = way.labels.join(" ");
      if (target === "load balancer") {
        topology.loadBalancers.forEach((_, i) =>
          under.push(arrow(x, sourceY + 20, balancerX(i), balancerTop, label)),
        );
      } else {
        topology.zones.forEach((_, i) =>
          under.push(arrow(x, sourceY + 20, zoneX(i) + column / 2 - 20, zonesTop, label)),
        );
      }
    }
  }
  const toNodes = topology.inner.toNodes.join(" ");
  topology.loadBalancers.forEach((_, b) => {
    topology.zones.forEach((zone, z) => {
      if (zone.nodes.length > 0) {
        under.push(
          arrow(balancerX(b), balancerTop + balancerHeight, zoneX(z), zonesTop, z === 0 ? toNodes : ""),
        );
      }
    });
  });
  if (topology.inner.amongNodes.length > 0) {
    const words = `nodes among themselves: ${topology.inner.amongNodes.join(", ")}`;
    drawing.push(textAt(centre, frameBottom - 14, words, "middle"));
  }

  const height = frameBottom + gap;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>text { font: 13px system-ui, sans-serif; fill: #1f2328; } .name { font-weight: 600; } .label { font-size: 12px; fill: #57606a; }</style>`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#57606a"/></marker></defs>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...under,
    ...drawing,
    "</svg>",
    "",
  ].join("\n");
}

function waysByTarget(ways: Way[]): [Way["to"], Way[]][] {
  return (["load balancer", "nodes"] as const).map((target) => [
    target,
    ways.filter(({ to }) => to === target),
  ]);
}

function heightOf({ lines }: Thing): number {
  return 2 * boxPadding + (lines.length + 1) * lineHeight - 6;
}

function zoneHeightOf({ gateways, nodes }: Zone): number {
  return 44 + [...gateways, ...nodes].reduce((sum, thing) => sum + heightOf(thing) + 12, 0);
}

function drawZone({ name, mark, gateways, nodes }: Zone, x: number, top: number, height: number): string[] {
  const left = x - column / 2;
  const drawing = [
    rectangle(left, top, column, height, mark === "same" ? "#ffffff" : fills[mark], "#8c959f", "4 3"),
    textAt(x, top + 24, name, "middle"),
  ];
  let y = top + 38;
  for (const thing of [...nodes, ...gateways]) {
    drawing.push(box(left + 12, y, column - 24, thing));
    y += heightOf(thing) + 12;
  }
  return drawing;
}

function box(x: number, y: number, width: number, thing: Thing): string {
  const lines = [thing.name, ...thing.lines];
  const texts = lines.map((line, i) =>
    textAt(x + width / 2, y + boxPadding + 10 + i * lineHeight, line, "middle", i === 0),
  );
  return [rectangle(x, y, width, heightOf(thing), fills[thing.mark], "#0969da"), ...texts].join("\n");
}

function pill(x: number, y: number, width: number, words: string): string {
  const shape = `<rect x="${x - width / 2}" y="${y - 20}" width="${width}" height="40" rx="20" fill="#ddf4ff" stroke="#0969da"/>`;
  return `${shape}\n${textAt(x, y + 5, words, "middle", true)}`;
}

function rectangle(
  x: number,
  y: number,
  width: number,
  height: number,
  fill: string,
  stroke: string,
  dashes?: string,
): string {
  const dashed = dashes === undefined ? "" : ` stroke-dasharray="${dashes}"`;
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="${stroke}"${dashed}/>`;
}

function arrow(x1: number, y1: number, x2: number, y2: number, label: string): string {
  const line = `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#57606a" marker-end="url(#tip)"/>`;
  if (label === "") return line;
  const [x, y] = [(x1 + x2) / 2 + (x1 === x2 ? 8 : -16), (y1 + y2) / 2 + 4];
  return `${line}\n<text class="label" x="${x}" y="${y}" text-anchor="${x1 === x2 ? "start" : "end"}">${escaped(label)}</text>`;
}

function textAt(x: number, y: number, words: string, anchor: "start" | "middle", isName = false): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}"${isName ? ' class="name"' : ""}>${escaped(words)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
