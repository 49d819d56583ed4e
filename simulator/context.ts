import { type Account } from "./account";
import { accountNumber, globalRegion, type StoredResource } from "./storedResource";
import type { Machines } from "./machines";
import { partitionOf } from "./partition";
import type { RegionSeed } from "./seeds";
import type { Props } from "./values";

export interface Surroundings {
  machines: Machines;
  /** True where nobody looks at keys (unit tests): key pairs may be used twice. */
  cheapKeys: boolean;
}

/** What an operation sees: the account from inside one region, with that provider's default tags. */
export class Context {
  constructor(
    readonly account: Account,
    readonly region: string,
    readonly defaultTags: Record<string, string>,
    readonly surroundings: Surroundings,
  ) {}

  get regionSeed(): RegionSeed {
    return this.account.seeds.region(this.region);
  }

  get partition(): string {
    return partitionOf(this.region);
  }

  find(type: string, id: string): StoredResource | undefined {
    return this.account.get(type, this.region, id);
  }

  findGlobal(type: string, id: string): StoredResource | undefined {
    return this.account.get(type, globalRegion, id);
  }

  list(type: string): StoredResource[] {
    return this.account.list(type, this.region);
  }

  create(
    type: string,
    id: string,
    attributes: Props,
    hidden: Props = {},
    options: { implicit?: boolean } = {},
  ): StoredResource {
    return this.account.create({ type, id, region: this.region, attributes, hidden, ...options });
  }

  id(prefix: string): string {
    return `${prefix}-0${this.account.hex(16)}`;
  }

  arn(service: string, resource: string): string {
    return `arn:${this.partition}:${service}:${this.region}:${accountNumber}:${resource}`;
  }

  globalArn(service: string, resource: string): string {
    return `arn:${this.partition}:${service}::${accountNumber}:${resource}`;
  }

  timestamp(): string {
    return this.account
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, "Z");
  }
}
