/** The tables against the SDK's own declarations: no output is forgotten, no property is invented. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { propertiesOf } from "../schema";
import { invokes, resourceTypes } from "../services";

const sdk = join(__dirname, "../../node_modules/@pulumi");

interface Declared {
  inputs: Map<string, { optional: boolean; type: string }>;
  outputs: string[];
}

/** `aws:ec2/vpc:Vpc` is declared in aws/ec2/vpc.d.ts, `tls:index/privateKey:PrivateKey` in tls/privateKey.d.ts. */
function sourceOf(token: string): ts.SourceFile {
  const [name, path] = token.split(":");
  const file = join(sdk, name!, `${path!.replace(/^index\//, "")}.d.ts`);
  return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
}

function declared(token: string): Declared {
  const inputs: Declared["inputs"] = new Map();
  const outputs: string[] = [];
  sourceOf(token).forEachChild((node) => {
    if (ts.isInterfaceDeclaration(node) && /(?<!Output)Args$/.test(node.name.text)) {
      for (const member of node.members) {
        if (ts.isPropertySignature(member)) {
          const type = member.type!.getText();
          inputs.set(member.name.getText(), { optional: member.questionToken !== undefined, type });
        }
      }
    }
    if (ts.isClassDeclaration(node)) {
      for (const member of node.members) {
        const isStatic =
          ts.isPropertyDeclaration(member) &&
          member.modifiers?.some((m) => m.kind === ts.SyntaxKind.StaticKeyword);
        if (ts.isPropertyDeclaration(member) && !isStatic) {
          outputs.push(member.name.getText());
        }
      }
    }
  });
  return { inputs, outputs };
}

const kinds: Record<string, RegExp> = {
  string: /string|enums/,
  number: /number/,
  integer: /number/,
  boolean: /boolean/,
  json: /string/,
  list: /\[\]/,
  set: /\[\]/,
  map: /\[key: string\]/,
  object: /inputs\./,
};

describe.each([...resourceTypes.values()].map((t): [string, typeof t] => [t.token, t]))(
  "%s",
  (token, type) => {
    const { inputs, outputs } = declared(token);
    const properties = propertiesOf(type);
    const modelled = Object.entries(properties).filter(([, p]) => !p.output);

    test("has inputs of the SDK only", () => {
      expect(modelled.map(([name]) => name).filter((name) => !inputs.has(name))).toEqual([]);
    });

    test("has inputs of the SDK's kinds", () => {
      for (const [name, property] of modelled) {
        expect(`${name}: ${inputs.get(name)!.type}`).toMatch(kinds[property.kind]!);
      }
    });

    test("requires what the SDK requires", () => {
      for (const [name, { optional }] of inputs) {
        if (!optional) {
          expect([name, properties[name]?.required]).toEqual([name, true]);
        }
      }
    });

    test("has outputs of the SDK only", () => {
      const invented = Object.entries(properties)
        .filter(([name, p]) => p.output && !outputs.includes(name))
        .map(([name]) => name);
      expect(invented).toEqual([]);
    });
  },
);

/** Outputs that exist in the SDK and not here, beside inputs that are not modelled; each with a reason. */
const missing: Record<string, string[]> = {
  // Needs bcrypt, and nobody uses it.
  "random:index/randomPassword:RandomPassword": ["bcryptHash"],
  // Buckets serve no websites here.
  "aws:s3/bucket:Bucket": ["hostedZoneId", "websiteDomain", "websiteEndpoint"],
  // Endpoint services have no private DNS name here.
  "aws:ec2/vpcEndpointService:VpcEndpointService": ["privateDnsNameConfigurations"],
};

test.each([...resourceTypes.values()].map((t): [string, typeof t] => [t.token, t]))(
  "%s has every output",
  (token, type) => {
    const properties = propertiesOf(type);
    const { inputs, outputs } = declared(token);
    const absent = outputs.filter((name) => !properties[name] && !inputs.has(name)).sort();
    expect(absent).toEqual(missing[token] ?? []);
  },
);

test.each([...invokes.values()].map((i): [string, typeof i] => [i.token, i]))(
  "%s has arguments of the SDK only",
  (token, invoke) => {
    const { inputs } = declared(token);
    expect(Object.keys(invoke.properties).filter((name) => !inputs.has(name))).toEqual([]);
  },
);
