/** The monthly estimate of a review: what it says, what it rounds, and what it leaves out in words. */
import { markdownOf } from "../../review/report/markdown";
import { types } from "../../review/types";
import { create, documentOf, remove, replace, reviewed, same, type Resource } from "./previews";
import { readPreview } from "../../review/preview/read";
import { reviewOf } from "../../review/review";

const subnet: Resource = { type: types.subnet, name: "private", inputs: { availabilityZone: "eu-west-1a" } };
const instance = (name: string, instanceType: string): Resource => ({
  type: types.instance,
  name,
  inputs: { instanceType, rootBlockDevice: { volumeSize: 16, volumeType: "gp3" } },
});
const node = instance("n-0", "m7g.large");
const nat: Resource = { type: types.natGateway, name: "nat" };

function monthLine(...steps: Parameters<typeof reviewed>): string | undefined {
  return markdownOf(reviewed(...steps))
    .split("\n")
    .find((line) => line.startsWith("**A month:**"));
}

test.each([
  [
    "a node more",
    [same(subnet), same(node), create(instance("n-1", "m7g.large"))],
    "about 70 → 135 US dollars (+65), traffic not included. Prices of eu-west-1: ",
  ],
  [
    "a NAT gateway less",
    [same(subnet), same(node), remove(nat)],
    "about 105 → 70 US dollars (−35), traffic not included. Prices of eu-west-1: ",
  ],
  [
    "less than the rounding shows",
    [
      same(subnet),
      ...[1, 2, 3].map((i) => same(instance(`big-${i}`, "m7g.4xlarge"))),
      create({ type: types.volume, name: "v", inputs: { size: 1, type: "gp3" } }),
    ],
    "(less than 10 more or less), traffic not included.",
  ],
  [
    "a region without prices",
    [same({ ...subnet, inputs: { availabilityZone: "ap-south-1a" } }), create(nat)],
    "Prices of us-east-1: on-demand list prices noted from 2024 to January 2026; check the current ones. No prices of ap-south-1 are known here.",
  ],
  [
    "a type without a price",
    [same(subnet), create(nat), create(instance("n-2", "x9z.large"))],
    "What has no known price is not in it.",
  ],
])("%s", (_what, steps, text) => {
  expect(monthLine(...steps)).toContain(text);
});

test("says nothing where nothing changes in it", () => {
  expect(monthLine(same(subnet), same(node), create({ type: types.vpc, name: "vpc" }))).toBeUndefined();
  expect(monthLine(same(subnet), replace(node))).toBeUndefined();
});

test("without unchanged resources, only the difference is said", () => {
  const document = JSON.stringify({ steps: [create(nat)], changeSummary: { create: 1, same: 5 } });
  const review = reviewOf(readPreview(document, "test"), { stack: "test", base: "before" });
  expect(review.isWhole).toBe(false);
  expect(markdownOf(review)).toContain(
    "**A month:** +33 US dollars (unchanged resources are not in this preview)",
  );
});

test("stands under the heading of what is charged for, with or without its table", () => {
  const elb = (internal: boolean): Resource => ({
    type: types.loadBalancer,
    name: "elb",
    inputs: { internal, subnets: ["a", "b"] },
  });
  const headings = (report: string) => report.match(/### What AWS charges for/g)?.length;
  expect(headings(markdownOf(reviewed(same(subnet), create(nat))))).toBe(1);
  const report = markdownOf(reviewed(same(subnet), replace(elb(false), elb(true))));
  expect(headings(report)).toBe(1);
  expect(report).toContain("about 28 → 20 US dollars (−8)");
});

test("the review for machines has the numbers", () => {
  const { monthly } = reviewOf(readPreview(documentOf(same(subnet), create(nat)), "test"), {
    stack: "test",
    base: "before",
  });
  expect(monthly).toMatchObject({
    before: 0,
    after: 35,
    difference: 35,
    pricesOf: "eu-west-1",
    isPartial: false,
  });
});
