import * as fc from "fast-check";
import { types } from "../../review/types";
import { replace, reviewed, same, urnOf, type Resource } from "./previews";

const instance = (i: number): Resource => ({ type: types.instance, name: `n-${i}`, dependencies: [] });

/** Nodes in batches, whose volumes are attached after those of the batch before. */
function nodes(count: number, batch: number, changed: (i: number) => boolean) {
  return Array.from({ length: count }, (_, i) => {
    const first = Math.floor(i / batch) * batch;
    const earlier = Array.from({ length: Math.min(batch, first) }, (__, k) => first - batch + k);
    const attachment: Resource = {
      type: types.volumeAttachment,
      name: `n-${i}-data`,
      dependencies: [
        urnOf(types.instance, `n-${i}`),
        ...earlier.map((k) => urnOf(types.volumeAttachment, `n-${k}-data`)),
      ],
    };
    return changed(i) ? [replace(instance(i)), replace(attachment)] : [same(instance(i)), same(attachment)];
  }).flat();
}

test("as many nodes restart at once as a batch has, in as many turns as there are batches", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), (count, batch) => {
      const { rollout } = reviewed(...nodes(count, batch, () => true));
      expect(rollout).toMatchObject({
        atOnce: Math.min(count, batch),
        turns: Math.ceil(count / batch),
        total: count,
      });
    }),
  );
});

test("a node that stays between two that restart keeps them in order", () => {
  const { rollout } = reviewed(...nodes(3, 1, (i) => i !== 1));
  expect(rollout).toMatchObject({ atOnce: 1, turns: 2 });
});

test("nodes that do not depend on each other restart at once", () => {
  const review = reviewed(...[0, 1, 2].map((i) => replace(instance(i))));
  expect(review.rollout.atOnce).toBe(3);
  expect(review.level).toBe("interrupts-service");
  expect(review.gates).toContain("parallel-restart");
});

test("a chain of a thousand nodes is followed to its end", () => {
  expect(reviewed(...nodes(1000, 1, () => true)).rollout).toMatchObject({ atOnce: 1, turns: 1000 });
});
