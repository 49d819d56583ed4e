/**
 * How many machines may begin to boot at once: a boot is work for this computer until it comes to wait for something. It does
 * not ask for another turn then, so nobody waits for who waits.
 */
import { availableParallelism } from "node:os";

export class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(atOnce = 2 * availableParallelism()) {
    this.free = atOnce;
  }

  /** Resolves when it is one's turn, with the way to give it back; any number of times is once. */
  async take(): Promise<() => void> {
    if (this.free > 0) {
      this.free--;
    } else {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    let isGiven = false;
    return () => {
      if (!isGiven) {
        isGiven = true;
        this.give();
      }
    };
  }

  private give(): void {
    const next = this.waiting.shift();
    if (next === undefined) {
      this.free++;
    } else {
      next();
    }
  }
}
