/** Calendars of timers, those that the components write among them. */
import { backupCalendar } from "../../../components/backup/plan";
import { hasElapsed } from "../../machine/bash/calendar";

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

test.each([
  ["daily", "2T00:00:00"],
  ["hourly", "1T06:00:00"],
  ["*-*-* 03:30:00 UTC", "2T03:30:00"],
  ["5:15", "2T05:15:00"],
  ["*-*-* 01,13:00:00", "1T13:00:00"],
  ["*-*-* *:0/20:00", "1T05:40:00"],
])("%s elapses first at %s", (calendar, moment) => {
  const from = at("1T05:30:00");
  const next = at(moment);
  expect(hasElapsed(calendar, from, new Date(next.getTime() - 1))).toBe(false);
  expect(hasElapsed(calendar, from, next)).toBe(true);
});

test.each(["", "weekly", "Mon *-*-* 00:00:00", "*-*-* 03:00:30 UTC", "2026-01-01 00:00:00"])(
  "does not guess what %j is",
  (calendar) => {
    expect(() => hasElapsed(calendar, at("1T00:00:00"), at("2T00:00:00"))).toThrow(
      `the simulated region does not know the calendar "${calendar}"`,
    );
  },
);
