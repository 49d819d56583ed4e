import { row } from "./text";

/** Fits a report into a size: what comes first is kept, long lists are cut honestly, with the number left out. */
export interface Block {
  head: string[];
  /** Kept from the first on, as far as they fit. */
  items: string[];
  tail: string[];
  /** What to say in the place of the rest. */
  more: (left: number) => string;
  /** Smaller ones get room first. */
  priority: number;
}

export function fixed(...lines: string[]): Block {
  return { head: lines, items: [], tail: [], more: () => "", priority: 0 };
}

export function bullets(heading: string, items: string[], priority: number): Block {
  const more = (left: number) => `- … and ${left} more.`;
  return { head: ["", `### ${heading}`, ""], items, tail: [], more, priority };
}

/** A column whose name begins with `>` has numbers. */
export function table(
  head: string[],
  columns: string[],
  items: string[],
  priority: number,
  tail: string[] = [],
): Block {
  const names = columns.map((name) => name.replace(/^>/, ""));
  const rules = columns.map((name) => (name.startsWith(">") ? "---:" : "---"));
  // The first column may be one of marks.
  const before = names[0] === "" ? [""] : [];
  return {
    head: ["", ...head, "", row(...names), row(...rules)],
    items,
    tail,
    more: (left) => row(...before, `… and ${left} more`, ...names.slice(before.length + 1).map(() => "")),
    priority,
  };
}

/** Every block gets this much of its items before any gets more. */
const fairShare = 4_000;

/** The blocks as one text of at most `limit` bytes, which are never fewer than characters. */
export function fitted(blocks: Block[], limit: number): string {
  const taken = blocks.map(() => 0);
  let room = limit - blocks.reduce((sum, block) => sum + frameSize(block), 0);
  const order = blocks.map((_, i) => i).sort((a, b) => blocks[a]!.priority - blocks[b]!.priority || a - b);
  for (const share of [fairShare, Infinity]) {
    for (const i of order) {
      const block = blocks[i]!;
      let used = 0;
      for (let next = taken[i]!; next < block.items.length; next++) {
        const size = sizeOf(block.items[next]!);
        if (size > room || used + size > share) break;
        room -= size;
        used += size;
        taken[i] = next + 1;
      }
    }
  }
  return blocks.flatMap((block, i) => rendered(block, taken[i]!)).join("\n");
}

function frameSize(block: Block): number {
  const reserve = block.items.length > 0 ? sizeOf(block.more(block.items.length)) : 0;
  return [...block.head, ...block.tail].reduce((sum, line) => sum + sizeOf(line), 0) + reserve;
}

function sizeOf(line: string): number {
  return Buffer.byteLength(line) + 1;
}

function rendered({ head, items, tail, more }: Block, count: number): string[] {
  const left = items.length - count;
  return [...head, ...items.slice(0, count), ...(left > 0 ? [more(left)] : []), ...tail];
}
