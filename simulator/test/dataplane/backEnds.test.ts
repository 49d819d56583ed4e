/**
 * Whom the examples of docs/authentication.md let in, each on a node: a service of the user's own and a token's issuer, asked by the node
 * where its security group lets it, and databases that are not acted out.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { parse } from "yaml";
import { mqttPassword, openNodes, rule, TestRegion } from "./testRegion";

const page = readFileSync("docs/authentication.md", "utf8");
const examples = ["HTTP", "JWT", "PostgreSQL", "Redis", "LDAP"].map((title) => {
  const yaml = page.split(`\n## ${title}\n`)[1]!.split("```yaml\n")[1]!.split("```")[0]!;
  const { config } = parse(yaml) as { config: Record<string, unknown> };
  return {
    anonymousAccess: config["emqx-aws:anonymousAccess"] === true,
    extraConfig: String(config["emqx-aws:extraConfig"]),
  };
});

const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
const token = (claims: object, { privateKey } = key) => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const data = `${part({ alg: "ES256" })}.${part(claims)}`;
  return `${data}.${sign("sha256", Buffer.from(data), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
};

let server: Server;
let region: TestRegion;
const asked: Record<string, string>[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.method === "GET") {
      response.end(JSON.stringify({ keys: [key.publicKey.export({ format: "jwk" })] }));
      return;
    }
    let body = "";
    request
      .on("data", (chunk) => (body += String(chunk)))
      .on("end", () => {
        const credential = JSON.parse(body) as Record<string, string>;
        asked.push(credential);
        const result = credential["username"] === "known" ? "allow" : "deny";
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ result }));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  region = await TestRegion.start({
    nodes: examples.length,
    userData: (args, node) => ({
      ...args,
      ...examples[node]!,
      extraConfig: examples[node]!.extraConfig.replace(
        "auth.example.internal:8080",
        `10.20.0.5:${port}`,
      ).replace("https://issuer.example.com/.well-known", `http://10.20.0.6:${port}`),
    }),
    prepare: (test) => {
      openNodes(test);
      test.group("nodes").egress.push(rule(port, "10.20.0.0/16"));
    },
  });
  await region.allReady();
});
afterAll(async () => {
  await region?.stop();
  server.close();
});

const comes = (username: string, password = "its-own", node = 0) =>
  region.nodeClient(node, { username, password }).then(
    () => "in",
    (error: { code?: number }) => error.code,
  );

test("it decides about whom EMQX does not know", async () => {
  expect(await comes("known")).toBe("in");
  expect(await comes("stranger")).toBe(5);
  expect(asked).toMatchObject(["known", "stranger"].map((username) => ({ username, password: "its-own" })));
  expect(await comes("emqx", mqttPassword)).toBe("in");
});

test("a token is its issuer's, and its bearer's", async () => {
  const claims = { iss: "https://issuer.example.com", sub: "meter", exp: Math.floor(Date.now() / 1000) + 60 };
  expect(await comes("meter", token(claims), 1)).toBe("in");
  const wrong = [
    token({ ...claims, sub: "other" }),
    token({ ...claims, iss: "https://other.example.com" }),
    token({ ...claims, exp: 1 }),
    token(claims, generateKeyPairSync("ec", { namedCurve: "P-256" })),
    "its-own",
  ];
  const outcomes = [];
  for (const password of wrong) outcomes.push(await comes("meter", password, 1));
  expect(outcomes).not.toContain("in");
});

test("databases that are not acted out are deployed, and let nobody in", async () => {
  for (const [i, name] of ["postgresql", "redis", "ldap"].entries()) {
    expect(await comes("known", "its-own", 2 + i)).not.toBe("in");
    expect(region.console(2 + i)).toMatch(
      new RegExp(`authentication password_based.${name} is not simulated: it lets nobody in`),
    );
  }
  // Before it in the chain.
  expect(await comes("emqx", mqttPassword, 2)).toBe("in");
});

test("without a rule for it nobody gets in by it, and the node says why", async () => {
  await region.change(() => void region.group("nodes").egress.pop());
  expect(await comes("known")).toBe(5);
  expect(asked).toHaveLength(2);
  expect(region.console(0)).toMatch(/authentication http: 10\.20\.0\.5:\d+: no egress rule of sg-/);
});
