/** What a node's parameters say, and what it means when they cannot be read. Pure. */

/** What a node's parameters hold before it first reports. */
export const notReportedYet = "never";

/** A report with exactly this text. */
export function isSame(reported: string, expected: string): boolean {
  return reported === expected;
}

/**
 * A report with all of these secrets, `<name>=<version> …`, each in this version or a later one: whoever changes a secret
 * in SSM raises its version past the one that the stack knows. There may be more secrets: a parameter that leaves the
 * deployment goes only after the nodes, which report it until then.
 */
export function hasAll(reported: string, expected: string): boolean {
  const taken = versionsIn(reported);
  return [...versionsIn(expected)].every(([name, version]) => (taken.get(name) ?? -1) >= version);
}

function versionsIn(report: string): Map<string, number> {
  return new Map(
    [...report.matchAll(/(\S+)=(\d+)(?!\S)/g)].map(([, name, version]) => [name ?? "", Number(version)]),
  );
}

/**
 * Why this instance's boot has ended without success, if that is what the node reported: `failed <instance>: <why>`. It tries
 * again by itself, and says `booting <instance>` when it does.
 */
export function bootFailure(reported: string, instanceId: string): string | undefined {
  const prefix = `failed ${instanceId}: `;
  return reported.startsWith(prefix) ? reported.slice(prefix.length).trim() : undefined;
}

/** Whether a node is a loss when it goes. What was there before and is not ready is down. */
export type Standing = "new" | "down" | "serving";

/**
 * How a node stands whose parameter says this (undefined: it could not be read), if these instances run, and one at the
 * node's own place. Its parameter may have been made anew while it serves: in doubt it does.
 */
export function standingOf(
  reported: string | undefined,
  running: readonly string[],
  isThere: boolean,
): Standing {
  if (reported === undefined || reported === notReportedYet) return isThere ? "serving" : "new";
  return running.includes(reported) ? "serving" : "down";
}

/** Why a parameter could not be read. */
export interface Obstacle {
  message: string;
  /** What to do where waiting does not help; undefined where it may. */
  remedy?: string;
}

/**
 * Codes of AWS under which the same request fails until somebody does something; throttling, time-outs and faults of the
 * service pass (https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html). The provider says
 * "couldn't find resource" for ParameterNotFound (hashicorp/terraform-provider-aws:internal/service/ssm/parameter_data_source.go),
 * and "no valid credential sources" where it finds none at all (hashicorp/aws-sdk-go-base:errors.go).
 */
const hopeless: [RegExp, (parameter: string) => string][] = [
  [
    /\b(AccessDenied(Exception)?|NotAuthorized|UnauthorizedOperation)\b/,
    (parameter) =>
      `Allow the credentials of this update ssm:GetParameter on ${parameter}, then run the command again.`,
  ],
  [
    /\b(ExpiredToken(Exception)?|RequestExpired|UnrecognizedClientException|InvalidClientTokenId|IncompleteSignature|InvalidSignatureException|SignatureDoesNotMatch|AuthFailure|OptInRequired)\b|no valid credential sources|failed to refresh cached credentials|get(ting)? credentials/i,
    () =>
      "Renew the credentials of this update (aws sts get-caller-identity tells whether they work), then run the command again.",
  ],
  [
    /\bParameterNotFound\b|couldn't find resource/,
    (parameter) =>
      `Somebody has deleted ${parameter}: pulumi refresh sees that, and pulumi up then makes it again.`,
  ],
];

/** What an error means for a wait. */
export function obstacle(parameter: string, error: unknown): Obstacle {
  const message = error instanceof Error ? error.message : String(error);
  const known = hopeless.find(([pattern]) => pattern.test(message));
  return known ? { message, remedy: known[1](parameter) } : { message };
}
