/** `cost` as it is typed: the real program of every stack, and the page that shows it. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Estimate } from "../../cost/estimate";
import { stackResources } from "../../cost/stackResources";
import { formatComparison, formatEstimate } from "../../cost/format";
import { repositoryRoot } from "../../repository";
import { expectBlock } from "../../../test/docs";

function typed(args: string[], repository = repositoryRoot) {
  return spawnSync(process.execPath, [join(repository, "cli", "bin", "emqx-aws.mjs"), "cost", ...args], {
    cwd: repository,
    encoding: "utf8",
  });
}

/** Milliseconds, for a busy machine. */
const patience = 120_000;

let estimates: Map<string, Estimate>;

beforeAll(() => {
  const { stdout } = typed(["--json"]);
  const { stacks } = JSON.parse(stdout) as { stacks: Record<string, Estimate> };
  estimates = new Map(Object.entries(stacks));
}, patience);

test("the page shows what the command prints", () => {
  expectBlock("docs/cost.md", "npm run cost", formatComparison(estimates));
});

test("the README has the same sums", () => {
  const readme = readFileSync(join(repositoryRoot, "README.md"), "utf8");
  for (const stack of ["dev", "guide", "prod"]) {
    expect(readme).toContain(`\`${stack}\` ${Math.round(estimates.get(stack)!.total)}`);
  }
});

test("every stack is estimated, with its own region's prices, and nothing is left undecided", () => {
  expect([...estimates.keys()]).toEqual(["dev", "guide", "local", "prod"]);
  for (const { areOwnPrices, undecided, lines, total } of estimates.values()) {
    expect({ areOwnPrices, undecided }).toEqual({ areOwnPrices: true, undecided: [] });
    expect(lines.every(({ monthly }) => monthly !== undefined)).toBe(true);
    expect(total).toBeGreaterThan(50);
  }
});

test(
  "one stack, line by line",
  () => {
    const { stdout } = typed(["--stack", "dev"]);
    expect(stdout.trimEnd()).toBe(formatEstimate("dev", estimates.get("dev")!));
    expect(stdout).toMatch(/^NAT gateway +1 +× 35\.04 +35$/m);
  },
  patience,
);

test("a stack that does not exist is refused", async () => {
  await expect(stackResources(repositoryRoot, "nowhere")).rejects.toThrow(
    /^--stack nowhere: there is no .*Pulumi\.nowhere\.yaml$/,
  );
});

describe("a program that is not as it is here", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "emqx-aws-cost-"));
    const parts = ["components", "stacks", "cli", "simulator", "index.ts", "Pulumi.yaml", "package.json"];
    for (const part of [...parts, "tsconfig.json"]) {
      cpSync(join(repositoryRoot, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(repositoryRoot, "node_modules"), join(folder, "node_modules"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const settings = (text: string) =>
    writeFileSync(
      join(folder, "stacks", "Pulumi.mine.yaml"),
      `config:\n  aws:region: us-east-1\n  emqx-aws:availabilityZones: [us-east-1a]\n${text}`,
    );

  test(
    "what it makes beside the deployment is counted too",
    () => {
      settings("  emqx-aws:certificate: {selfSigned: {}}\n");
      writeFileSync(
        join(folder, "index.ts"),
        `import * as ec2 from "@pulumi/aws/ec2";\nnew ec2.Eip("mine", { domain: "vpc" });\n`,
      );
      const { stdout } = typed(["-s", "mine"], folder);
      expect(stdout).toMatch(/^public IPv4 address +1 +× 3\.65 +4$/m);
      expect(stdout).not.toContain("instance");
      expect(stdout).toContain("Prices of us-east-1:");
    },
    patience,
  );

  test(
    "what its settings name outside of the stack needs not exist, and secrets need no key",
    () => {
      settings(
        [
          "  emqx-aws:certificate: {arn: arn:aws:acm:us-east-1:123456789012:certificate/00000000-3c1a-4b7e-9d55-2b8f4f6a1c01}",
          "  emqx-aws:kmsKeyId: arn:aws:kms:us-east-1:123456789012:key/00000000-7c9e-4a2b-8d6f-1e3c5a7b9d0f",
          "  emqx-aws:licenseKey: {secure: AAABAAcipher}",
          "  emqx-aws:classicElb: {accessLogs: {bucket: my-logs}}",
          "  emqx-aws:existingVpc:",
          "    vpcId: vpc-0123456789abcdef0",
          "    publicSubnetIds: [subnet-0123456789abcdef0]",
          "    privateSubnetIds: [subnet-0123456789abcdef1]",
          "",
        ].join("\n"),
      );
      const { stdout, status } = typed(["-s", "mine"], folder);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^instance m7g\.large +3 +× 59\.57 +179$/m);
    },
    patience,
  );

  test(
    "settings that it refuses are told in its own words",
    () => {
      settings("  emqx-aws:nodeCount: 0\n");
      const { stdout, stderr, status } = typed(["-s", "mine"], folder);
      expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
      expect(stderr).toContain("nodeCount: 0 is not a whole number of nodes from 1 to 100");
      expect(stderr).not.toContain("at ");
    },
    patience,
  );
});
