/** Metrics that programs on machines send to CloudWatch. Not part of the persisted state. */

interface Datum {
  value: number;
  at: Date;
}

/** The latest value of each metric: nobody here looks further back. */
export class MetricBoard {
  private readonly latest = new Map<string, Datum>();

  put(region: string, metric: string, dimensions: Record<string, string>, datum: Datum): void {
    this.latest.set(keyOf(region, metric, dimensions), datum);
  }

  /** `metric` is namespace and name, with a space between them. */
  get(region: string, metric: string, dimensions: Record<string, string>): Datum | undefined {
    return this.latest.get(keyOf(region, metric, dimensions));
  }
}

/** A metric with other dimensions, or more of them, is another metric; their order does not matter. */
function keyOf(region: string, metric: string, dimensions: Record<string, string>): string {
  return JSON.stringify([region, metric, Object.entries(dimensions).sort()]);
}
