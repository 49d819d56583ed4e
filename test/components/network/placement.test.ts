import * as fc from "fast-check";
import { availabilityZonesInput } from "../../../components/network/availabilityZones";
import { inputProblems } from "../../../components/shared/inputs";
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

describe("availabilityZones", () => {
  test.each<[string, string[], string[]]>([
    ["nothing wrong", ["eu-west-1a", "eu-west-1b"], []],
    ["a region with a long name", ["us-gov-west-1a"], []],
    ["none", [], [expect.stringContaining("availabilityZones: none given")]],
    ["a region instead of a zone", ["eu-west-1"], [expect.stringContaining(`"eu-west-1" is not the name`)]],
    ["a Local Zone", ["us-west-2-lax-1a"], [expect.stringContaining(`"us-west-2-lax-1a" is not the name`)]],
    [
      "a zone twice",
      ["eu-west-1a", "eu-west-1a"],
      [`availabilityZones: "eu-west-1a" is listed twice; list every zone once`],
    ],
    [
      "two regions",
      ["eu-west-1a", "eu-central-1a"],
      [
        `availabilityZones: "eu-central-1a" is a zone of eu-central-1, not of eu-west-1; ` +
          `all zones belong to the one region that is deployed to`,
      ],
    ],
  ])("%s", (_, zones, problems) => {
    expect(inputProblems("availabilityZones", availabilityZonesInput, zones, {})).toEqual(problems);
  });
});
