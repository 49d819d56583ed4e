/** Which resources interrupted creations made. No CLI is run. */
import { EmqxDeployment } from "../../components";
import { findOrphans } from "@emqx-aws/cli/local/orphans";
import type { PendingOperation } from "@emqx-aws/cli/local/stacks";
import type { ShownResource } from "@emqx-aws/simulator/client";
import { inAws, run } from "../support";

const began = new Date(0);

describe("of every kind of resource that the program makes", () => {
  let region: ShownResource[];
  let pending: { operation: PendingOperation; id: string }[];
  beforeAll(async () => {
    const mocks = await run(
      () =>
        new EmqxDeployment("emqx", {
          availabilityZones: ["eu-west-1a", "eu-west-1b"],
          certificate: { selfSigned: {} },
          monitoring: {},
          backup: {},
        }),
    );
    region = mocks.account
      .all()
      .filter(({ implicit }) => implicit !== true)
      .map((stored) => ({ ...stored, attributes: mocks.cloud.outputs(stored) }));
    pending = inAws(mocks).map(({ type, name, inputs, id }) => ({
      operation: { type: "creating", urn: `urn:pulumi:s::p::${type}::${name}`, resourceType: type, inputs },
      id: id!,
    }));
  }, 120_000);

  const owner = (others: typeof pending) => ({
    resources: others.map(({ operation, id }) => ({ urn: operation.urn, type: operation.resourceType, id })),
    pendingOperations: [],
    outputs: {},
  });

  test("the one that was created is found, and none where none was", () => {
    expect(new Set(pending.map(({ operation }) => operation.resourceType)).size).toBeGreaterThan(20);
    for (const one of pending) {
      const others = [owner(pending.filter((other) => other !== one))];
      const found = findOrphans([one.operation], region, others, began);
      expect(found).toEqual([[one.operation.urn, expect.objectContaining({ id: one.id })]]);
      const without = region.filter(({ type, id }) => type !== one.operation.resourceType || id !== one.id);
      expect(findOrphans([one.operation], without, others, began)).toEqual([]);
    }
  });

  test("all at once, each is its own", () => {
    const operations = pending.map(({ operation }) => operation);
    const found = new Map(findOrphans(operations, region, [], began));
    expect(operations.filter(({ urn }) => !found.has(urn)).map(({ urn }) => urn)).toEqual([]);
    expect(new Set([...found.values()].map(({ id }) => id)).size).toBe(
      new Set(pending.map(({ id }) => id)).size,
    );
  });

  test("what was there before the interrupted command began is not what it created", () => {
    const later = new Date(Date.now() + 3_600_000);
    expect(
      findOrphans(
        pending.map(({ operation }) => operation),
        region,
        [],
        later,
      ),
    ).toEqual([]);
  });

  test("where nobody knows when it began, only what has a name of its own is", () => {
    const operations = pending.map(({ operation }) => operation);
    const found = findOrphans(operations, region, [], undefined).map(([, { type }]) => type);
    expect(found).toContain("aws:ssm/parameter:Parameter");
    expect(found).not.toContain("aws:ebs/volume:Volume");
    expect(found).not.toContain("aws:ec2/instance:Instance");
  });
});
