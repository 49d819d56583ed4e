/** The health checks of one instance: one after the other at an interval, and what so many of them in a row mean. */
import type { HealthCheckFacts } from "../regionView";

export class Check<Fixed extends { description?: string }> {
  /** Why the last one failed. */
  lastProblem: string | undefined;
  private successes = 0;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    /** Interval and thresholds as they are now, and the factor on the interval. */
    private readonly settings: () => Omit<HealthCheckFacts, "target"> & { factor: number },
    /** One check: nothing when it is passed, else why not; or what is known without asking. */
    private readonly ask: () => Promise<string | Fixed | undefined>,
    private readonly report: (health: "passed" | "failed" | Fixed) => void,
  ) {}

  start(afterMs = 0): void {
    if (afterMs > 0) this.timer = setTimeout(() => void this.run(), afterMs);
    else void this.run();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async run(): Promise<void> {
    const started = Date.now();
    const verdict = await this.ask();
    if (this.stopped) {
      return;
    }
    this.count(verdict);
    const { intervalSeconds, factor } = this.settings();
    const wait = intervalSeconds * 1000 * factor - (Date.now() - started);
    this.timer = setTimeout(() => void this.run(), Math.max(1, wait));
  }

  private count(verdict: string | Fixed | undefined): void {
    const { healthyThreshold, unhealthyThreshold } = this.settings();
    if (verdict === undefined) {
      this.successes++;
      this.failures = 0;
      this.lastProblem = undefined;
      if (this.successes >= healthyThreshold) {
        this.report("passed");
      }
      return;
    }
    const isFixed = typeof verdict === "object";
    this.failures = isFixed ? unhealthyThreshold : this.failures + 1;
    this.successes = 0;
    this.lastProblem = isFixed ? verdict.description : verdict;
    if (isFixed) {
      this.report(verdict);
    } else if (this.failures >= unhealthyThreshold) {
      this.report("failed");
    }
  }
}
