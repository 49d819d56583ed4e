/** emqx-backup.timer, by the region's own clock: exports come at the times of day that the plan names. */

const hourMs = 3_600_000;

/** Whether the timer has elapsed after one moment and until another; more than once counts once, as systemd has it. */
export function hasElapsed(calendar: string, after: Date, until: Date): boolean {
  const hours = everyHours(calendar);
  const slot = (moment: Date) => Math.floor(moment.getTime() / (hours * hourMs));
  return slot(until) > slot(after);
}

/** The calendars that the components write: `00/6` for every six hours from midnight, `00` for midnight; in UTC. */
function everyHours(calendar: string): number {
  const [, every] = /^\*-\*-\* 00(?:\/(\d+))?:00:00 UTC$/.exec(calendar) ?? [];
  if (every === undefined && calendar !== "*-*-* 00:00:00 UTC") {
    throw new Error(`emqx-backup.timer: the simulated region does not know the calendar "${calendar}"`);
  }
  return Number(every ?? 24);
}
