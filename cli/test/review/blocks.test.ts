import * as fc from "fast-check";
import type { Block } from "../../review/report/blocks";
import { fitted } from "../../review/report/blocks";

const line = fc.string({ unit: "grapheme", maxLength: 300 });
const block = fc.record({
  head: fc.array(line, { maxLength: 3 }),
  items: fc.array(line, { maxLength: 60 }),
  tail: fc.array(line, { maxLength: 2 }),
  more: fc.constant((left: number) => `… and ${left} more`),
  priority: fc.integer({ min: 0, max: 6 }),
});

const frame = (blocks: Block[]) =>
  Buffer.byteLength(
    fitted(
      blocks.map((b) => ({ ...b, items: [] })),
      Infinity,
    ),
  );

test("a report is never longer than its limit, if its frame fits, and says how much it leaves out", () => {
  fc.assert(
    fc.property(
      fc.array(block, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 0, max: 20_000 }),
      (blocks, room) => {
        const limit = frame(blocks) + blocks.length * 30 + room;
        const text = fitted(blocks, limit);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
        const complete = fitted(blocks, Infinity);
        const isShortened = blocks.some((b, i) => b.items.length > 0 && text !== complete && i >= 0);
        expect(text === complete || (isShortened && /… and \d+ more/.test(text))).toBe(true);
      },
    ),
  );
});

test("what fits is shown whole", () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 8 }), (blocks) => {
      const whole = fitted(blocks, Infinity);
      expect(fitted(blocks, Buffer.byteLength(whole) + 1 + blocks.length * 30)).toBe(whole);
    }),
  );
});
