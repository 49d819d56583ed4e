/** The simulated timer of the backups against the calendars that the components write. */
import { backupCalendar } from "../../../components/emqx/backupPlan";
import { hasElapsed } from "../../../simulator/machine/backupTimer";

const at = (time: string) => new Date(`2026-01-0${time}Z`);

test.each([1, 2, 3, 4, 6, 8, 12, 24])("every %i hours, from midnight on, in UTC", (hours) => {
  const calendar = backupCalendar(hours);
  const elapsed = [...Array(48).keys()].filter((hour) =>
    hasElapsed(
      calendar,
      new Date(at("1T00:00:00").getTime() + hour * 3_600_000 - 1),
      at(`${1 + Math.floor(hour / 24)}T${String(hour % 24).padStart(2, "0")}:00:00`),
    ),
  );
  expect(elapsed).toEqual([...Array(48 / hours).keys()].map((n) => n * hours));
});

test.each([
  ["1T06:00:00", "1T11:59:59", false],
  ["1T05:59:59", "1T06:00:00", true],
  ["1T05:59:59", "3T18:00:00", true],
  ["1T23:00:00", "2T00:00:01", true],
])("from %s to %s: %s", (after, until, elapsed) => {
  expect(hasElapsed("*-*-* 00/6:00:00 UTC", at(after), at(until))).toBe(elapsed);
});

test.each(["", "daily", "*-*-* 00/6:00:00", "*-*-* 03:00:00 UTC"])(
  "does not guess what %j is",
  (calendar) => {
    expect(() => hasElapsed(calendar, at("1T00:00:00"), at("2T00:00:00"))).toThrow(
      `emqx-backup.timer: the simulated region does not know the calendar "${calendar}"`,
    );
  },
);
