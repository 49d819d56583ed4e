/** What a test or a drill lets go wrong outside the scripts: calls of programs that fail, hang, answer nothing, late, or in part. */
import type { Clock } from "./clock";
import type { Answer, Call } from "./call";

/** Which calls a disturbance meets: all that fit what is given. */
export interface Disturbance {
  instanceId?: string;
  /** Name of the program, as `aws`. */
  program?: string;
  /** Fits the arguments, joined by spaces. */
  args?: RegExp;
  /** How many calls it leaves alone before it sets in; 0 unless given. */
  after?: number;
  /** How many calls it meets; all unless given. */
  times?: number;
  how:
    | { fail: number; words?: string }
    /** No answer until the caller is killed. */
    | "hang"
    /** Success, and no word. */
    | "nothing"
    /** The true answer after so many seconds. */
    | { late: number }
    /** It does its work, but only the first half of its answer arrives. */
    | "cut"
    /** Whatever somebody wants to answer, who may let it do its work. */
    | ((call: Call, act: () => Promise<Answer>) => Answer | Promise<Answer>);
}

export class Disturbances {
  private readonly present = new Set<Disturbance & { met: number }>();

  /** Lets it set in; the function that it returns ends it. */
  add(disturbance: Disturbance): () => void {
    const entry = { ...disturbance, met: 0 };
    this.present.add(entry);
    return () => void this.present.delete(entry);
  }

  clear(): void {
    this.present.clear();
  }

  /** Answers a call, disturbed or not, within the limit that a `timeout` in front of it sets. */
  async answer(instanceId: string, clock: Clock, call: Call, act: () => Promise<Answer>): Promise<Answer> {
    const how = this.howFor(instanceId, call);
    const { limit, gone } = call;
    if (how === undefined || typeof how === "function") {
      return how === undefined ? act() : how(call, act);
    }
    const seconds = how === "hang" ? Infinity : typeof how === "object" && "late" in how ? how.late : 0;
    if (limit !== undefined && seconds >= limit) {
      await clock.sleep(limit, gone);
      return { code: 124 };
    }
    if (seconds === Infinity) {
      clock.waits();
      return new Promise((resolve) =>
        gone.addEventListener("abort", () => resolve({ code: 137 }), { once: true }),
      );
    }
    await clock.sleep(seconds, gone);
    if (how === "nothing") {
      return {};
    }
    if (typeof how === "object" && "fail" in how) {
      return { code: how.fail, err: how.words === undefined ? "" : `${how.words}\n` };
    }
    const answer = await act();
    return how === "cut"
      ? { ...answer, out: (answer.out ?? "").slice(0, (answer.out ?? "").length / 2) }
      : answer;
  }

  private howFor(instanceId: string, { program, args }: Call): Disturbance["how"] | undefined {
    for (const each of this.present) {
      const fits =
        (each.instanceId ?? instanceId) === instanceId &&
        (each.program ?? program) === program &&
        (each.args?.test(args.join(" ")) ?? true);
      if (fits) {
        each.met++;
        const nth = each.met - (each.after ?? 0);
        if (nth > 0 && nth <= (each.times ?? Infinity)) {
          return each.how;
        }
      }
    }
    return undefined;
  }
}
