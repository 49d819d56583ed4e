/** TLS that ends at EMQX, behind a load balancer that hands TCP on: clients' certificates, and a renewal while clients are there. */
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import type { IClientOptions } from "mqtt";
import { testWith } from "../../../test/components/emqx/tools";
import { issue, type Issuer } from "../../x509";
import { prefix, rule, TestRegion } from "./testRegion";

interface Made extends Issuer {
  pem: string;
  keyPem: string;
}

let serial = 1;
async function make(name: string, issuer?: Issuer, dnsNames: string[] = []): Promise<Made> {
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const day = 86_400_000;
  const certificatePem = await issue({
    key,
    ...(issuer && { issuer }),
    serial: String(serial++).padStart(4, "0"),
    subject: name === "" ? [{ O: ["nameless"] }] : [{ CN: [name] }],
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
    dnsNames,
    ca: issuer === undefined,
    keyUsages: issuer === undefined ? [5, 6] : [0],
    extendedUsages: [],
    subjectKeyId: true,
  });
  const keyPem = String(key.export({ type: "pkcs8", format: "pem" }));
  return { key, certificatePem, keyPem, pem: certificatePem + keyPem };
}

const host = "mqtt.example.org";
const acl = [
  `{allow, {user, "device-1"}, all, ["t"]}.`,
  `{allow, {user, "sensor-1"}, all, ["sensors/sensor-1"]}.`,
  `{deny, all}.\n`,
].join("\n");
let region: TestRegion;
let [operator, fleet, other, first, second]: Made[] = [];
let versions = 1;

beforeAll(async () => {
  [operator, fleet, other] = await Promise.all(["operator", "fleet", "other"].map((name) => make(name)));
  [first, second] = await Promise.all([
    make("first", operator, [host, "localhost"]),
    make("second", operator, [host]),
  ]);
  region = await TestRegion.start({
    nodes: 1,
    userData: (args) => ({
      ...args,
      listeners: { ws: false, ssl: true, wss: true },
      tls: { clientCertificates: true, commonNames: true },
      proxyProtocol: true,
      extraConfig: `authorization.sources = [{ type = file, path = "/etc/emqx-node/acl.conf" }]`,
    }),
    prepare: (test) => {
      const [elb, nodes] = [test.group("elb"), test.group("nodes")];
      for (const port of [8883, 8084]) {
        elb.egress.push(rule(port, "sg-nodes"));
        nodes.ingress.push(rule(port, "sg-elb"));
      }
      test.loadBalancer.listeners = [1883, 8883, 8084].map((port) => ({
        loadBalancerPort: port,
        protocol: "TCP",
        instancePort: port,
        instanceProtocol: "TCP",
      }));
      test.loadBalancer.proxyProtocolPorts = [1883, 8883, 8084];
      test.parameters.set(`${prefix}/nodes/0/applied`, "never");
      test.parameters.set(`${prefix}/acl`, acl);
      given(test, { "node-certificate": first!.pem, "client-authorities": fleet!.certificatePem });
    },
  });
  await region.allReady();
});
afterAll(() => region?.stop());

/** As `pulumi up` changes the parameters. */
function given(test: TestRegion, texts: Record<string, string>): void {
  for (const [name, text] of Object.entries(texts)) test.parameters.set(`${prefix}/${name}`, text);
  const name = `${prefix}/cluster`;
  const [rest] = test.parameters.get(name)!.split("VERSIONS");
  versions += 1;
  test.parameters.set(
    name,
    `${rest}VERSIONS='acl=1 node-certificate=${versions} client-authorities=${versions}'\n`,
  );
  test.role.versions.set(name, versions);
}

function device(certificate: Made | undefined, scheme: "mqtts" | "wss" = "mqtts", more: IClientOptions = {}) {
  const own = certificate && { cert: certificate.certificatePem, key: certificate.keyPem };
  const tls = { ca: operator!.certificatePem, servername: host, ...own };
  return region.client(scheme, {
    ...tls,
    wsOptions: tls,
    username: "anybody",
    password: "",
    protocolVersion: 5,
    ...more,
  });
}
const sync = () => region.plane.operate(region.instance(0).id, "sync", []);

test.each(["mqtts", "wss"] as const)(
  "%s: a certificate of the authority lets in, by its name",
  async (scheme) => {
    const [one, two] = [await make("device-1", fleet), await make("device-2", fleet)];
    const client = await device(one, scheme);
    await client.publishAsync("t", "x", { qos: 1 });
    await expect((await device(two, scheme)).publishAsync("t", "x", { qos: 1 })).rejects.toThrow(
      /authorized/i,
    );
    if (scheme === "mqtts") expect((client.stream as TLSSocket).getProtocol()).toBe("TLSv1.3");
  },
);

test("without one, or with that of another authority, nobody gets in; a password still counts where no TLS is", async () => {
  await expect(device(undefined)).rejects.toThrow();
  await expect(device(await make("device-1", other))).rejects.toThrow();
  expect(region.console(0)).toMatch(/listener ssl:default: TLS handshake failed/);
  await region.client("mqtt");
  await expect(region.client("mqtt", { password: "wrong" })).rejects.toMatchObject({ code: 4 });
});

test("a certificate without a common name says who it is by itself, as EMQX has it", async () => {
  const nameless = await make("", fleet);
  const client = await device(nameless, "mqtts", { username: "device-1" });
  await client.publishAsync("t", "x", { qos: 1 });
});

test("certificate and authorities are renewed under clients, who stay", async () => {
  const one = await make("device-1", fleet);
  const client = await device(one);
  const issuedTo = async (certificate: Made) =>
    ((await device(certificate)).stream as TLSSocket).getPeerCertificate().subject.CN;
  expect(await issuedTo(one)).toBe("first");
  given(region, {
    "node-certificate": second!.pem,
    "client-authorities": fleet!.certificatePem + other!.certificatePem,
  });
  expect((await sync()).lines.join("\n")).toMatch(
    /taking up tls\.pem[^]*taking up clients\.pem[^]*letting EMQX read its certificates again/,
  );
  const two = await make("device-1", other);
  expect(await issuedTo(one)).toBe("second");
  expect(await issuedTo(two)).toBe("second");
  given(region, { "client-authorities": other!.certificatePem });
  await sync();
  await expect(device(one)).rejects.toThrow();
  expect(await issuedTo(two)).toBe("second");
  expect(client.connected).toBe(true);
  expect(region.parameters.get(`${prefix}/nodes/0/applied`)).toContain(`node-certificate=${versions}`);
  const file = (path: string) => region.plane.files(region.instance(0).id)!.get(path)!;
  expect(file("/etc/emqx-node/tls.pem")).toMatchObject({ owner: "root:emqx", mode: 0o640 });
});

test("what no handshake can be made with cuts nobody, and lets nobody in until it is mended", async () => {
  const two = await make("device-1", other);
  const client = await device(two);
  given(region, { "node-certificate": first!.certificatePem });
  expect((await sync()).lines.join("\n")).toMatch(/node-certificate: it holds no certificate and key in PEM/);
  given(region, { "node-certificate": first!.certificatePem + second!.keyPem });
  await sync();
  await expect(device(two)).rejects.toThrow();
  expect(client.connected).toBe(true);
  given(region, { "node-certificate": first!.pem });
  await sync();
  await device(two);
});

test("a certificate in a parameter of one's own is looked at now and then", async () => {
  const own = "/tls/mqtt";
  region.parameters.set(own, second!.pem);
  const name = `${prefix}/cluster`;
  region.parameters.set(name, `${region.parameters.get(name)}CERTIFICATE_PARAMETER='${own}'\n`);
  region.role.versions.set(name, ++versions);
  await sync();
  const client = await device(await make("device-1", other));
  expect((client.stream as TLSSocket).getPeerCertificate().subject.CN).toBe("second");
  region.parameters.delete(own);
  expect((await sync()).exitCode).toBe(0);
});

testWith("mosquitto_pub")("the commands of docs/device-certificates.md do what it says", async () => {
  given(region, { "node-certificate": first!.pem });
  const folder = mkdtempSync(join(tmpdir(), "devices-"));
  const [listener, authorities] = [region.port(8883), join(folder, "authorities")];
  writeFileSync(join(folder, "operator.pem"), operator!.certificatePem);
  writeFileSync(
    join(folder, "words"),
    `set -e
pulumi() {
  case "$*" in
    *clientCertificateAuthorities) cat >${authorities} ;;
    *caCertificatePem) cat operator.pem ;;
    *loadBalancerDnsName) echo localhost ;;
  esac
}
mosquitto_pub() { command mosquitto_pub -q 1 -V mqttv5 "\${@/#8883/${listener}}"; }
HOST=localhost
`,
  );
  const page = readFileSync("docs/device-certificates.md", "utf8");
  const blocks = [...page.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, text]) => text!);
  try {
    for (const text of blocks.filter((block) => !/^aws /.test(block))) {
      // As `set -e` has it, `!` alone ends nothing.
      const checked = text.replace(/^! (.*)$/gm, "if $1; then exit 9; fi");
      await promisify(execFile)("bash", ["-c", `. ./words\n${checked}`], { cwd: folder });
      if (/pulumi up/.test(text)) {
        given(region, { "client-authorities": readFileSync(authorities, "utf8") });
        await sync();
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
