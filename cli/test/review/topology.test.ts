/** What the diagram shows: every subnet with what stands in it, and the way that leads out of it. */
import { mermaidOf } from "../../review/topology/mermaid";
import { Deployment } from "./inProcess";

const availabilityZones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

/** The lines of each innermost box, by the box's title. */
function boxes(diagram: string): Map<string, string[]> {
  const open: string[] = [];
  const found = new Map<string, string[]>();
  for (const line of diagram.split("\n").map((text) => text.trim())) {
    const [, title] = /^subgraph \w+\["(.*)"\]$/.exec(line) ?? [];
    if (title !== undefined) open.push(title);
    else if (line === "end") open.pop();
    else if (open.length > 0) found.set(open.at(-1)!, [...(found.get(open.at(-1)!) ?? []), line]);
  }
  return found;
}

test.each(["PerAvailabilityZone", "Single"])(
  "NAT gateways: %s",
  async (natGateways) => {
    const settings = {
      availabilityZones,
      nodeCount: 4,
      vpc: { natGateways },
      certificate: { selfSigned: {} },
    };
    const deployment = await Deployment.of(settings);
    const review = await deployment.review(settings);
    const diagram = mermaidOf(review!.topology);
    const found = boxes(diagram);
    const gateways = natGateways === "Single" ? availabilityZones.slice(0, 1) : availabilityZones;
    for (const [i, zone] of availabilityZones.entries()) {
      const inBox = (kind: string) =>
        [...found].flatMap(([title, lines]) =>
          title.startsWith(`emqx-vpc-${kind}-${zone} · `) ? lines : [],
        );
      expect(inBox("public").join().includes("NAT gateway")).toBe(gateways.includes(zone));
      expect(inBox("public").join()).not.toContain("emqx-nodes-");
      expect(inBox("private").join()).not.toContain("NAT gateway");
      expect(inBox("private").join()).toContain(`["emqx-nodes-${i}<br/>`);
      // The node's arrow leads to its zone's gateway, and that one's to the internet.
      const idIn = (kind: string, text: string) =>
        /^\w+/.exec(inBox(kind).find((line) => line.includes(text)) ?? "")?.[0];
      const node = idIn("private", `emqx-nodes-${i}<br/>`)!;
      const gateway = /-- "443" --> (nat\w+)/.exec(
        diagram.split("\n").find((line) => new RegExp(`^  (.* )?${node}\\b.*"443"`).test(line)) ?? "",
      )?.[1];
      expect(diagram).toContain(
        `${gateway}["emqx-vpc-nat-${gateways.includes(zone) ? zone : gateways[0]}<br/>NAT gateway"]`,
      );
      expect(diagram).toMatch(new RegExp(`^  (nat.* & )?${gateway}\\b.* -- "443" --> out0$`, "m"));
    }
    expect(diagram).toContain('out0(["internet"])');
  },
  60_000,
);
