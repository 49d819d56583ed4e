import { randomInt } from "crypto";
import { fail } from "../errors";
import { bool, int, map, out, text, type Property, type ResourceType } from "../schema";
import type { Props } from "../values";
import { atLeast } from "./validators";

const classes = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
};

const properties: Record<string, Property> = {
  keepers: map(text(), { forceNew: true }),
  length: int({ required: true, forceNew: true, check: atLeast(1) }),
  lower: bool({ default: true, forceNew: true }),
  upper: bool({ default: true, forceNew: true }),
  numeric: bool({ default: true, forceNew: true }),
  number: bool({ computed: true, forceNew: true }),
  special: bool({ default: true, forceNew: true }),
  minLower: int({ default: 0, forceNew: true, check: atLeast(0) }),
  minUpper: int({ default: 0, forceNew: true, check: atLeast(0) }),
  minNumeric: int({ default: 0, forceNew: true, check: atLeast(0) }),
  minSpecial: int({ default: 0, forceNew: true, check: atLeast(0) }),
  overrideSpecial: text({ forceNew: true }),
  result: out("string", { sensitive: true }),
};

function validate(inputs: Props, problems: { add(property: string, reason: string): void }): void {
  const minimum = ["minLower", "minUpper", "minNumeric", "minSpecial"]
    .map((k) => (inputs[k] as number | undefined) ?? 0)
    .reduce((a, b) => a + b, 0);
  if (typeof inputs["length"] === "number" && minimum > inputs["length"]) {
    problems.add("length", `length must be >= the sum of the minima (${minimum}), got ${inputs["length"]}`);
  }
  if (typeof inputs["number"] === "boolean" && inputs["number"] !== inputs["numeric"]) {
    problems.add("number", '"number" is the old name of "numeric": they cannot differ');
  }
}

function generate(inputs: Props): string {
  const special = (inputs["overrideSpecial"] as string | undefined) || classes.special;
  const pools: [string, boolean, number][] = [
    [classes.lower, inputs["lower"] === true, inputs["minLower"] as number],
    [classes.upper, inputs["upper"] === true, inputs["minUpper"] as number],
    [classes.numeric, inputs["numeric"] === true, inputs["minNumeric"] as number],
    [special, inputs["special"] === true, inputs["minSpecial"] as number],
  ];
  const all = pools.map(([pool, used]) => (used ? pool : "")).join("");
  if (all === "") {
    fail("InvalidRandom", "no characters to choose from: lower, upper, numeric and special are all false");
  }
  const length = inputs["length"] as number;
  const characters = pools.flatMap(([pool, , minimum]) => Array.from({ length: minimum }, () => pick(pool)));
  while (characters.length < length) {
    characters.push(pick(all));
  }
  for (let i = characters.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [characters[i], characters[j]] = [characters[j]!, characters[i]!];
  }
  return characters.join("");
}

function pick(pool: string): string {
  return pool[randomInt(pool.length)]!;
}

export const randomPasswordType: ResourceType = {
  token: "random:index/randomPassword:RandomPassword",
  title: "Random Password",
  global: true,
  local: true,
  properties,
  validate,
  create: (_context, inputs) => ({
    id: "none",
    attributes: { result: generate(inputs), number: inputs["numeric"]! },
  }),
};
