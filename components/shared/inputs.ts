/**
 * What the inputs of a component look like: one table per component, from which follow the refusal of a wrong type at any
 * depth, the refusal of a value outside its grammar, and the same check of a value that another resource gives. Users of
 * YAML, Python and JavaScript have no compiler that would tell them.
 */
import { misspelt } from "./nearest";
import { choiceProblems, isLater, shown, wholeNumberProblems } from "./words";

/** What a check may know about the deployment, where it is known. */
export interface Where {
  region?: string;
}

/** What every shape may say. */
export interface Common {
  /** Whether the value may be an output of another resource. */
  later?: boolean;
  /** What to do instead with a value that comes from another resource, where it may not. */
  instead?: string;
  /** What to say when it is not given, after "missing; ". Without it, the input may be left out. */
  needed?: string;
  /** The value of an input that is not given: the only place where it gets one. */
  default?: unknown;
}

/** A single value. The check gets whatever was given, of any type. */
export interface Leaf extends Common {
  kind: "text" | "number" | "flag";
  check: (input: string, value: unknown, where: Where) => string[];
  /** Whoever reads the value from a file keeps it from everybody's eyes. */
  secret?: boolean;
  /** The value depends on the region, so it is looked at again when the provider's region is known. */
  regional?: boolean;
  /** What another resource gives is AWS's own (an id), or that of somebody's unit test, and not looked at. */
  trusted?: boolean;
}

export interface ListShape extends Common {
  kind: "list";
  item: Shape;
  /** What to say about an empty list, after "none given; ". Without it, a list may be empty. */
  least?: string;
  /** More about items that are right one by one. */
  check?: (input: string, items: never[]) => string[];
}

export interface MapShape extends Common {
  kind: "map";
  item: Shape;
  check?: (input: string, entries: Record<string, unknown>) => string[];
}

export interface ObjectShape extends Common {
  kind: "object";
  fields: Record<string, Shape>;
}

export type Shape = Leaf | ListShape | MapShape | ObjectShape;

/** A shape for every input; the compiler makes sure that none is missing. */
export type Shapes<Args extends object> = { [Name in keyof Required<Args>]: Shape };

/** What a component works with: an input that has a default has a value, at any depth. */
export type Resolved<Args extends object, S> = {
  [Name in keyof Required<Args>]: ResolvedInput<Args[Name], Name extends keyof S ? S[Name] : never>;
};
type ResolvedInput<Value, S> = S extends { kind: "object"; fields: infer Fields }
  ? | ResolvedGroup<NonNullable<Value>, Fields>
    | (S extends { default: unknown } ? never : Extract<Value, undefined>)
  : S extends { default: unknown }
    ? Exclude<Value, undefined>
    : Value;
type ResolvedGroup<Group, Fields> = Group extends object ? Resolved<Group, Fields> : never;

/** The inputs with a value in place of each that is not given and has a default. */
export function withDefaults<Args extends object, S extends Shapes<Args>>(
  shapes: S,
  args: Args,
): Resolved<Args, S> {
  const fill = (of: Record<string, Shape>, values: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(of).flatMap(([name, shape]) => {
        const value = values[name] ?? shape.default;
        if (value === undefined) {
          return [];
        }
        return [[name, shape.kind === "object" && isRecord(value) ? fill(shape.fields, value) : value]];
      }),
    );
  return fill(shapes, args as Record<string, unknown>) as Resolved<Args, S>;
}

/** A text with a grammar: the words that follow a wrong value, or undefined for a right one. */
export type Grammar = (value: string, where: Where) => string | undefined;

type Options = Common & Pick<Leaf, "regional" | "trusted">;

export function text(grammar: Grammar, options: Options = {}): Leaf {
  return {
    kind: "text",
    check: (input, value, where) => {
      const words = typeof value === "string" ? grammar(value, where) : "is not a text";
      return words === undefined ? [] : [`${input}: ${shown(value)} ${words}`];
    },
    ...options,
  };
}

/** A value whose check finds its own words, for any type. */
export function checked(
  kind: Leaf["kind"],
  check: Leaf["check"],
  options: Common & Pick<Leaf, "regional" | "secret"> = {},
): Leaf {
  return { kind, check, ...options };
}

export const flag: Leaf = checked("flag", (input, value) =>
  typeof value === "boolean" ? [] : [`${input}: ${shown(value)} is not true or false`],
);

export const choice = (allowed: Record<string, string>): Leaf =>
  checked("text", (input, value) => choiceProblems(input, value, allowed));

export const wholeNumber = (minimum: number, maximum: number, unit: string): Leaf =>
  checked("number", (input, value) => wholeNumberProblems(input, value, minimum, maximum, unit));

export const version = wholeNumber(1, 1_000_000, "versions");

/** Inputs that belong together, in an interface of their own. With `default: {}` they are there without being given. */
export function group<Fields extends Record<string, Shape>, Options extends Common>(
  fields: Fields,
  options?: Options,
) {
  return { kind: "object" as const, fields, ...(options as Options) };
}

export function list<Options extends Omit<ListShape, "kind" | "item">>(item: Shape, options: Options) {
  return { kind: "list" as const, item, ...options };
}

/** A rule of how inputs go together: of all inputs with their defaults, and of those that were given. */
export type Rule<Settings, Given = unknown> = (settings: Settings, given: Given) => string[];

/**
 * Everything that is wrong with the inputs: one by one, and then together. A rule ends where it looks at an input which is
 * wrong by itself: what it would say then is no news, or nonsense.
 */
export function problemsOf<Args extends object, S extends Shapes<Args>>(
  shapes: S,
  args: unknown,
  where: Where,
  rules: Rule<Resolved<Args, S>, Args>[],
): string[] {
  if (!isRecord(args)) {
    return [`the arguments: ${shown(args)} is not an object with inputs`];
  }
  const { problems, sound, wrong } = oneByOne("", shapes, args, where);
  const settings = guarded(withDefaults<Args, S>(shapes, sound as Args), shapes, wrong);
  const given = guarded(sound as Args, shapes, wrong);
  const further = rules.flatMap((rule) => {
    try {
      return rule(settings, given);
    } catch (error) {
      if (error === unjudged) {
        return [];
      }
      throw error;
    }
  });
  return [...new Set([...problems, ...further])];
}

/** Inputs looked at one by one: what is wrong, what is left, and the paths of those that are wrong. */
interface Looked {
  problems: string[];
  sound: Record<string, unknown>;
  wrong: Set<string>;
}

function oneByOne(
  path: string,
  shapes: Record<string, Shape>,
  args: Record<string, unknown>,
  where: Where,
): Looked {
  const looked: Looked = { problems: unknownInputs(path, shapes, args), sound: {}, wrong: new Set() };
  for (const [name, shape] of Object.entries(shapes)) {
    const input = `${path}${name}`;
    const value = args[name];
    if (shape.kind === "object" && isRecord(value)) {
      const group = oneByOne(`${input}.`, shape.fields, value, where);
      looked.problems.push(...group.problems);
      looked.sound[name] = group.sound;
      group.wrong.forEach((field) => looked.wrong.add(field));
      continue;
    }
    const found = inputProblems(input, shape, value, where);
    looked.problems.push(...found);
    if (found.length > 0) {
      looked.wrong.add(input);
    } else if (value !== undefined) {
      looked.sound[name] = value;
    }
  }
  return looked;
}

const unjudged = new Error("a rule looked at an input that is wrong by itself");

/** The same inputs, which end a rule that looks at one of the wrong ones. */
function guarded<T extends object>(
  inputs: T,
  shapes: Record<string, Shape>,
  wrong: Set<string>,
  path = "",
): T {
  return new Proxy(inputs, {
    get: (target, name): unknown => {
      const input = `${path}${String(name)}`;
      if (wrong.has(input)) {
        throw unjudged;
      }
      const value: unknown = Reflect.get(target, name);
      const shape = shapes[String(name)];
      return shape?.kind === "object" && isRecord(value)
        ? guarded(value, shape.fields, wrong, `${input}.`)
        : value;
    },
  });
}

/**
 * Inputs that are meant for one that there is, and would be lost without a word: only TypeScript's compiler looks for them. Others
 * may belong to another component, where a program gives several the same object.
 */
function unknownInputs(path: string, shapes: Record<string, Shape>, args: Record<string, unknown>): string[] {
  const known = Object.keys(shapes);
  return Object.keys(args).flatMap((name) => {
    const meant =
      Object.hasOwn(shapes, name) || args[name] === undefined
        ? undefined
        : (pathOf(name, shapes) ?? misspelt(name, known));
    return meant === undefined ? [] : [`${path}${name}: there is no such input; did you mean ${meant}?`];
  });
}

/** The path of an input that belongs into a group. */
export function pathOf(name: string, shapes: Record<string, Shape>): string | undefined {
  for (const [group, shape] of Object.entries(shapes)) {
    if (shape.kind === "object") {
      const inner = Object.hasOwn(shape.fields, name) ? name : pathOf(name, shape.fields);
      if (inner !== undefined) {
        return `${group}.${inner}`;
      }
    }
  }
  return undefined;
}

/** What is wrong with one input, at any depth. */
export function inputProblems(input: string, shape: Shape, value: unknown, where: Where): string[] {
  if (value === undefined) {
    return shape.needed === undefined ? [] : [`${input}: ${missing(shape)}${shape.needed}`];
  }
  if (isLater(value)) {
    return shape.later
      ? []
      : [
          `${input}: is an output of another resource, but has to be known from the start; ${shape.instead ?? "give the value itself"}`,
        ];
  }
  switch (shape.kind) {
    case "list":
      return listProblems(input, shape, value, where);
    case "map":
      return isRecord(value)
        ? [
            ...Object.entries(value).flatMap(([key, item]) =>
              inputProblems(`${input}.${key}`, shape.item, item, where),
            ),
            ...(shape.check?.(input, value) ?? []),
          ]
        : [`${input}: ${shown(value)} is not a list of names with a text each`];
    case "object":
      return isRecord(value)
        ? oneByOne(`${input}.`, shape.fields, value, where).problems
        : [`${input}: ${shown(value)} is not a group of ${Object.keys(shape.fields).join(", ")}`];
    case "text":
    case "number":
    case "flag":
      return shape.check(input, value, where);
  }
}

function listProblems(input: string, shape: ListShape, value: unknown, where: Where): string[] {
  if (!Array.isArray(value)) {
    return [`${input}: ${shown(value)} is not a list`];
  }
  if (value.length === 0) {
    return shape.least === undefined ? [] : [`${input}: none given; ${shape.least}`];
  }
  // A text shows which one it is; anything else is told by its place. Array.from sees holes.
  const problems = Array.from(value as unknown[]).flatMap((item, i) =>
    inputProblems(
      typeof item === "string" ? input : `${input}[${i}]`,
      { ...shape.item, needed: shape.item.needed ?? "give a value" },
      item,
      where,
    ),
  );
  return problems.length > 0 ? problems : (shape.check?.(input, value as never[]) ?? []);
}

const missing = (shape: Shape) => (shape.kind === "list" ? "none given; " : "missing; ");

export function isRecord(value: unknown): value is Record<string, unknown> {
  // Neither null, nor a list, nor a Map.
  return Object.prototype.toString.call(value) === "[object Object]" && !isLater(value);
}
