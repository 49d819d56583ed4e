/** The pack as the real engine runs it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policies } from "../../policies/policies";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import type { Head } from "@emqx-aws/cli/test/review/harness";
import { withNothing } from "@emqx-aws/cli/test/review/harness";

interface PolicyEvents {
  violations: { policyName: string; message: string; resourceUrn?: string }[];
  /** Policies that looked at something. */
  ran: Set<string>;
}

const pack = join(repositoryRoot, "policies");

async function run(head: Head): Promise<PolicyEvents> {
  const folder = mkdtempSync(join(tmpdir(), "emqx-aws-policies-"));
  try {
    const log = join(folder, "events");
    await withNothing((bench) => bench.preview(head, "--policy-pack", pack, "--event-log", log));
    const events = (existsSync(log) ? readFileSync(log, "utf8") : "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>);
    return {
      violations: events.flatMap(({ policyEvent }) => (policyEvent ? [policyEvent as never] : [])),
      ran: new Set(
        events
          .flatMap((event) => [event.policyAnalyzeSummaryEvent, event.policyAnalyzeStackSummaryEvent])
          .flatMap((summary) => [summary?.passed ?? [], summary?.failed ?? []].flat() as string[]),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the components meet every policy", async () => {
  const { violations, ran } = await run({});
  expect(violations).toEqual([]);
  expect([...ran].sort()).toEqual(policies.map(({ name }) => name).sort());
}, 200_000);

test("a program that breaks them is stopped, and told by which resource", async () => {
  const { violations } = await run({
    settings: { classicElb: { tlsPolicy: "ELBSecurityPolicy-TLS-1-1-2017-01" } },
    patches: [
      [
        "components/access/emqxSecurityGroup.ts",
        "referencedSecurityGroupId: nodes.id,\n    });\n  }\n}\n\nfunction admitAdministrators",
        'cidrIpv4: "0.0.0.0/0",\n    });\n  }\n}\n\nfunction admitAdministrators',
      ],
      ["components/nodes/emqxClusterNodes.ts", "encrypted: true", "encrypted: false"],
    ],
  });
  const seen = new Set(
    violations.map(({ policyName, resourceUrn = "" }) => `${policyName} ${resourceUrn.split("::").at(-1)}`),
  );
  expect([...seen].sort()).toEqual(
    expect.arrayContaining([
      "cluster-ports-from-nodes-only emqx-sg-nodes-from-nodes-4369",
      "disks-encrypted emqx-nodes-0",
      "disks-encrypted emqx-nodes-0-data",
      "tls-1-2-at-least emqx-elb-tls",
    ]),
  );
}, 200_000);
