/** OnCalendar= of a timer, as far as it says times of day: `*-*-* 00/6:00:00 UTC`, `*-*-* 3:30`, `hourly`, `daily`. */

const minuteMs = 60_000;
const names: Record<string, string> = {
  hourly: "*-*-* *:00:00",
  daily: "*-*-* 00:00:00",
  minutely: "*-*-* *:*:00",
};

/** Whether the timer has elapsed after one moment and until another; more than once counts once, as systemd has it. */
export function hasElapsed(calendar: string, after: Date, until: Date): boolean {
  const fits = readCalendar(calendar);
  // A day later everything has elapsed that elapses at all.
  const first = Math.floor(after.getTime() / minuteMs) + 1;
  const last = Math.min(Math.floor(until.getTime() / minuteMs), first + 24 * 60);
  for (let minute = first; minute <= last; minute++) {
    const moment = new Date(minute * minuteMs);
    if (fits(moment.getUTCHours(), moment.getUTCMinutes())) {
      return true;
    }
  }
  return false;
}

function readCalendar(calendar: string): (hour: number, minute: number) => boolean {
  const [, hour, minute] =
    /^(?:\*-\*-\* )?([\d*,/]+):([\d*,/]+)(?::00)?(?: UTC)?$/.exec(names[calendar] ?? calendar) ?? [];
  if (hour === undefined || minute === undefined) {
    throw new Error(`the simulated region does not know the calendar "${calendar}"`);
  }
  const [hours, minutes] = [matcher(hour), matcher(minute)];
  return (h, m) => hours(h) && minutes(m);
}

/** `*`, `3`, `0/6`, `1,13`. */
function matcher(field: string): (value: number) => boolean {
  const parts = field.split(",").map((part) => {
    const [from = "", step] = part.split("/");
    const first = from === "*" ? 0 : Number(from);
    return (value: number) =>
      step !== undefined
        ? value >= first && (value - first) % Number(step) === 0
        : from === "*" || value === first;
  });
  return (value) => parts.some((fits) => fits(value));
}
