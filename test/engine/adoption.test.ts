/** What becomes of creations that were interrupted: which resource it was, and how it gets into the state. No CLI is run. */
import * as fc from "fast-check";
import { EmqxDeployment } from "../../components";
import {
  inOrder,
  needsOf,
  withCreated,
  type ExportedDeployment,
  type ExportedResource,
} from "../../cli/local/adoption";
import { findOrphans } from "../../cli/local/orphans";
import type { PendingOperation } from "../../cli/local/stacks";
import type { ShownResource } from "../../simulator/client";
import { inAws, run } from "../support";

/** What the engine checks before it works with a state (pulumi/pulumi:pkg/resource/deploy/snapshot.go, VerifyIntegrity). */
function problemsOf({ resources }: ExportedDeployment): string[] {
  const seen = new Set<string>();
  return (resources ?? []).flatMap((resource) => {
    const missing = needsOf(resource).filter((urn) => !seen.has(urn));
    const isDouble = resource.delete !== true && seen.has(resource.urn);
    seen.add(resource.urn);
    return [
      ...missing.map((urn) => `${resource.urn} comes before ${urn}, which it needs`),
      ...(isDouble ? [`duplicate ${resource.urn}`] : []),
    ];
  });
}

/** Resources that need some of those before them. */
const states = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 12 }).map((needs) =>
  needs.map((picks, i): ExportedResource => {
    const dependencies = i === 0 ? [] : [...new Set(picks.map((pick) => `urn:${pick % i}`))];
    return { urn: `urn:${i}`, id: `id-${i}`, inputs: { n: i }, dependencies };
  }),
);

test("a creation that was interrupted leaves a state in order, once, whatever was there under its name", () => {
  const before = fc.constantFrom("nothing", "deleted for it", "replaced by it", "both");
  fc.assert(
    fc.property(states, fc.nat(), before, fc.nat(), (resources, pick, there, late) => {
      const at = pick % resources.length;
      const { id, ...created } = resources[at]!;
      // What needs it comes later, or is deleted with it; a new one may need what the old one did not.
      const needed = resources.filter((one, i) => i !== at && !needsOf(one).includes(created.urn));
      const latest = needed[late % Math.max(1, needed.length)];
      const fresh: ExportedResource[] =
        latest && !dependsOn(resources, latest.urn, created.urn) ? [{ urn: "urn:new", id: "id-new" }] : [];
      const resource = {
        ...created,
        dependencies: [...created.dependencies!, ...fresh.map(({ urn }) => urn)],
      };
      const old = { ...resources[at]!, pendingReplacement: there === "deleted for it" || there === "both" };
      const gone = { ...resources[at]!, id: "id-gone", delete: true };
      const rest = resources.flatMap((one, i) => (i === at ? (there === "nothing" ? [] : [old]) : [one]));
      const present =
        there === "nothing" ? rest.filter((one) => !needsTransitively(resources, one, created.urn)) : rest;
      const deployment = {
        resources: [...present, ...fresh, ...(there === "both" ? [gone] : [])],
        pending_operations: [
          { type: "creating", resource },
          { type: "updating", resource: { urn: "urn:other" } },
        ],
      };
      const repaired = withCreated(deployment, new Map([[created.urn, "id-made"]]));
      expect(problemsOf(repaired)).toEqual([]);
      const same = repaired.resources!.filter(({ urn }) => urn === created.urn);
      expect(same.filter((one) => one.delete !== true).map((one) => one.id)).toEqual(["id-made"]);
      // Nothing is lost: what it replaces is still to be deleted, and what was, too.
      const going = same.filter((one) => one.delete === true).map((one) => one.id);
      expect(going).toEqual(
        { nothing: [], "deleted for it": [], "replaced by it": [id], both: ["id-gone"] }[there],
      );
      expect(repaired.pending_operations).toEqual([{ type: "updating", resource: { urn: "urn:other" } }]);
    }),
  );
});

function needsTransitively(all: ExportedResource[], one: ExportedResource, urn: string): boolean {
  return needsOf(one).some((need) => need === urn || dependsOn(all, need, urn));
}

function dependsOn(all: ExportedResource[], from: string, urn: string): boolean {
  const resource = all.find((one) => one.urn === from);
  return from === urn || (resource !== undefined && needsTransitively(all, resource, urn));
}

test("an order that is right stays as it is", () => {
  fc.assert(fc.property(states, (resources) => expect(inOrder(resources)).toEqual(resources)));
});

describe("of every kind of resource that the program makes", () => {
  let region: ShownResource[];
  let pending: { operation: PendingOperation; id: string }[];
  beforeAll(async () => {
    const mocks = await run(
      () =>
        new EmqxDeployment("emqx", {
          availabilityZones: ["eu-west-1a", "eu-west-1b"],
          selfSignedCertificate: true,
          monitoring: true,
          backup: true,
        }),
    );
    region = mocks.account
      .all()
      .filter(({ implicit }) => implicit !== true)
      .map((stored) => ({ ...stored, attributes: mocks.cloud.outputs(stored) }) as ShownResource);
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
      expect([one.operation.urn, findOrphans([one.operation], region, others)]).toEqual([
        one.operation.urn,
        [[one.operation.urn, one.id]],
      ]);
      const without = region.filter(({ type, id }) => type !== one.operation.resourceType || id !== one.id);
      expect(findOrphans([one.operation], without, others)).toEqual([]);
    }
  });

  test("all at once, each is its own", () => {
    const operations = pending.map(({ operation }) => operation);
    const found = new Map(findOrphans(operations, region, []));
    expect(operations.filter(({ urn }) => !found.has(urn)).map(({ urn }) => urn)).toEqual([]);
    expect(new Set(found.values()).size).toBe(new Set(pending.map(({ id }) => id)).size);
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
});
