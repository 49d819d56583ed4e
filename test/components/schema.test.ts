import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ComponentProvider } from "@pulumi/pulumi/provider/experimental";
import * as library from "../../components";

const root = join(__dirname, "../..");
const components = [
  library.EmqxVpc,
  library.EmqxSecurityGroup,
  library.EmqxClusterNodes,
  library.EmqxClassicElb,
  library.EmqxNetworkLoadBalancer,
  library.EmqxDeployment,
  library.EmqxMonitoring,
  library.EmqxBackup,
];

/** What Python, Go, C# and YAML programs get. A change of this file is a change of the public interface. */
async function schema() {
  const provider = new ComponentProvider({
    components,
    dirname: join(root, "plugin"),
    name: "emqx-aws",
  });
  return JSON.parse(await provider.getSchema()) as { resources: Record<string, { inputProperties: object }> };
}

test("the schema for other languages is the one in schema.json (UPDATE_SCHEMA=1 rewrites it)", async () => {
  const file = join(__dirname, "schema.json");
  const actual = await schema();
  if (process.env["UPDATE_SCHEMA"]) {
    writeFileSync(file, JSON.stringify(actual, null, 2) + "\n");
  }
  expect(actual).toEqual(JSON.parse(readFileSync(file, "utf8")));
}, 60_000);
