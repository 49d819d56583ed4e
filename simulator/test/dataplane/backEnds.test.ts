/** A service of the user's own beside EMQX's users: asked by the node, where its security group lets it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { rule, TestRegion } from "./testRegion";

let server: Server;
let region: TestRegion;
const asked: Record<string, string>[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
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
    nodes: 1,
    userData: (args) => ({
      ...args,
      extraConfig: `authentication = [
        { mechanism = password_based, backend = built_in_database }
        { mechanism = password_based, backend = http, method = post, url = "http://10.20.0.5:${port}/mqtt"
          headers { content-type = "application/json" }, body { username = "\${username}", password = "\${password}" } }
      ]`,
    }),
    prepare: (test) => void test.group("nodes").egress.push(rule(port, "10.20.0.0/16")),
  });
  await region.allReady();
});
afterAll(async () => {
  await region?.stop();
  server.close();
});

const comes = (username: string) =>
  region.client("mqtt", { username, password: "its-own" }).then(
    () => "in",
    (error: { code?: number }) => error.code,
  );

test("it decides about whom EMQX does not know", async () => {
  expect(await comes("known")).toBe("in");
  expect(await comes("stranger")).toBe(5);
  expect(asked).toEqual(["known", "stranger"].map((username) => ({ username, password: "its-own" })));
});

test("without a rule for it nobody gets in by it, and the node says why", async () => {
  await region.change(() => void region.group("nodes").egress.pop());
  expect(await comes("known")).toBe(5);
  expect(asked).toHaveLength(2);
  expect(region.console(0)).toMatch(/authentication http: 10\.20\.0\.5:\d+: no egress rule of sg-/);
});
