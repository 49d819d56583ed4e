import { architectureOf } from "../../../components/nodes/instanceTypes";

test.each(
  "m7g.large c6gd.metal t4g.small c7gn.16xlarge im4gn.large is4gen.medium x2gd.xlarge g5g.xlarge hpc7g.4xlarge a1.large r8gd.metal-24xl i8ge.large p6e-gb200.36xlarge".split(
    " ",
  ),
)("%s is arm64", (type) => expect(architectureOf(type)).toBe("arm64"));

test.each(
  "m7i.large t3.nano g4dn.xlarge g5.xlarge c7i-flex.large r6a.48xlarge m5zn.metal u-6tb1.56xlarge u7i-12tb.224xlarge p4d.24xlarge trn1.32xlarge i4i.large m8i.metal-96xl p6-b200.48xlarge".split(
    " ",
  ),
)("%s is x86_64", (type) => expect(architectureOf(type)).toBe("x86_64"));

test.each([
  "",
  "m7g",
  "large",
  "m7g.",
  ".large",
  "m7g large",
  "M7G.LARGE",
  "m7g.huge",
  "m7g.large.x",
  " m7g.large",
])("%j is refused", (type) =>
  expect(() => architectureOf(type)).toThrow(
    `"${type}" is not the name of an EC2 instance type: write family, generation and size, ` +
      `like m7g.large or c7i.2xlarge`,
  ),
);

test("a Mac is refused", () => expect(() => architectureOf("mac2.metal")).toThrow(/runs macOS only/));
