/** Whom EMQX's chain lets in: real signatures, and answers as services give them. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { askBackEnd } from "../../machine/backEnds";
import {
  authenticate,
  authenticatorOf,
  type BackEndAnswer,
  type BackEndRequest,
} from "../../machine/authentication";

const database = { mechanism: "password_based", backend: "built_in_database" };
const client = { username: "meter", password: "secret", clientId: "c1" };

interface World {
  chain: Record<string, unknown>[];
  credential?: Partial<typeof client>;
  answer?: Partial<BackEndAnswer> | Error;
  hardened?: boolean;
  /** What EMQX's own database says. */
  own?: "bad-password" | "unknown-user" | "in";
}

async function outcome({ chain, credential, answer = {}, hardened = false, own = "unknown-user" }: World) {
  const [asked, said]: [BackEndRequest[], string[]] = [[], []];
  const result = await authenticate(
    chain.map((settings) => authenticatorOf(settings, hardened, said)),
    { ...client, ...credential },
    {
      ownUser: () => (own === "in" ? {} : own),
      ask: (request) => {
        asked.push(request);
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve({ status: 200, contentType: "application/json", body: "", ...answer });
      },
      log: (line) => said.push(line),
    },
  );
  return { result, asked, said: said.join("\n") };
}

const http = {
  mechanism: "password_based",
  backend: "http",
  method: "post",
  url: "http://auth/mqtt",
  body: { name: "${username}", secret: "${password}", id: "${clientid}" },
};
const says = (body: object, status = 200) => ({ status, body: JSON.stringify(body) });

test.each<[string, Partial<BackEndAnswer> | Error, boolean, unknown]>([
  ["allows", says({ result: "allow" }), false, { isSuperuser: false }],
  ["allows a superuser", says({ result: "allow", is_superuser: true }), false, { isSuperuser: true }],
  ["says nothing, with 204", { status: 204 }, false, {}],
  ["denies", says({ result: "deny" }), false, "unknown-user"],
  ["does not know", says({ result: "ignore" }), false, "the next one"],
  ["answers with 401, which is no answer", says({ result: "deny" }, 401), false, "the next one"],
  ["answers with no JSON", { body: "allow" }, false, "the next one"],
  [
    "answers with another type",
    { ...says({ result: "allow" }), contentType: "text/plain" },
    false,
    "the next one",
  ],
  [
    "answers a form",
    { contentType: "application/x-www-form-urlencoded", body: "result=allow" },
    false,
    { isSuperuser: false },
  ],
  ["does not answer", new Error("refused"), false, "the next one"],
  ["does not answer, in the hardened profile", new Error("refused"), true, "unknown-user"],
  ["gives rules, which are not acted out", says({ result: "allow", acl: [] }), false, "unknown-user"],
])("a service that %s", async (_what, answer, hardened, expected) => {
  const { result } = await outcome({ chain: [http, database], answer, hardened, own: "bad-password" });
  expect(result).toEqual(expected === "the next one" ? "bad-password" : expected);
});

test("a service is asked with what the client has given", async () => {
  const post = await outcome({ chain: [http], answer: { status: 204 } });
  expect(post.asked).toMatchObject([
    {
      method: "POST",
      url: "http://auth/mqtt",
      headers: { "content-type": "application/json" },
      body: '{"name":"meter","secret":"secret","id":"c1"}',
    },
  ]);
  const get = { ...http, method: "get", url: "http://auth/${username}", headers: { "X-Key": "k" } };
  const { asked } = await outcome({ chain: [get], credential: { username: "a b" }, answer: { status: 204 } });
  expect(asked).toMatchObject([
    { method: "GET", url: "http://auth/a%20b?name=a+b&secret=secret&id=c1", headers: { "x-key": "k" } },
  ]);
  expect(asked[0]).not.toHaveProperty("body");
});

test("the chain is asked in its order; what is not acted out denies, and says so", async () => {
  const first = await outcome({ chain: [database, http], own: "in" });
  expect([first.result, first.asked]).toEqual([{}, []]);
  const redis = { mechanism: "password_based", backend: "redis" };
  const { result, said } = await outcome({ chain: [redis, database], own: "in" });
  expect([result, said]).toEqual([
    "unknown-user",
    "authentication password_based/redis is not simulated: it lets nobody in",
  ]);
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(algorithm: string, key: KeyObject | string, claims: object): string {
  const data = `${part({ alg: algorithm })}.${part(claims)}`;
  const signature =
    typeof key === "string"
      ? createHmac("sha256", key).update(data).digest()
      : sign("sha256", Buffer.from(data), { key, dsaEncoding: "ieee-p1363" });
  return `${data}.${signature.toString("base64url")}`;
}

const jwks = { mechanism: "jwt", from: "password", use_jwks: true, endpoint: "https://issuer/keys" };
const published = says({ keys: [rsa, ec].map(({ publicKey }) => publicKey.export({ format: "jwk" })) });
const now = Math.floor(Date.now() / 1000);

test.each<[string, Record<string, unknown>, string | undefined, unknown]>([
  ["RSA", jwks, token("RS256", rsa.privateKey, {}), { isSuperuser: false }],
  ["elliptic curves", jwks, token("ES256", ec.privateKey, { is_superuser: true }), { isSuperuser: true }],
  [
    "a time that has not come",
    jwks,
    token("RS256", rsa.privateKey, { exp: now + 60 }),
    { isSuperuser: false, expiresAt: (now + 60) * 1000 },
  ],
  ["a time that is over", jwks, token("RS256", rsa.privateKey, { exp: now - 1 }), "bad-password"],
  ["a time before it holds", jwks, token("RS256", rsa.privateKey, { nbf: now + 60 }), "bad-password"],
  [
    "another's key",
    jwks,
    token("RS256", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey, {}),
    "the next one",
  ],
  ["no token", jwks, "secret", "the next one"],
  ["no password", jwks, undefined, "the next one"],
  // The public key as the secret of HMAC: a known attack.
  [
    "HMAC, where a public key is asked for",
    jwks,
    token("HS256", rsa.publicKey.export({ type: "spki", format: "pem" }) as string, {}),
    "the next one",
  ],
  ["no signature", jwks, `${part({ alg: "none" })}.${part({})}.`, "the next one"],
  [
    "a shared secret",
    { mechanism: "jwt", algorithm: "hmac-based", secret: "s3cret" },
    token("HS256", "s3cret", {}),
    { isSuperuser: false },
  ],
  [
    "a public key of its own",
    {
      ...{ mechanism: "jwt", algorithm: "public-key" },
      public_key: ec.publicKey.export({ type: "spki", format: "pem" }),
    },
    token("ES256", ec.privateKey, {}),
    { isSuperuser: false },
  ],
  [
    "a claim of a list that does not fit",
    { ...jwks, verify_claims: [{ name: "sub", value: "${username}" }] },
    token("RS256", rsa.privateKey, { sub: "another" }),
    "bad-password",
  ],
  [
    "claims that fit",
    { ...jwks, verify_claims: { sub: "${username}", aud: "mqtt" } },
    token("RS256", rsa.privateKey, { sub: "meter", aud: ["web", "mqtt"] }),
    { isSuperuser: false },
  ],
  [
    "a claim of another",
    { ...jwks, verify_claims: { sub: "${username}" } },
    token("RS256", rsa.privateKey, { sub: "x" }),
    "bad-password",
  ],
  [
    "a claim that is missing",
    { ...jwks, verify_claims: { sub: "meter" } },
    token("RS256", rsa.privateKey, {}),
    "bad-password",
  ],
  [
    "rules, which are not acted out",
    jwks,
    token("RS256", rsa.privateKey, { acl: { pub: ["a"] } }),
    "unknown-user",
  ],
])("a token with %s", async (_what, settings, password, expected) => {
  const { result } = await outcome({
    chain: [settings, database],
    credential: { password: password as string },
    answer: published,
    own: "in",
  });
  expect(result).toEqual(expected === "the next one" ? {} : expected);
});

describe("a request to a back end", () => {
  let server: Server;
  let port = 0;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/silent") return;
      let body = "";
      request
        .on("data", (chunk) => (body += String(chunk)))
        .on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(`[${body}]`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = (path: string, allowed = true) =>
    askBackEnd(
      {
        ...{ method: "POST", url: `http://10.20.0.5:${port}${path}`, headers: {}, body: "1" },
        ...{ timeoutMs: 300, verifies: false },
      },
      () => (allowed ? { allowed: true } : { allowed: false, reason: "no egress rule" }),
    );

  test("reaches what listens on this computer", async () => {
    expect(await ask("/")).toEqual({ status: 200, contentType: "application/json", body: "[1]" });
  });
  test("goes where a security group lets it", async () => {
    await expect(ask("/", false)).rejects.toThrow("no egress rule");
  });
  test("has a limit of time", async () => {
    await expect(ask("/silent")).rejects.toThrow("no answer within 300 ms");
  });
});
