/** How long something is still valid, and how to say it. Pure. */

export const dayMs = 24 * 60 * 60 * 1000;

/** From this many days before an end on, an update warns of it, as EMQX does of its licence's. */
export const warningDays = 30;

/**
 * A moment as RFC 3339 text, in UTC and whole seconds. Throws a RangeError when the text is no time. Unit tests' mocks may
 * know of no time where AWS has one; then there is no text.
 */
export function rfc3339(time: string | Date): string;
export function rfc3339(time: string | Date | undefined): string | undefined {
  if (time === undefined || time === "") {
    return undefined;
  }
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Whole days from `now` to `end`; below 0 once it is over. */
export function daysUntil(end: Date, now: Date): number {
  return Math.floor((end.getTime() - now.getTime()) / dayMs);
}

/** `today`, `in 1 day`, `in 12 days`, `1 day ago`. */
export function inDays(days: number): string {
  if (days === 0) {
    return "today";
  }
  const count = Math.abs(days);
  const text = `${count} day${count === 1 ? "" : "s"}`;
  return days > 0 ? `in ${text}` : `${text} ago`;
}

/** `2027-01-31`, the day in UTC. */
export function dateOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
