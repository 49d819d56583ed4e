/** A wrong type of any input of any component, at any depth, gets words that name the input, and never a TypeError. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as library from "../../components";
import { vpcInputs } from "../../components/network/settings";
import { problemsOf } from "../../components/shared/inputs";

type Component = new (name: string, args: never) => unknown;
const schema = JSON.parse(readFileSync(join(__dirname, "schema.json"), "utf8")) as {
  resources: Record<string, { inputProperties: Record<string, Schema> }>;
  types: Record<string, { properties?: Record<string, Schema>; enum?: unknown[] }>;
};
interface Schema {
  type?: string;
  $ref?: string;
  items?: Schema;
  additionalProperties?: Schema;
}

const node = {
  subnetId: "subnet-0123456789abcdef0",
  availabilityZone: "eu-west-1a",
  privateIp: "192.168.0.10",
};
const prefix = { parameterPrefix: "/emqx/project/stack/emqx-nodes", roleName: "emqx-nodes" };
const good: Record<string, Record<string, unknown>> = {
  EmqxVpc: { availabilityZones: ["eu-west-1a"] },
  EmqxSecurityGroup: { vpcId: "vpc-0123456789abcdef0" },
  EmqxClassicElb: { subnetIds: [node.subnetId], securityGroupIds: ["sg-0123456789abcdef0"] },
  EmqxNetworkLoadBalancer: {
    vpcId: "vpc-0123456789abcdef0",
    subnetIds: [node.subnetId],
    securityGroupIds: ["sg-0123456789abcdef0"],
  },
  EmqxClusterNodes: { nodes: [node], securityGroupIds: ["sg-0123456789abcdef0"] },
  EmqxDeployment: { availabilityZones: ["eu-west-1a"], certificate: { selfSigned: {} } },
  EmqxMonitoring: {
    ...prefix,
    loadBalancerName: "emqx",
    nodes: [{ instanceId: "i-0123456789abcdef0", nodeName: "emqx@192.168.0.10" }],
  },
  EmqxBackup: prefix,
};

/** Values that are of none of the types that an input may have. */
const ofNoType = [null, Number.NaN, 10n, () => "x", Symbol("x"), new Date(NaN), new Map()];
const by: Record<string, unknown[]> = {
  string: [12, 0, true, {}, [], ["x"]],
  number: ["12", "", true, {}, [], [12]],
  boolean: ["true", "", 0, 1, {}, []],
  array: ["x", "", 1, true, { 0: "x", length: 1 }],
  object: ["x", "", 1, true, [], ["x"]],
};

/** Every wrong value of an input, at any depth. */
function wrongValues(input: Schema): unknown[] {
  const reference = input.$ref === undefined ? undefined : schema.types[input.$ref.replace("#/types/", "")];
  const type = input.type ?? (reference?.enum === undefined ? "object" : "string");
  const values: unknown[] = [...ofNoType, ...by[type === "integer" ? "number" : type]!];
  if (input.items) {
    values.push([undefined], new Array(1), ...wrongValues(input.items).map((value) => [value]));
  }
  if (input.additionalProperties) {
    values.push(...wrongValues(input.additionalProperties).map((value) => ({ key: value })));
  }
  for (const [name, property] of Object.entries(reference?.properties ?? {})) {
    values.push(
      ...wrongValues(property).map((value) => ({ ...node, bucket: "logs-example", [name]: value })),
    );
  }
  return values;
}

function refusal(component: string, args: unknown): Error | undefined {
  const type = (library as unknown as Record<string, Component>)[component]!;
  try {
    new type("emqx", args as never);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

const inputs = Object.entries(schema.resources).flatMap(([token, { inputProperties }]) =>
  Object.entries(inputProperties).map(([name, input]): [string, string, Schema] => [
    token.split(":").at(-1)!,
    name,
    input,
  ]),
);

test.each(inputs)("%s: a wrong type of %s is refused in words", (component, name, input) => {
  const values = wrongValues(input);
  expect(values.length).toBeGreaterThan(10);
  for (const value of values) {
    const message = refusal(component, { ...good[component], [name]: value })?.message ?? "accepted";
    expect([value, message]).toEqual([
      value,
      expect.stringMatching(new RegExp(`^${component} "emqx": nothing of it was changed.*\n  - ${name}\\b`)),
    ]);
    expect(message).not.toMatch(/undefined is not|is not iterable|is not a function|Cannot read|\[object/);
  }
});

/** Slips that leave no other input's name. */
const slips = (name: string, others: string[]) =>
  [
    name.toLowerCase(),
    `${name}s`,
    name.slice(0, -1),
    name.slice(1),
    `${name[1]}${name[0]}${name.slice(2)}`,
  ].filter((slip) => !others.includes(slip) && slip.length > 2);

test.each(Object.keys(good))("%s: a misspelt input is not lost in silence", (component) => {
  const own = inputs.filter(([of]) => of === component);
  const names = own.map(([, name]) => name);
  for (const [, name, { items, $ref }] of own) {
    for (const slip of slips(name, names)) {
      expect(refusal(component, { ...good[component], [slip]: 1 })?.message).toMatch(
        new RegExp(`\n {2}- ${slip}: there is no such input; did you mean \\w+\\?`),
      );
    }
    const inner = schema.types[(items?.$ref ?? $ref ?? "").replace("#/types/", "")]?.properties ?? {};
    for (const slip of Object.keys(inner).flatMap((key) => slips(key, Object.keys(inner)))) {
      const group = { ...node, bucket: "logs-example", [slip]: "x" };
      const message = refusal(component, { ...good[component], [name]: items ? [group] : group })?.message;
      expect(message).toMatch(
        new RegExp(`${name}(\\[0\\])?\\.${slip}: there is no such input; did you mean `),
      );
    }
  }
});

test("an input of another component's, as a program may give to several, is none of this one's", () => {
  const args = { ...good["EmqxVpc"], nodeCount: 3, monitoring: {}, somebodyElses: "x", cidrBlok: undefined };
  expect(problemsOf<library.EmqxVpcArgs, typeof vpcInputs>(vpcInputs, args, {}, [])).toEqual([]);
});

test.each(Object.keys(good))("%s: arguments that are none, and needed ones that are missing", (component) => {
  for (const args of [undefined, null, "x", 1, [], true]) {
    expect(refusal(component, args)?.message).toMatch(/^Emqx\w+ "emqx": .*\n {2}- the arguments: /);
  }
  for (const needed of Object.keys(good[component]!)) {
    const rest = { ...good[component]! };
    delete rest[needed];
    expect(refusal(component, rest)?.message).toMatch(
      new RegExp(`\n  - ${needed}: (missing|none given)[;,] `),
    );
  }
});

test.each(Object.keys(good))("%s: a name of another type", (component) => {
  const type = (library as unknown as Record<string, Component>)[component]!;
  for (const name of [undefined, null, 1, {}, [], ""]) {
    expect(() => new type(name as never, good[component] as never)).toThrow(/\n {2}- name: /);
  }
});
