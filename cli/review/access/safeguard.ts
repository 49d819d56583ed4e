import type { Safeguard } from "../../../components/emqx/access";

/** A safeguard, and whose it is. */
export interface Owned extends Safeguard {
  /** The same on both sides of a change. */
  key: string;
  owner: string;
  /** What it is a safeguard of: comes and goes with it. Default: whatever has the same key. */
  subject?: string;
  /** What it amounts to where it is not there; left out: then there is nothing to compare with. */
  absent?: Pick<Safeguard, "state" | "rank">;
}

/** `weaker` lets more people do more, `stronger` fewer or less; `other` may do either, and is taken for the worse. */
export type Direction = "weaker" | "stronger" | "other";

export interface AccessChange {
  what: string;
  owners: string[];
  before: string;
  after: string;
  direction: Direction;
  affectsClients: boolean;
}

export function isLoosened({ direction }: AccessChange): boolean {
  return direction !== "stronger";
}
