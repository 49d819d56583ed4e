/** From what a user gives to what a component works with: bad input is refused, and what is not given has its default. */
import { withDefaults, type Resolved, type Shapes } from "./inputs";
import { refuse } from "./problems";

/** Arguments with every input named, given or not: the compiler finds one that was forgotten or is called otherwise. */
export type Complete<Args> = { [Name in keyof Required<Args>]: Args[Name] };

const checkedByOwner = new WeakSet<object>();

/** Arguments of a part, by a component that has refused whatever is wrong with them itself. */
export function checkedArgs<Args extends object>(args: Complete<Args>): Args {
  checkedByOwner.add(args);
  return args;
}

/** What a component works with. Throws one error with every problem before anything is registered. */
export function resolve<Args extends object, S extends Shapes<Args>>(
  subject: string,
  inputs: S,
  args: Args,
  problems: () => string[],
): Resolved<Args, S> {
  if (!checkedByOwner.has(args)) {
    refuse(subject, problems());
  }
  return withDefaults<Args, S>(inputs, args);
}
