import type { Props } from "./values";

export const accountNumber = "123456789012";
export const globalRegion = "global";

/** One thing that exists in the account. Immutable: a change stores a new one. */
export interface StoredResource {
  readonly type: string;
  readonly id: string;
  /** "global" for services without regions. */
  readonly region: string;
  /** Inputs and computed outputs together, as the provider's state shows them. */
  readonly attributes: Props;
  /** What AWS knows beside that (an attachment, the subnet of a load balancer's interface). */
  readonly hidden: Props;
  /** Made by AWS itself (a VPC's default group, a root volume); never listed as a resource of a user. */
  readonly implicit: boolean;
  readonly createdAt: string;
}
