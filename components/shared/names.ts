/** What a component may be called: its name begins the names of what it makes, and AWS has rules for these. */
import { shown } from "./words";

/** Pulumi adds a hyphen and seven hexadecimal digits to a name that has to be unique. */
const added = 8;

/** The longest of the names that a component makes out of its own, and what AWS says about it. */
export interface MadeName {
  /** What the component adds to its own name. */
  suffix: string;
  /** What is called so. */
  of: string;
  /** The most characters that AWS gives it. */
  longest: number;
}

export interface NameRules {
  /** Letters, digits and hyphens if not given. */
  pattern?: RegExp;
  /** What the pattern allows, in words. */
  characters?: string;
  made: MadeName[];
}

const plainName = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9-]*$/,
  characters: "letters, digits and hyphens, a letter or digit first",
};

/** What is wrong with a component's name; `part` is what the component that it is a part of adds to its own. */
export function nameProblems(name: unknown, rules: NameRules, part = ""): string[] {
  const { pattern, characters } = { ...plainName, ...rules };
  const tightest = rules.made
    .map(({ suffix, of, longest }) => ({
      ...{ of, longest },
      room: longest - part.length - suffix.length - added,
    }))
    .sort((one, other) => one.room - other.room)[0]!;
  if (typeof name === "string" && name !== "" && pattern.test(name + part) && name.length <= tightest.room) {
    return [];
  }
  const length =
    typeof name === "string" && name.length > tightest.room ? ` (${name.length} characters)` : "";
  return [
    `name: ${shown(name)}${length} cannot begin the name of ${tightest.of}, which has ${tightest.longest} characters at most; ` +
      `use 1 to ${tightest.room} ${characters}`,
  ];
}
