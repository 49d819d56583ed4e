/** What smoke asks of the aws CLI about a Network Load Balancer; a script stands in for the CLI. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealInside } from "../../smoke/realInside";

const health = (...states: [string, string, string?][]) =>
  JSON.stringify({
    TargetHealthDescriptions: states.map(([Id, State, Description]) => ({
      Target: { Id, Port: 1883 },
      TargetHealth: { State, ...(Description && { Description }) },
    })),
  });
const answers = {
  "describe-load-balancers --names emqx-nlb ": "arn:nlb",
  "describe-target-groups --load-balancer-arn arn:nlb ": "arn:mqtt\tarn:ws",
  "describe-target-health --target-group-arn arn:mqtt ": health(["i-0", "healthy"], ["i-1", "healthy"]),
  "describe-target-health --target-group-arn arn:ws ": health(
    ["i-0", "unhealthy", "Health checks failed"],
    ["i-1", "healthy"],
  ),
  "describe-listeners --load-balancer-arn arn:nlb ": "TCP\tarn:1883\nTLS\tarn:8883",
  "describe-listener-attributes --listener-arn arn:1883 ": "450",
};
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "emqx-aws-cli-"));
  const cases = Object.entries(answers).map(
    ([asked, said]) => `"elbv2 ${asked}"*) printf '%s\\n' '${said}' ;;`,
  );
  writeFileSync(
    join(folder, "aws"),
    `#!/bin/sh\ncase "$*" in\n${cases.join("\n")}\n*) echo "$*" >&2; exit 252 ;;\nesac\n`,
  );
  chmodSync(join(folder, "aws"), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a Network Load Balancer is asked by its target groups and listeners", async () => {
  const outputs = {
    loadBalancerName: "emqx-nlb",
    loadBalancerDnsName: "emqx-nlb-1a2b.elb.eu-west-1.amazonaws.com",
  };
  const inside = new RealInside(outputs, { PATH: `${folder}:/usr/bin:/bin` });
  expect(await inside.instances()).toEqual([
    { instanceId: "i-0", inService: false, description: "Health checks failed" },
    { instanceId: "i-1", inService: true, description: "" },
  ]);
  expect(await inside.idleTimeoutSeconds()).toBe(350);
});
