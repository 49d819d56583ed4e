/** Inputs whose values come from another resource, by the same tables. */
import * as pulumi from "@pulumi/pulumi";
import { inputProblems, isRecord, type Shape, type Shapes } from "./inputs";
import { refuseLater } from "./problems";
import { isLater } from "./words";

/**
 * The same arguments, where every value that comes from another resource, or depends on the provider's region, is checked
 * as soon as it is known, and before it is used: at preview, if it is known then.
 */
export function checkedLater<Args extends object>(
  subject: string,
  shapes: Shapes<Args>,
  args: Args,
  region: pulumi.Output<string>,
): Args {
  const follow = (input: string, shape: Shape, value: unknown): unknown => {
    const looked = (known: unknown, place: unknown) => {
      const where = typeof place === "string" ? { region: place } : {};
      refuseLater(subject, inputProblems(input, shape, known, where));
      return known;
    };
    if (isLater(value) && trusts(shape)) {
      return value;
    }
    if (isLater(value) || (value !== undefined && shape.kind === "text" && shape.regional)) {
      return pulumi.all([value, region]).apply(([known, place]) => looked(known, place));
    }
    if (shape.kind === "list" && Array.isArray(value)) {
      return value.map((item, i) => follow(`${input}[${i}]`, shape.item, item));
    }
    if ((shape.kind === "object" || shape.kind === "map") && isRecord(value)) {
      const shapeOf = (key: string) => (shape.kind === "map" ? shape.item : shape.fields[key]);
      return mapValues(value, (item, key) => {
        const inner = shapeOf(key);
        return inner === undefined ? item : follow(`${input}.${key}`, inner, item);
      });
    }
    return value;
  };
  return mapValues(args as Record<string, unknown>, (value, name) => {
    const shape = (shapes as Record<string, Shape | undefined>)[name];
    return shape === undefined ? value : follow(name, shape, value);
  }) as Args;
}

const trusts = (shape: Shape): boolean =>
  shape.kind === "list" ? trusts(shape.item) : "trusted" in shape && shape.trusted === true;

function mapValues(record: Record<string, unknown>, change: (value: unknown, key: string) => unknown) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
