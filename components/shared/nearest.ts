import { closest, distance } from "fastest-levenshtein";

/** Which of the known names somebody probably meant; undefined when none is close. */
export function nearest(name: string, known: string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(name, known);
  return apart(name, candidate) <= Math.max(2, name.length / 3) ? candidate : undefined;
}

/** The known name that this one is but for a slip of the fingers: other letters' case, or a letter or two. */
export function misspelt(name: string, known: string[]): string | undefined {
  const candidate = nearest(name, known);
  return candidate !== undefined && apart(name, candidate) <= 2 ? candidate : undefined;
}

const apart = (name: string, other: string) => distance(name.toLowerCase(), other.toLowerCase());
