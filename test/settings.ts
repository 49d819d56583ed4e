import { isRecord } from "../components/shared/inputs";

type Settings = Record<string, unknown>;

/** Settings with changes, group by group; undefined takes one out, and a list is another list. */
export function withChanges(settings: Settings, changes: Settings): Settings {
  const entries = Object.entries({ ...settings, ...changes }).map(([name, value]): [string, unknown] => {
    const before = settings[name];
    return [name, isRecord(before) && isRecord(value) ? withChanges(before, value) : value];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
