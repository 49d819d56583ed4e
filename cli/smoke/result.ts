/** What a check found. */
export interface CheckResult {
  /** Stable, for machines: `mqtts.tls`, `messages`. */
  id: string;
  title: string;
  status: "passed" | "failed" | "skipped";
  milliseconds: number;
  /** Passed: what was seen; failed: what went wrong; skipped: why. */
  detail: string;
  explanation?: Explanation;
}

/** What a failure means, and where to look. */
export interface Explanation {
  meaning: string;
  /** Where to look, most likely first. */
  look: string[];
  /** What the account itself says, where it could be asked. */
  evidence: string[];
}

export class CheckFailure extends Error {
  constructor(
    detail: string,
    readonly explanation: Explanation,
  ) {
    super(detail);
  }
}

export interface SmokeResult {
  stack: string;
  kind: "simulated" | "real";
  passed: boolean;
  milliseconds: number;
  checks: CheckResult[];
}
