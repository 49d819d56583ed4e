import * as pulumi from "@pulumi/pulumi";
import { Account } from "./account";
import { Cloud, type Scope } from "./cloud";
import { CheckError } from "./errors";
import { checkProviderConfig, parseConfig, scopeOf } from "./providerConfig";
import { QuickMachines } from "./quickMachines";
import { Seeds } from "./seeds";
import {
  decode,
  encode,
  isUnknown,
  pathText,
  unknownValue,
  type Path,
  type Props,
  type Value,
} from "./values";

/** A resource as the program registered it. */
export interface Registered {
  type: string;
  name: string;
  /** What the program passed; secrets are unwrapped, values unknown in a preview are `unknown`. */
  inputs: Props;
  /** Paths of the inputs that are secret: `value`, `tags.Token`. */
  secrets: string[];
  /** False for components. */
  custom: boolean;
  provider?: string;
  id?: string;
  /** What the program sees; undefined for components. */
  outputs?: Props;
}

interface MockedCall {
  token: string;
  inputs: Props;
}

export interface RegionMocksOptions {
  /** Default region of the aws provider. */
  region?: string;
  defaultTags?: Record<string, string>;
  /** What a `pulumi.Stash` remembers, by its name; one that is not here remembers its input. */
  stashes?: Record<string, unknown>;
  /** Continue in an existing account; default: a new one. */
  account?: Account;
}

let seeds: Seeds | undefined;

/** A new account with what account.yaml lists. */
export function newAccount(options: { seed?: string; now?: () => Date } = {}): Account {
  seeds ??= Seeds.load();
  const account = new Account({ seeds, ...options });
  account.restore({
    counter: 0,
    resources: seeds.resources().map((r) => [`${r.type}|${r.region}|${r.id}`, r]),
  });
  return account;
}

/**
 * The simulated region for unit tests:
 *
 *     const mocks = new RegionMocks();
 *     await pulumi.runtime.setMocks(mocks, "project", "stack", false);
 *     … construct components …
 *     await pulumi.runtime.disconnect();      // drains
 *     mocks.registered, mocks.ofType("aws:ec2/vpc:Vpc")
 *
 * Checks, defaults, computed outputs and AWS's rules are those of the provider. Nodes report themselves ready
 * by themselves (see quickMachines.ts). In preview mode only the checks run and computed outputs are unknown.
 */
export class RegionMocks implements pulumi.runtime.Mocks {
  readonly registered: Registered[] = [];
  readonly calls: MockedCall[] = [];
  /** Resources that are being made. */
  pending = 0;
  readonly account: Account;
  readonly cloud: Cloud;
  private readonly scope: Scope;
  private readonly providers = new Map<string, Scope>();
  private readonly stashes: Record<string, unknown>;

  constructor(options: RegionMocksOptions = {}) {
    this.account = options.account ?? newAccount();
    this.cloud = new Cloud(this.account, { cheapKeys: true });
    this.cloud.machines.attach(new QuickMachines(this.cloud));
    this.scope = { region: options.region ?? "eu-west-1", defaultTags: options.defaultTags };
    this.stashes = options.stashes ?? {};
  }

  /** Registered resources of a type, in order. */
  ofType(type: string): Registered[] {
    return this.registered.filter((r) => r.type === type);
  }

  /** The one resource of that name (and type, where two share the name). */
  named(name: string, type?: string): Registered {
    const found = this.registered.filter((r) => r.name === name && (type === undefined || r.type === type));
    if (found.length !== 1) {
      const known = this.registered.map((r) => `${r.name} (${r.type})`).join(", ");
      throw new Error(`${found.length} resources are named "${name}"; registered are ${known}`);
    }
    return found[0]!;
  }

  async newResource(args: pulumi.runtime.MockResourceArgs): Promise<pulumi.runtime.MockResourceResult> {
    const { props, secrets } = decode((await wire(args.inputs)) as Record<string, unknown>);
    const entry: Registered = {
      type: args.type,
      name: args.name,
      inputs: props,
      secrets: secrets.map(pathText),
      custom: args.custom ?? true,
      ...(args.provider ? { provider: args.provider } : {}),
    };
    this.registered.push(entry);
    if (args.custom === false) {
      return { id: undefined, state: args.inputs as Props };
    }
    if (args.type === "pulumi:index:Stash") {
      const remembered = args.name in this.stashes ? this.stashes[args.name] : props["input"];
      return { id: args.name, state: { input: props["input"], output: remembered } };
    }
    if (args.type.startsWith("pulumi:providers:")) {
      return this.newProvider(args, props, entry);
    }
    this.pending++;
    const { id, outputs, sensitive } = await this.create(args, props).finally(() => this.pending--);
    entry.id = id;
    entry.outputs = outputs;
    const known = Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== unknownValue));
    return { id, state: encode(known, [...secrets, ...sensitive]) };
  }

  private newProvider(args: pulumi.runtime.MockResourceArgs, props: Props, entry: Registered) {
    const config = parseConfig(props);
    const problems = checkProviderConfig(args.type.split(":")[2]!, config, this.account.seeds);
    if (problems.length > 0) {
      throw new CheckError(args.type, args.name, problems);
    }
    entry.id = `${args.name}-id`;
    this.providers.set(entry.id, scopeOf(config, this.scope.region));
    return { id: entry.id, state: props };
  }

  private async create(
    args: pulumi.runtime.MockResourceArgs,
    news: Props,
  ): Promise<{ id: string | undefined; outputs: Props; sensitive: Path[] }> {
    const scope = this.scopeFor(args.provider);
    const sensitive = this.cloud.sensitive(args.type);
    if (args.id && Object.keys(news).length === 0) {
      const found = this.cloud.read(args.type, scope, args.id);
      if (!found) {
        throw new Error(`resource '${args.id}' does not exist`);
      }
      return { ...found, sensitive };
    }
    const { inputs, problems } = this.cloud.check(args.type, {
      name: args.name,
      urn: `${args.type}::${args.name}`,
      news,
      randomSeed: Buffer.from(`${args.type}::${args.name}`),
    });
    if (problems.length > 0) {
      throw new CheckError(args.type, args.name, problems);
    }
    if (pulumi.runtime.isDryRun()) {
      return { id: undefined, outputs: this.cloud.previewCreate(args.type, scope, inputs), sensitive };
    }
    const state = await this.cloud.create(args.type, scope, inputs);
    return { ...state, sensitive };
  }

  async call(args: pulumi.runtime.MockCallArgs): Promise<pulumi.runtime.MockCallResult> {
    const { props } = decode((await wire(args.inputs)) as Record<string, unknown>);
    this.calls.push({ token: args.token, inputs: props });
    const result = withDetails(() => this.cloud.invoke(args.token, this.scopeFor(args.provider), props));
    const { sensitive } = this.cloud.invokeType(args.token);
    return encode(
      result,
      (sensitive ?? []).map((key) => [key]),
    );
  }

  private scopeFor(provider: string | undefined): Scope {
    const id = provider?.split("::").pop();
    return (id && this.providers.get(id)) || this.scope;
  }
}

/** Of a call that fails, the SDK shows no more than what gRPC calls details (@pulumi/pulumi/runtime/invoke.js). */
function withDetails<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw Object.assign(error as Error, { details: (error as Error).message });
  }
}

/** The SDK hands over live objects; this turns them back into what travels. */
async function wire(value: unknown): Promise<unknown> {
  if (pulumi.isUnknown(value)) {
    return unknownValue;
  }
  if (pulumi.CustomResource.isInstance(value)) {
    return new Promise((resolve) => value.id.apply((id) => resolve(id)));
  }
  if (Array.isArray(value)) {
    return Promise.all(value.map(wire));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(async ([key, item]) => [key, await wire(item)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }
  return value;
}

/** Whether a recorded input was not known (in a preview). */
export function isUnknownInput(value: Value | undefined): boolean {
  return isUnknown(value);
}
