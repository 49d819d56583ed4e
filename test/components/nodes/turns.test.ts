import * as fc from "fast-check";
import { standingOf, type Standing } from "../../../components/nodes/reports";
import { turnsOf } from "../../../components/nodes/turns";

const standings = fc.array(fc.constantFrom<Standing>("new", "down", "serving"), { maxLength: 100 });

test("every node has one turn, and none takes more nodes that were there than a batch has", () => {
  fc.assert(
    fc.property(standings, fc.integer({ min: 1, max: 5 }), (all, batchSize) => {
      fc.pre(batchSize < all.length);
      const turns = turnsOf(all, batchSize);
      // By their numbers: the order in which volumes are attached is the same at every run.
      expect(turns.flat()).toEqual(all.map((_, number) => number));
      for (const turn of all.includes("serving") ? turns : []) {
        const isNew = turn.every((number) => all[number] === "new");
        expect(isNew || turn.length <= batchSize).toBe(true);
      }
    }),
  );
});

test.each<[string, string, number, number[][]]>([
  ["a first deployment: all side by side", "nnnnn", 1, [[0, 1, 2, 3, 4]]],
  ["all serve: one after the other", "sss", 1, [[0], [1], [2]]],
  ["… or in batches", "sssss", 2, [[0, 1], [2, 3], [4]]],
  ["growth: new ones together, after those that serve", "sssnn", 1, [[0], [1], [2], [3, 4]]],
  ["a node that is down has its turn like the others", "sds", 1, [[0], [1], [2]]],
  ["a first deployment that stopped half-way", "snsnn", 1, [[0], [1], [2], [3, 4]]],
  ["nobody serves: nothing is lost", "dnd", 1, [[0, 1, 2]]],
  ["a full restart", "sdsn", 4, [[0, 1, 2, 3]]],
])("%s", (_, letters, batchSize, turns) => {
  const of = { n: "new", d: "down", s: "serving" } as const;
  expect(
    turnsOf(
      [...letters].map((letter) => of[letter as "n"]),
      batchSize,
    ),
  ).toEqual(turns);
});

test.each<[string | undefined, string[], boolean, Standing]>([
  ["never", [], false, "new"],
  // Its parameter was made anew, or its path is another one: it may well serve.
  ["never", [], true, "serving"],
  // It could not be read.
  [undefined, [], true, "serving"],
  [undefined, [], false, "new"],
  ["i-1", ["i-1"], true, "serving"],
  // It gets another network interface in this update.
  ["i-1", ["i-1"], false, "serving"],
  // Its instance was replaced or terminated, and none has reported since.
  ["i-1", ["i-2"], true, "down"],
  ["i-1", [], false, "down"],
  ["failed i-1: no disk", ["i-2"], true, "down"],
  ["booting i-1", [], true, "down"],
])(
  "a node that reports %s, while %j run, with an instance at its place: %s",
  (report, running, isThere, standing) => {
    expect(standingOf(report, running, isThere)).toBe(standing);
  },
);
