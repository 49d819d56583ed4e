import { glob } from "./services/functions";
import { statementsOf, type Statement } from "./services/policyDocuments";

export interface AccessRequest {
  action: string;
  resource: string;
  /** Condition keys the service sets, lower case: `aws:requestedregion`, … */
  context?: Record<string, string>;
}

type Decision = "allowed" | "explicitly denied" | "not allowed";

/** IAM's decision for one request: an explicit Deny wins, then any Allow. */
export function evaluate(documents: string[], request: AccessRequest): Decision {
  let decision: Decision = "not allowed";
  for (const statement of documents.flatMap(statementsOf)) {
    if (applies(statement, request)) {
      if (statement.Effect === "Deny") {
        return "explicitly denied";
      }
      decision = "allowed";
    }
  }
  return decision;
}

function applies(statement: Statement, request: AccessRequest): boolean {
  const { Action, NotAction, Resource, NotResource, Condition } = statement;
  const action = request.action.toLowerCase();
  const actionFits = (patterns: string | string[]) =>
    [patterns].flat().some((p) => glob(p.toLowerCase()).test(action));
  const resourceFits = (patterns: string | string[]) =>
    [patterns].flat().some((p) => glob(p).test(request.resource));
  return (
    (Action !== undefined ? actionFits(Action) : !actionFits(NotAction ?? [])) &&
    (Resource !== undefined ? resourceFits(Resource) : !resourceFits(NotResource ?? [])) &&
    conditionsHold(Condition ?? {}, request.context ?? {})
  );
}

type Test = (actual: string, wanted: string) => boolean;

const tests: Record<string, Test> = {
  stringequals: (a, w) => a === w,
  stringnotequals: (a, w) => a !== w,
  stringequalsignorecase: (a, w) => a.toLowerCase() === w.toLowerCase(),
  stringlike: (a, w) => glob(w).test(a),
  stringnotlike: (a, w) => !glob(w).test(a),
  arnequals: (a, w) => glob(w).test(a),
  arnlike: (a, w) => glob(w).test(a),
  bool: (a, w) => a === String(w),
};

/** All operators and keys must hold; of several values any (for negations: all). */
function conditionsHold(
  conditions: NonNullable<Statement["Condition"]>,
  context: Record<string, string>,
): boolean {
  return Object.entries(conditions).every(([operator, keys]) => {
    const ifExists = /IfExists$/i.test(operator);
    const name = operator.toLowerCase().replace(/ifexists$/, "");
    const test = tests[name];
    if (!test) {
      throw new Error(
        `the simulated region does not evaluate the policy condition ${operator}; it knows ${Object.keys(tests).join(", ")}`,
      );
    }
    const negated = name.includes("not");
    return Object.entries(keys).every(([key, values]) => {
      const actual = context[key.toLowerCase()];
      if (actual === undefined) {
        return ifExists || negated;
      }
      const wanted = [values].flat().map(String);
      return negated ? wanted.every((w) => test(actual, w)) : wanted.some((w) => test(actual, w));
    });
  });
}
