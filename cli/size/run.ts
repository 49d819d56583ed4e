import type { Answer } from "../command";
import { UserError } from "../console";
import { formatSizing, jsonOf } from "./format";
import type { SizeInput } from "./input";
import { defaultInput, inputProblems } from "./input";
import { size } from "./size";

/** What the command line gives: what is left out has a default. */
export interface Asked {
  connections: number;
  rate: number;
  payload?: number;
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

/** Refuses what cannot be answered, with everything that is wrong. */
export function runSize(asked: Asked): Answer {
  const input = inputOf(asked);
  const wrong = inputProblems(input);
  if (wrong.length > 0) throw refusal(wrong);
  const { proposal, problems } = size(input);
  if (!proposal) throw refusal(problems);
  return { facts: jsonOf(input, proposal), text: () => formatSizing(input, proposal) };
}

function inputOf({ keepAlive, payload, ...asked }: Asked): SizeInput {
  const all = { ...asked, keepAliveSeconds: keepAlive, payloadBytes: payload };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return {
    ...defaultInput,
    ...(Object.fromEntries(given) as unknown as SizeInput),
    assume: asked.assume ?? {},
  };
}

function refusal(problems: string[]): UserError {
  return new UserError(problems.join("\n"));
}
