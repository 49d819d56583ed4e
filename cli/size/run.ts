import { UserError } from "../console";
import { formatSizing, jsonOf } from "./format";
import type { SizeInput } from "./input";
import { defaultInput, inputProblems } from "./input";
import type { Assumed } from "./numbers";
import { size } from "./size";

/** What the command line gives: what is left out has a default. */
export interface Asked {
  connections: number;
  rate: number;
  payloadBytes?: number;
  qos?: number;
  keepAlive?: number;
  tls?: boolean;
  fanOut?: number;
  retained?: number;
  users?: number;
  instanceType?: string;
  nodes?: number;
  region?: string;
  assume?: Record<string, number>;
}

/** The proposal as text. Refuses what cannot be answered, with everything that is wrong. */
export function runSize(asked: Asked, json: boolean): string {
  const input = inputOf(asked);
  refuse(inputProblems(input));
  const { proposal, problems } = size(input);
  if (!proposal) refuse(problems);
  return proposal
    ? json
      ? JSON.stringify(jsonOf(input, proposal), undefined, 2)
      : formatSizing(input, proposal)
    : "";
}

export function inputOf({ keepAlive, ...asked }: Asked): SizeInput {
  const given = Object.entries({ ...asked, keepAliveSeconds: keepAlive }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...defaultInput,
    ...(Object.fromEntries(given) as unknown as SizeInput),
    assume: (asked.assume ?? {}) as Partial<Assumed>,
  };
}

function refuse(problems: string[]): void {
  if (problems.length > 0) throw new UserError(problems.join("\n"));
}
