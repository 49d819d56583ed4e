/** What docs/monitoring.md gives to copy, and what it says of the alarms. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  certificateAlarm,
  exportAlarm,
  instanceAlarms,
  loadBalancerAlarms,
  networkLoadBalancerAlarms,
  nodeAlarms,
  targetGroupAlarms,
} from "../../../components/monitoring/alarms";
import { testWith, toolEnvironment } from "../emqx/tools";

const page = readFileSync(join(__dirname, "../../../docs/monitoring.md"), "utf8");

test("every alarm has a row on the page, and every row an alarm", () => {
  const ofCluster = [
    ...loadBalancerAlarms(3),
    ...targetGroupAlarms,
    ...networkLoadBalancerAlarms,
    certificateAlarm,
    exportAlarm(6),
  ];
  const named = [...ofCluster, ...instanceAlarms(0), ...nodeAlarms(0)];
  const alarms = page.slice(page.indexOf("## What each alarm means"), page.indexOf("### While nodes"));
  const rows = [...alarms.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name);
  expect(rows.sort()).toEqual(named.map(({ name }) => name).sort());
});

const configurations = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text]) => text!);

testWith("promtool")("promtool accepts the scrape configurations", () => {
  const folder = mkdtempSync(join(tmpdir(), "prometheus-"));
  const check = (text: string) => {
    const file = join(folder, "prometheus.yml");
    writeFileSync(file, text);
    const result = spawnSync("promtool", ["check", "config", "--syntax-only", file], {
      encoding: "utf8",
      env: toolEnvironment,
    });
    if (result.error) throw result.error;
    return result.status;
  };
  try {
    expect(configurations).toHaveLength(2);
    expect(configurations.map(check)).toEqual([0, 0]);
    expect(check(configurations[0]!.replace("metrics_path", "metric_path"))).not.toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
