import { closest, distance } from "fastest-levenshtein";

/** Which of the known names somebody probably meant; undefined when none is close. */
export function nearest(name: string, known: string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(name, known);
  return distance(name.toLowerCase(), candidate.toLowerCase()) <= Math.max(2, name.length / 3)
    ? candidate
    : undefined;
}
