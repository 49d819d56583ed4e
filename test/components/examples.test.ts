/** The examples beside the classes run, and name inputs that there are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { transpile } from "typescript";
import * as library from "../../components";
import { run } from "../support";

const root = join(__dirname, "../..");
const schema = JSON.parse(readFileSync(join(__dirname, "schema.json"), "utf8")) as {
  resources: Record<string, { inputProperties: object }>;
};
const files: Record<string, string> = {
  EmqxVpc: "network",
  EmqxSecurityGroup: "access",
  EmqxClassicElb: "classicElb",
  EmqxNetworkLoadBalancer: "networkLoadBalancer",
  EmqxClusterNodes: "nodes",
  EmqxMonitoring: "monitoring",
  EmqxBackup: "backup",
  EmqxDeployment: "deployment",
};

test("every component has one", () => {
  const components = Object.keys(schema.resources).map((token) => token.split(":").at(-1));
  expect(Object.keys(files).sort()).toEqual(components.sort());
});

test.each(Object.entries(files))("%s", async (name, folder) => {
  const source = readFileSync(join(root, "components", folder, `e${name.slice(1)}.ts`), "utf8");
  const comment = /\n \* @example\n((?: \*.*\n)+?) \*\/\nexport class/.exec(source)?.[1] ?? "";
  const code = comment.replaceAll(/^ \* ?/gm, "");
  const given: [string, string][] = [];
  const watched = Object.fromEntries(
    Object.keys(files).map((component) => [
      component,
      new Proxy(library[component as "EmqxVpc"], {
        construct(target, args: [string, object]) {
          given.push(...Object.keys(args[1]).map((input): [string, string] => [component, input]));
          return Reflect.construct(target, args) as object;
        },
      }),
    ]),
  );
  await run(() => {
    // What an example says that it goes on from.
    const whole = new library.EmqxDeployment("whole", {
      availabilityZones: ["eu-west-1a", "eu-west-1b"],
      certificate: { selfSigned: {} },
    });
    const { vpc, securityGroup: groups, classicElb: elb, nodes } = whole;
    const scope = { ...library, ...watched, pulumi, vpc, groups, elb, nodes };
    new Function(...Object.keys(scope), `{ ${transpile(code.replaceAll("export ", ""))} }`)(
      ...Object.values(scope),
    );
  });
  expect(given.map(([component]) => component)).toContain(name);
  const unknown = given.filter(
    ([component, input]) =>
      !Object.hasOwn(schema.resources[`emqx-aws:index:${component}`]!.inputProperties, input),
  );
  expect(unknown).toEqual([]);
});
