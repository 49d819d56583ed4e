/** What an input is when it is not given: the table, the words beside the input and docs/settings.md say the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { groupInputs } from "../../components/access/settings";
import { backupInputs } from "../../components/backup/settings";
import { elbInputs } from "../../components/classicElb/settings";
import { deploymentInputs } from "../../components/deployment/settings";
import { monitoringInputs } from "../../components/monitoring/settings";
import { vpcInputs } from "../../components/network/settings";
import { networkLoadBalancerInputs } from "../../components/networkLoadBalancer/settings";
import { clusterNodesInputs } from "../../components/nodes/settings";
import type { Shape } from "../../components/shared/inputs";

const components: Record<string, Record<string, Shape>> = {
  EmqxSecurityGroup: groupInputs,
  EmqxBackup: backupInputs,
  EmqxClassicElb: elbInputs,
  EmqxNetworkLoadBalancer: networkLoadBalancerInputs,
  EmqxDeployment: deploymentInputs,
  EmqxMonitoring: monitoringInputs,
  EmqxVpc: vpcInputs,
  EmqxClusterNodes: clusterNodesInputs,
};
const schema = JSON.parse(readFileSync(join(__dirname, "schema.json"), "utf8")) as {
  resources: Record<string, { inputProperties: Properties }>;
  types: Record<string, { properties: Properties }>;
};
const settings = new Map(
  [
    ...readFileSync(join(__dirname, "../../docs/settings.md"), "utf8").matchAll(
      /^\| `([\w.]+)` *\|.*\| (.*?) *\|$/gm,
    ),
  ].map(([, name, words]) => [name!, words!.replaceAll("`", "")]),
);

const inWords = (value: unknown) =>
  Array.isArray(value) ? (value.length === 0 ? "none" : value.join(" and ")) : String(value);

const leavesOf = (shapes: Record<string, Shape>, group = ""): [string, Shape][] =>
  Object.entries(shapes).flatMap(([name, shape]) =>
    shape.kind === "object"
      ? leavesOf(shape.fields, `${group}${name}.`)
      : [[`${group}${name}`, shape] as [string, Shape]],
  );

const rows = Object.entries(components).flatMap(([component, inputs]) =>
  leavesOf(inputs)
    .filter(([, shape]) => shape.default !== undefined)
    .map(([input, shape]): [string, string, string] => [component, input, inWords(shape.default)]),
);

type Properties = Record<string, { description: string; $ref?: string }>;
/** The words beside an input, of whatever group. */
function describe(properties: Properties, [name = "", ...path]: string[]): string {
  const { description, $ref } = properties[name]!;
  const type = $ref?.replace("#/types/", "");
  return path.length === 0 ? description : describe(schema.types[type!]!.properties, path);
}

test.each(rows)("%s.%s: %s", (component, input, words) => {
  const { inputProperties } = schema.resources[`emqx-aws:index:${component}`]!;
  const description = describe(inputProperties, input.split("."));
  expect(/Default: ([^]*)$/.exec(description)?.[1]).toContain(words);
  if (component === "EmqxDeployment") {
    expect(settings.get(input)).toContain(words);
  }
});
