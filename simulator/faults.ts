/** Things a test or a drill lets go wrong. */
export class Faults {
  private readonly boots = new Set<string>();

  /** Lets node `number` (of one cluster, by its parameter prefix, or of every cluster) never come up. */
  failBoot(number: number, fails = true, prefix = "*"): void {
    const key = `${prefix}#${number}`;
    if (fails) {
      this.boots.add(key);
    } else {
      this.boots.delete(key);
    }
  }

  failsBoot(prefix: string, number: number): boolean {
    return this.boots.has(`${prefix}#${number}`) || this.boots.has(`*#${number}`);
  }

  list(): string[] {
    return [...this.boots].map((key) => `failBoot ${key}`);
  }
}
