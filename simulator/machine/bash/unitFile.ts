/** systemd's unit files, drop-ins included: sections of keys that may come more than once. */
import { existsSync, readdirSync } from "node:fs";
import type { Root } from "./root";

export class UnitFile {
  private readonly settings = new Map<string, string[]>();

  constructor(
    readonly name: string,
    texts: string[],
  ) {
    texts.forEach((text) => this.read(text));
  }

  /** The last value of `Section.Key`. */
  get(key: string): string | undefined {
    return this.settings.get(key)?.at(-1);
  }

  /** All values of `Section.Key`. */
  all(key: string): string[] {
    return this.settings.get(key) ?? [];
  }

  /** The words in all values of `Section.Key`. */
  words(key: string): string[] {
    return this.all(key).flatMap((value) => value.split(/\s+/).filter((word) => word !== ""));
  }

  /** A time span, in seconds. */
  seconds(key: string): number | undefined {
    const value = this.get(key);
    return value === undefined ? undefined : spanSeconds(value);
  }

  private read(text: string): void {
    let section = "";
    for (const line of text.replace(/\\\n\s*/g, " ").split("\n")) {
      section = /^\[(\w+)\]\s*$/.exec(line)?.[1] ?? section;
      const [, key, value = ""] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (key !== undefined) {
        const name = `${section}.${key}`;
        // An empty value forgets those before it.
        this.settings.set(name, value === "" ? [] : [...this.all(name), value]);
      }
    }
  }
}

/** The unit with its drop-ins, from /etc before the package's place; undefined when there is none. */
export function findUnit(root: Root, name: string): UnitFile | undefined {
  const folders = ["/etc/systemd/system", "/usr/lib/systemd/system"];
  const main = folders.map((folder) => root.read(`${folder}/${name}`)).find((text) => text !== undefined);
  if (main === undefined) {
    return undefined;
  }
  const dropIns = folders
    .map((folder) => `${folder}/${name}.d`)
    .filter((folder) => existsSync(root.at(folder)))
    .flatMap((folder) => readdirSync(root.at(folder)).map((file) => `${folder}/${file}`))
    .filter((path) => path.endsWith(".conf"))
    .sort();
  return new UnitFile(name, [main, ...dropIns.map((path) => root.read(path)!)]);
}

const unitSeconds: Record<string, number> = {
  "": 1,
  ms: 0.001,
  s: 1,
  sec: 1,
  second: 1,
  seconds: 1,
  m: 60,
  min: 60,
  minute: 60,
  minutes: 60,
  h: 3600,
  hr: 3600,
  hour: 3600,
  hours: 3600,
  d: 86400,
  day: 86400,
  days: 86400,
};

/** `90`, `1min 30s`, `infinity`, in seconds (systemd.time). */
export function spanSeconds(span: string): number {
  if (span === "infinity") {
    return Infinity;
  }
  const parts = [...span.matchAll(/\s*(\d+(?:\.\d+)?)\s*([a-z]*)/g)];
  const isWhole = parts.map(([part]) => part).join("") === span && parts.length > 0;
  if (!isWhole || parts.some(([, , unit]) => unitSeconds[unit!] === undefined)) {
    throw new Error(`"${span}" is no time span that the simulated systemd knows`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitSeconds[unit!]!, 0);
}
