/** What an input is when it is not given: the table, the words beside the input and docs/settings.md say the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { groupInputs } from "../../components/access/settings";
import { backupInputs } from "../../components/backup/settings";
import { elbInputs } from "../../components/classicElb/settings";
import { deploymentInputs } from "../../components/deployment/settings";
import { monitoringInputs } from "../../components/monitoring/settings";
import { vpcInputs } from "../../components/network/settings";
import { clusterNodesInputs } from "../../components/nodes/settings";
import type { Shape } from "../../components/shared/inputs";

const components: Record<string, Record<string, Shape>> = {
  EmqxSecurityGroup: groupInputs,
  EmqxBackup: backupInputs,
  EmqxClassicElb: elbInputs,
  EmqxDeployment: deploymentInputs,
  EmqxMonitoring: monitoringInputs,
  EmqxVpc: vpcInputs,
  EmqxClusterNodes: clusterNodesInputs,
};
const schema = JSON.parse(readFileSync(join(__dirname, "schema.json"), "utf8")) as {
  resources: Record<string, { inputProperties: Record<string, { description: string }> }>;
};
const settings = new Map(
  [
    ...readFileSync(join(__dirname, "../../docs/settings.md"), "utf8").matchAll(
      /^\| `(\w+)` *\|.*\| (.*?) *\|$/gm,
    ),
  ].map(([, name, words]) => [name!, words!.replaceAll("`", "")]),
);

const inWords = (value: unknown) =>
  Array.isArray(value) ? (value.length === 0 ? "none" : value.join(" and ")) : String(value);

const rows = Object.entries(components).flatMap(([component, inputs]) =>
  Object.entries(inputs)
    .filter(([, shape]) => shape.default !== undefined)
    .map(([input, shape]): [string, string, string] => [component, input, inWords(shape.default)]),
);

test.each(rows)("%s.%s: %s", (component, input, words) => {
  const { description } = schema.resources[`emqx-aws:index:${component}`]!.inputProperties[input]!;
  expect(/Default: ([^]*)$/.exec(description)?.[1]).toContain(words);
  if (component === "EmqxDeployment") {
    expect(settings.get(input)).toContain(words);
  }
});
