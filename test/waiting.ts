import { setTimeout as sleep } from "node:timers/promises";

/** Asks again until the answer is worth something. The time is a bound against hanging: the machine may be busy. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  seconds = 40,
): Promise<NonNullable<T>> {
  for (const deadline = Date.now() + seconds * 1000; ; await sleep(20)) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
  }
}
