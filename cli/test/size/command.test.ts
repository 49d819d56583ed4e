/** `size` as it is typed, and the page that shows it. */
import { renderConfiguration } from "../../../components/emqx/configuration";
import { ClusterPorts } from "../../../components/emqx/releases";
import { programOf } from "../../command";
import { speaker } from "../../console";
import { surroundingsOf } from "../../local/surroundings";
import { sizeCommand } from "../../size/command";
import { published } from "../../size/numbers";
import { expectBlock, expectCell, firstCells } from "../../../test/docs";

const page = "docs/sizing.md";

async function typed(words: string): Promise<string> {
  const session = { surroundings: surroundingsOf("/nowhere"), env: {}, speaker: speaker() };
  const program = programOf([sizeCommand], session).exitOverride();
  program.configureOutput({ writeErr: () => undefined });
  program.commands.forEach((command) => command.copyInheritedSettings(program));
  let printed = "";
  const write = jest.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  try {
    await program.parseAsync(["size", ...words.split(" ").filter((word) => word !== "")], { from: "user" });
  } finally {
    write.mockRestore();
  }
  return printed.trimEnd();
}

const million = "--connections 1000000 --rate 20000";

test("the page shows what the command prints", async () => {
  expectBlock(page, `npm run size -- ${million}`, await typed(million));
});

test.each(firstCells(page, "`-c "))("the page's table: %s", async (cell) => {
  const [, nodes] = /^Proposal: (.*?) \(/m.exec(await typed(cell.replaceAll("`", ""))) ?? [];
  expectCell(page, cell, nodes ?? "");
});

test("the table has rows", () => {
  expect(firstCells(page, "`-c ").length).toBeGreaterThanOrEqual(8);
});

test("what is printed for machines has the proposal, its settings and all that it rests on", async () => {
  const json = JSON.parse(await typed(`${million} --json`)) as Record<string, unknown>;
  expect(json).toMatchObject({
    version: 1,
    input: { connections: 1_000_000, rate: 20_000, keepAliveSeconds: 300, tls: true, qos: 1 },
    proposal: { nodes: 3, machine: { type: "m7g.2xlarge" }, dataVolumeSizeGiB: 20 },
    settings: {
      nodeCount: 3,
      instance: { type: "m7g.2xlarge" },
      keepAliveSeconds: 300,
      listeners: ["Mqtts"],
    },
    assumed: { memoryPerConnectionKiB: 40 },
  });
});

test.each<[string, string | RegExp]>([
  ["--no-tls", "  emqx-aws:listeners: [Mqtt]\n"],
  ["--no-tls", "no TLS"],
  ["--tls", "  emqx-aws:listeners: [Mqtts]\n"],
  ["--keep-alive 60", "  emqx-aws:keepAliveSeconds: 60\n"],
  ["--keep-alive 60", /idle timeout +1\.5 × 60 s \+ 30 s, at most 3,600 s +120 s/],
  ["--payload 1024 --qos 2", "of 1,024 bytes and QoS 2"],
  ["--payload 4096", /of QoS 1, a vCPU does +10,000 × 0\.5 × 0\.84 +4,179\/s/],
  ["--fan-out 5", /messages, in and out +1,000 × \(1 \+ 5\) +6,000\/s/],
  ["--retained 10000000", "  emqx-aws:dataVolume: {sizeGiB: 40}\n"],
  ["--users 10000000", /retained messages and users +0 × .* \+ 10,000,000 × 512 bytes +4\.77 GiB/],
  ["--nodes 5 --instance-type m5.xlarge", "Proposal: 5 × m5.xlarge (4 vCPU, 16 GiB)"],
  ["--region us-east-1", "Prices of us-east-1:"],
  ["--region ap-south-1", "No prices of ap-south-1 are known here."],
  [
    "--assume memoryPerConnectionKiB=1000",
    "  [memoryPerConnectionKiB] 1,000 KiB a connection: set by --assume; otherwise 40\n",
  ],
  [
    "--assume loadBalancerAddresses=9 --assume portsPerAddress=2000",
    /load balancer's source ports +278 % +25 of 9 addresses +BREAKS FIRST/,
  ],
])("size -c 100000 -r 1000 %s", async (options, expected) => {
  expect(`${await typed(`-c 100,000 -r 1000 ${options}`)}\n`).toMatch(
    typeof expected === "string" ? new RegExp(expected.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : expected,
  );
});

test.each([
  ["-r 5", "required option '-c, --connections <number>' not specified"],
  ["-c 5", "required option '-r, --rate <number>' not specified"],
  ["-c many -r 5", "argument 'many' is invalid. a number is needed"],
  ["-c 5 -r 5 --assume =5", "write name=value, like memoryPerConnectionKiB=60"],
  ["-c 5 -r 5 --assume memoryPercent", "a number is needed"],
  [
    "-c 0 -r 5 --nodes 2",
    "--connections: 0 is not a whole number from 1 to 10,000,000\n--nodes: 2 is not an odd number",
  ],
  ["-c 1000000 -r 5 --instance-type t4g.small", "19 × t4g.small cannot carry it while one is down"],
])("size %s is refused", async (words, message) => {
  await expect(typed(words)).rejects.toThrow(message);
});

test("the listener's limit is the one that the components set", () => {
  const configuration = renderConfiguration({
    privateIp: "192.168.0.10",
    seeds: ["192.168.0.10"],
    version: "5.8.9",
    clusterPorts: ClusterPorts.Documented,
    listeners: { ws: false },
    proxyProtocol: false,
    anonymousAccess: false,
    hasLicense: false,
    clusterName: "emqxcl",
  });
  expect(configuration).toContain(`max_connections = ${published.maxConnections.value}\n`);
  expect(configuration).toContain(`max_ports = ${published.maxPorts.value}\n`);
});
