/** A command that a laptop lacks, as the region answers it: what stand-ins are given and what they give back. */
import type { Answer, Call } from "./call";
import type { System } from "./system";

export type StandIn = (call: Call, system: System) => Answer | Promise<Answer>;

export function fail(err: string, code = 1): Answer {
  return { code, err: err === "" ? "" : `${err}\n` };
}

export interface Options {
  /** Given flags and the values of options that have one; of a repeated one, all. */
  flags: Set<string>;
  values: Map<string, string[]>;
  /** What is neither. */
  rest: string[];
}

/** Reads options as GNU's getopt does, `--x=v` too; a text is what is wrong with them. */
export function readOptions(
  args: string[],
  flags: readonly string[],
  valued: readonly string[],
): Options | string {
  const options: Options = { flags: new Set(), values: new Map(), rest: [] };
  const words = args.flatMap((arg) => {
    const equals = /^(--[\w-]+)=(.*)$/s.exec(arg);
    return equals !== null && valued.includes(equals[1]!) ? [equals[1]!, equals[2]!] : [arg];
  });
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (flags.includes(word)) {
      options.flags.add(word);
    } else if (valued.includes(word)) {
      if (++index >= words.length) {
        return `option '${word}' requires an argument`;
      }
      options.values.set(word, [...(options.values.get(word) ?? []), words[index]!]);
    } else if (word === "--") {
      options.rest.push(...words.slice(index + 1));
      break;
    } else if (/^-./.test(word)) {
      return `unrecognized option '${word}'`;
    } else {
      options.rest.push(word);
    }
  }
  return options;
}

/** An option's last value. */
export function valueOf({ values }: Options, name: string): string | undefined {
  return values.get(name)?.at(-1);
}
