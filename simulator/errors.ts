/** What AWS (or tls, random) answers when it refuses a request: a code and a sentence. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
  ) {
    super(`${code}: ${detail}`);
    this.name = "AwsError";
  }

  /** The same refusal, told the way the provider tells it: `creating EC2 Subnet: InvalidSubnet.Range: …`. */
  during(operation: string): AwsError {
    const error = new AwsError(this.code, this.detail);
    error.message = `${operation}: ${this.message}`;
    return error;
  }
}

export function fail(code: string, detail: string): never {
  throw new AwsError(code, detail);
}

/** Inputs that a provider refuses before it asks AWS: found at preview. */
export interface Problem {
  property: string;
  reason: string;
}

/** Collects what is wrong with a resource's inputs. */
export class Problems {
  readonly found: Problem[] = [];

  add(property: string, reason: string): void {
    this.found.push({ property, reason });
  }
}

export class CheckError extends Error {
  constructor(
    readonly type: string,
    readonly resource: string,
    readonly problems: Problem[],
  ) {
    super(problems.map((p) => problemText(type, resource, p)).join("\n"));
    this.name = "CheckError";
  }
}

function problemText(type: string, resource: string, { property, reason }: Problem): string {
  const where = property === "" ? "" : ` Examine values at '${resource}.${property}'.`;
  return `${type} resource '${resource}' has a problem: ${reason}.${where}`;
}
