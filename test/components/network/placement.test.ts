import * as fc from "fast-check";
import { availabilityZoneProblems } from "../../../components/network/availabilityZones";
import { chooseZone, initialZones } from "../../../components/network/placement";

describe("placement", () => {
  test("goes round the zones in a new deployment", () => {
    expect(initialZones(["a", "b", "c"], 5)).toEqual(["a", "b", "c", "a", "b"]);
  });

  test("fills a zone that was added later", () => {
    expect(chooseZone(["a", "b"], ["a", "a"])).toBe("b");
  });

  test("does not count nodes in zones that are no longer listed", () => {
    expect(chooseZone(["b", "c"], ["a", "b"])).toBe("c");
  });

  test("keeps zones within one node of each other", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 100 }),
        (zones, n) => {
          const placed = initialZones(zones, n);
          const counts = zones.map((zone) => placed.filter((z) => z === zone).length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

describe("availabilityZoneProblems", () => {
  test.each<[string, string[], string | undefined, string[]]>([
    ["nothing wrong", ["eu-west-1a", "eu-west-1b"], "eu-west-1", []],
    ["a region with a long name", ["us-gov-west-1a"], undefined, []],
    ["none", [], undefined, [expect.stringContaining("availabilityZones: none given")]],
    [
      "a region instead of a zone",
      ["eu-west-1"],
      undefined,
      [expect.stringContaining(`"eu-west-1" is not the name`)],
    ],
    [
      "a Local Zone",
      ["us-west-2-lax-1a"],
      "us-west-2",
      [expect.stringContaining(`"us-west-2-lax-1a" is not the name`)],
    ],
    [
      "a zone twice",
      ["eu-west-1a", "eu-west-1a"],
      undefined,
      [`availabilityZones: "eu-west-1a" is listed twice; list every zone once`],
    ],
    [
      "two regions",
      ["eu-west-1a", "eu-central-1a"],
      undefined,
      [
        `availabilityZones: "eu-central-1a" is a zone of eu-central-1, not of eu-west-1; ` +
          `all zones belong to the one region that is deployed to`,
      ],
    ],
  ])("%s", (_, zones, region, problems) => {
    expect(availabilityZoneProblems(zones, region)).toEqual(problems);
  });
});
