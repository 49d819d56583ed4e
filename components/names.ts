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

const plainName = { pattern: /^[A-Za-z0-9][A-Za-z0-9-]*$/, characters: "letters, digits and hyphens" };

/** What is wrong with a component's name. */
export function nameProblems(name: unknown, rules: NameRules): string[] {
  const { pattern, characters } = { ...plainName, ...rules };
  const tightest = rules.made
    .map(({ suffix, of, longest }) => ({ suffix, of, longest, room: longest - suffix.length - added }))
    .sort((one, other) => one.room - other.room)[0]!;
  if (typeof name === "string" && pattern.test(name) && name.length <= tightest.room) {
    return [];
  }
  return [
    `name: ${shown(name)} cannot begin the name of ${tightest.of}, which has ${tightest.longest} characters at most; ` +
      `use 1 to ${tightest.room} ${characters}, a letter or digit first`,
  ];
}
