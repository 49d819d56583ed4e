/**
 * A machine's time. What it waits for is shortened by the region's factor; what its processes work counts as it is. Scripts
 * read it from /proc/uptime below the machine's root.
 */
import { renameSync, writeFileSync } from "node:fs";

const shortestWaitMs = 20;
/** What a limit leaves a process at least: it works in this computer's time, and a busy one may need seconds to start it. */
const leastPatienceMs = 15_000;
/** Where time is shortened, fifty idle machines would otherwise take a core to see that there is nothing to do. */
const defaultRestMs = 20_000;

export class Clock {
  private readonly started = Date.now();
  private gainedSeconds = 0;
  /** How often something has changed that a machine may look for. */
  changes = 0;
  private readonly resting = new Set<() => void>();

  constructor(
    /** Milliseconds here that are a second there, by 1000. */
    readonly factor: number,
    private readonly uptimeFile: string,
    /** Called when something of the machine begins to wait. */
    readonly waits: () => void,
    /** The longest that a machine rests, in milliseconds here, when there is nothing to do. */
    private readonly restMs = defaultRestMs,
  ) {
    this.tell();
  }

  /** Seconds since the machine began. */
  get uptime(): number {
    return (Date.now() - this.started) / 1000 + this.gainedSeconds;
  }

  /** Resolves after so many of the machine's seconds; rejects when the signal comes first. */
  sleep(seconds: number, signal: AbortSignal): Promise<void> {
    return this.pass(seconds, seconds > 0 ? shortestWaitMs : 0, signal);
  }

  /**
   * Resolves when a limit of so many seconds for something that works, not only waits, is over: where the region shortens
   * it, not before the computer had some seconds for the work. Rejects when the signal comes first; then no time has passed.
   */
  patience(seconds: number, signal: AbortSignal): Promise<void> {
    return this.pass(seconds, Math.min(seconds * 1000, leastPatienceMs), signal);
  }

  /** Something has changed: who rests looks whether it is for him. */
  stir(): void {
    this.changes++;
    for (const wake of [...this.resting]) wake();
  }

  /**
   * For who looks regularly: resolves after so many seconds; where time is shortened and there have been no `changes` but those
   * `seen` before it looked last, after a rest or with the next change.
   */
  async rest(seconds: number, seen: number, signal: AbortSignal): Promise<void> {
    const started = Date.now();
    await this.sleep(seconds, signal);
    const leftMs = Math.min(seconds * 1000, this.restMs) - (Date.now() - started);
    if (this.changes !== seen || leftMs <= 0) return;
    const stirred = new AbortController();
    const wake = () => stirred.abort();
    this.resting.add(wake);
    try {
      await pause(leftMs, AbortSignal.any([signal, stirred.signal]));
    } catch (error) {
      if (signal.aborted) throw error;
    } finally {
      this.resting.delete(wake);
    }
  }

  private async pass(seconds: number, leastMs: number, signal: AbortSignal): Promise<void> {
    this.waits();
    const end = this.uptime + seconds;
    await pause(Math.max(leastMs, seconds * 1000 * this.factor), signal);
    this.gainedSeconds += Math.max(0, end - this.uptime);
    this.tell();
  }

  private tell(): void {
    // Whole or not at all: a script may read it at any moment.
    writeFileSync(`${this.uptimeFile}.new`, `${this.uptime.toFixed(2)} 0.00\n`);
    renameSync(`${this.uptimeFile}.new`, this.uptimeFile);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const off = () => {
      clearTimeout(timer);
      reject(new Error("it was switched off"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", off);
      resolve();
    }, milliseconds);
    if (signal.aborted) {
      off();
    } else {
      signal.addEventListener("abort", off, { once: true });
    }
  });
}
