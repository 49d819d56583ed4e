import { Account } from "./account";
import { globalRegion, type StoredResource } from "./storedResource";
import { checkArguments, checkInputs, defaultsKey, nearest, type AutoNaming, type Checked } from "./check";
import { Context, type Surroundings } from "./context";
import { difference, same, type Difference } from "./diff";
import { AwsError, CheckError } from "./errors";
import { Faults } from "./faults";
import { HealthBoard, registering, registeringTarget } from "./health";
import { Machines } from "./machines";
import { MetricBoard } from "./metrics";
import { propertiesOf, type Created, type InvokeType, type Property, type ResourceType } from "./schema";
import { invokes, resourceTypes } from "./services";
import * as names from "./services/names";
import { checkTags } from "./services/tags";
import { equal, isUnknown, unknownValue, type Path, type Props, type Value } from "./values";

/** What a provider was configured with: where it works and what it adds to every resource. */
export interface Scope {
  region: string;
  defaultTags?: Record<string, string>;
}

export interface State {
  id: string;
  outputs: Props;
}

interface CloudOptions {
  /** Tests need many key pairs and look at none: use one per algorithm. */
  cheapKeys?: boolean;
}

/** The operations of a provider on the account; both doors (gRPC and mocks) call these and nothing else. */
export class Cloud {
  readonly machines: Machines;
  readonly health = new HealthBoard(registering);
  /** Of target groups, by their ARNs. */
  readonly targetHealth = new HealthBoard(registeringTarget);
  readonly metrics = new MetricBoard();
  readonly faults = new Faults();
  readonly surroundings: Surroundings;

  constructor(
    readonly account: Account,
    options: CloudOptions = {},
  ) {
    this.machines = new Machines(account);
    this.surroundings = { machines: this.machines, cheapKeys: options.cheapKeys ?? false };
    account.onChange((changes) => {
      for (const { kind, resource } of changes) {
        if (kind === "deleted" && resource.type === names.loadBalancerAttachment) {
          const { elb, instance } = resource.attributes as Record<string, string>;
          this.health.forget(resource.region, elb!, instance!);
        }
        if (kind === "deleted" && resource.type === names.targetGroupAttachment) {
          const { targetGroupArn, targetId } = resource.attributes as Record<string, string>;
          this.targetHealth.forget(resource.region, targetGroupArn!, targetId!);
        }
      }
    });
  }

  /** The table of a type; an unknown one is an error. */
  type(token: string): ResourceType {
    const type = resourceTypes.get(token);
    if (!type) {
      throw new AwsError(
        "UnknownResourceType",
        `the simulated region does not know the resource type "${token}"${hint(token, [...resourceTypes.keys()])}`,
      );
    }
    return type;
  }

  invokeType(token: string): InvokeType {
    const invoke = invokes.get(token);
    if (!invoke) {
      throw new AwsError(
        "UnknownFunction",
        `the simulated region does not know the function "${token}"${hint(token, [...invokes.keys()])}`,
      );
    }
    return invoke;
  }

  check(
    token: string,
    request: {
      name: string;
      urn: string;
      olds?: Props;
      news: Props;
      randomSeed?: Uint8Array;
      autoNaming?: AutoNaming;
    },
  ): Checked {
    return checkInputs({ ...request, type: this.type(token) });
  }

  diff(
    token: string,
    scope: Scope,
    olds: Props,
    news: Props,
    oldInputs: Props | undefined,
    ignored: string[] = [],
  ): Difference {
    const type = this.type(token);
    const context = this.context(type, scope, news);
    const effective = withIgnored(type, news, olds, oldInputs, ignored);
    const result = difference(type, olds, effective, oldInputs, context.region);
    const anyway = type.replaceAnyway?.(context, olds);
    if (anyway !== undefined) {
      result.changed.push(anyway);
      result.replaces.push(anyway);
      result.detailed.set(anyway, { kind: "update", replace: true, input: false });
    }
    if (type.tagged) {
      this.diffTagsAll(type, context, olds, effective, result);
    }
    return result;
  }

  /** Default tags of the provider changed: the tags of the resource do, although its inputs do not. */
  private diffTagsAll(
    type: ResourceType,
    context: Context,
    olds: Props,
    news: Props,
    result: Difference,
  ): void {
    if (isUnknown(news["tags"]) || result.changed.includes("tags")) {
      return;
    }
    const property = propertiesOf(type)["tagsAll"]!;
    const before = olds["tagsAll"] ?? {};
    const after = tagsAll(context, news["tags"]) as Props;
    if (!same(property, before, after)) {
      const changed = new Map<string, "add" | "delete" | "update">();
      for (const key of new Set([...Object.keys(before as Props), ...Object.keys(after)])) {
        const was = (before as Props)[key];
        const is = after[key];
        if (was !== is) {
          changed.set(key, was === undefined ? "add" : is === undefined ? "delete" : "update");
        }
      }
      result.changed.push("tagsAll");
      for (const [key, kind] of changed) {
        const path = /^[A-Za-z_$][\w$]*$/.test(key) ? `tagsAll.${key}` : `tagsAll["${key}"]`;
        result.detailed.set(path, { kind, replace: false, input: false });
      }
    }
  }

  /** What a create would leave: inputs, and unknown for all that AWS decides. */
  previewCreate(token: string, scope: Scope, inputs: Props): Props {
    const type = this.type(token);
    const context = this.context(type, scope, inputs);
    const outputs = plainInputs(inputs);
    fillUnknown(propertiesOf(type), outputs);
    return { ...outputs, ...this.common(type, context, inputs) };
  }

  async create(token: string, scope: Scope, inputs: Props): Promise<State> {
    const type = this.type(token);
    const context = this.context(type, scope, inputs);
    const wanted = plainInputs(inputs);
    return guarded(`creating ${type.title}`, async () => {
      if (type.local) {
        const { id, attributes } = await type.create(context, wanted);
        return { id, outputs: { ...wanted, ...attributes, id } };
      }
      const stored = this.account.transaction(() => {
        const common = this.common(type, context, wanted);
        checkTags(token, (common["tagsAll"] ?? {}) as Props);
        const created = type.create(context, wanted) as Created;
        return this.account.create({
          type: token,
          id: created.id,
          region: context.region,
          attributes: { ...wanted, ...common, ...created.attributes },
          hidden: created.hidden ?? {},
        });
      });
      await type.settle?.(context, stored);
      return { id: stored.id, outputs: this.outputs(this.find(context, type, stored.id)!, context) };
    });
  }

  previewUpdate(token: string, scope: Scope, olds: Props, news: Props, ignored: string[] = []): Props {
    const type = this.type(token);
    const context = this.context(type, scope, news);
    const effective = withIgnored(type, news, olds, undefined, ignored);
    const { changed } = difference(type, olds, effective, undefined, context.region);
    const outputs = this.merged(type, context, olds, effective);
    for (const key of type.recomputed?.(new Set(changed)) ?? []) {
      outputs[key] = unknownValue;
    }
    return outputs;
  }

  async update(
    token: string,
    scope: Scope,
    id: string,
    olds: Props,
    news: Props,
    ignored: string[] = [],
  ): Promise<Props> {
    const type = this.type(token);
    const context = this.context(type, scope, news);
    const effective = plainInputs(withIgnored(type, news, olds, undefined, ignored));
    const changed = new Set(difference(type, olds, effective, undefined, context.region).changed);
    return guarded(`updating ${type.title} (${id})`, async () => {
      if (type.local) {
        return this.merged(type, context, olds, effective);
      }
      const present = () => {
        const stored = this.find(context, type, id);
        if (!stored) {
          throw new AwsError("NotFound", `${type.title} ${id} does not exist any more; refresh to see that`);
        }
        return stored;
      };
      const wasRunning = present().attributes["instanceState"] === "running";
      await type.beforeUpdate?.(context, present(), effective, changed);
      this.account.transaction(() => this.apply(type, context, present(), effective, changed));
      if (wasRunning && present().attributes["instanceState"] === "stopped") {
        await type.settle?.(context, present());
      }
      return this.outputs(present(), context);
    });
  }

  private apply(
    type: ResourceType,
    context: Context,
    stored: StoredResource,
    effective: Props,
    changed: Set<string>,
  ): void {
    const common = this.common(type, context, effective);
    checkTags(type.token, (common["tagsAll"] ?? {}) as Props);
    const computed = changed.size > 0 ? type.update?.(context, stored, effective, changed) : undefined;
    const current = this.find(context, type, stored.id)!;
    const next: Record<string, Value | undefined> = {};
    for (const key of changed) {
      next[key] = effective[key];
    }
    for (const [key, property] of Object.entries(propertiesOf(type))) {
      // Flags of the provider that equal "nothing" are no change, but belong to the state.
      if (!property.output && effective[key] !== undefined && current.attributes[key] === undefined) {
        next[key] = effective[key];
      }
    }
    this.account.update(current, { ...next, ...common, ...computed });
  }

  async delete(token: string, scope: Scope, id: string, olds: Props): Promise<void> {
    const type = this.type(token);
    if (type.local) {
      return;
    }
    const context = this.context(type, scope, olds);
    await guarded(`deleting ${type.title} (${id})`, async () => {
      const stored = this.find(context, type, id);
      if (!stored) {
        type.deleteGone?.(context, olds);
        return; // somebody else deleted it: that is what was asked for
      }
      await type.beforeDelete?.(context, stored);
      this.account.transaction(() => {
        const current = this.find(context, type, id);
        if (current) {
          type.delete?.(context, current);
          this.account.delete(current);
        }
      });
    });
  }

  /** The present state, or nothing when it is gone. */
  read(token: string, scope: Scope, id: string, olds?: Props): State | undefined {
    const type = this.type(token);
    if (type.local) {
      return olds && { id, outputs: olds };
    }
    const context = this.context(type, scope, olds ?? {});
    const stored =
      this.find(context, type, id) ?? (olds === undefined ? type.findImport?.(context, id) : undefined);
    return stored && { id: stored.id, outputs: this.outputs(stored, context) };
  }

  /** The inputs that describe a state: what the program said, brought up to date, or all of it for an import. */
  inputsOf(token: string, outputs: Props, oldInputs?: Props, oldOutputs?: Props): Props {
    const type = this.type(token);
    const inputs: Props = {};
    const redundant = oldInputs === undefined ? ["region", ...(type.redundant?.(outputs) ?? [])] : [];
    for (const [key, property] of Object.entries(propertiesOf(type))) {
      const value = outputs[key];
      if (property.output || value === undefined || redundant.includes(key)) {
        continue;
      }
      const before = oldInputs?.[key];
      if (oldInputs === undefined) {
        if (!isDefault(property, value)) {
          inputs[key] = withoutComputed(property, value);
        }
      } else if (before !== undefined) {
        inputs[key] = same(property, value, before) ? before : withoutComputed(property, value);
      } else if (!property.computed && !equal(oldOutputs?.[key], value) && !isDefault(property, value)) {
        inputs[key] = withoutComputed(property, value);
      }
    }
    const defaults = oldInputs?.[defaultsKey];
    inputs[defaultsKey] = defaults ?? [];
    return inputs;
  }

  invoke(token: string, scope: Scope, args: Props): Props {
    const invoke = this.invokeType(token);
    const { inputs, problems } = checkArguments(invoke, args);
    if (problems.length > 0) {
      throw new CheckError(token, "invoke", problems);
    }
    const region = typeof inputs["region"] === "string" ? inputs["region"] : scope.region;
    const context = new Context(this.account, region, scope.defaultTags ?? {}, this.surroundings);
    if (region !== globalRegion) {
      this.account.seeds.region(region);
    }
    return invoke.call(context, inputs);
  }

  /** Names of outputs (and inputs) that are secret whatever the program says. */
  sensitive(token: string): Path[] {
    return Object.entries(propertiesOf(this.type(token)))
      .filter(([, property]) => property.sensitive)
      .map(([key]) => [key]);
  }

  /** A stored resource as the provider shows it. */
  outputs(stored: StoredResource, context = this.contextOf(stored)): Props {
    const type = this.type(stored.type);
    return { ...stored.attributes, ...type.view?.(context, stored), id: stored.id };
  }

  private contextOf(stored: StoredResource): Context {
    return new Context(this.account, stored.region, {}, this.surroundings);
  }

  private context(type: ResourceType, scope: Scope, props: Props): Context {
    if (type.global) {
      return new Context(this.account, globalRegion, scope.defaultTags ?? {}, this.surroundings);
    }
    const own = props["region"];
    const region = typeof own === "string" && !isUnknown(own) ? own : scope.region;
    this.account.seeds.region(region);
    return new Context(this.account, region, scope.defaultTags ?? {}, this.surroundings);
  }

  private find(context: Context, type: ResourceType, id: string): StoredResource | undefined {
    return context.find(type.token, id);
  }

  private common(type: ResourceType, context: Context, inputs: Props): Props {
    return {
      ...(type.global ? {} : { region: context.region }),
      ...(type.tagged ? { tagsAll: tagsAll(context, inputs["tags"]) } : {}),
    };
  }

  private merged(type: ResourceType, context: Context, olds: Props, news: Props): Props {
    const outputs: Props = { ...olds };
    for (const [key, property] of Object.entries(propertiesOf(type))) {
      if (property.output) {
        continue;
      }
      if (news[key] !== undefined) {
        outputs[key] = news[key];
      } else if (!property.computed) {
        delete outputs[key];
      }
    }
    return { ...outputs, ...this.common(type, context, news) };
  }
}

function hint(token: string, known: string[]): string {
  const close = nearest(token, known);
  return close
    ? `; did you mean "${close}"?`
    : ": it models only what this project uses (simulator/services)";
}

async function guarded<T>(operation: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof AwsError ? error.during(operation) : error;
  }
}

function plainInputs(inputs: Props): Props {
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== defaultsKey));
}

function tagsAll(context: Context, tags: Value | undefined): Value {
  return isUnknown(tags) ? unknownValue : { ...context.defaultTags, ...((tags as Props | undefined) ?? {}) };
}

/** The engine leaves ignored properties to the provider's comparison, too. */
function withIgnored(
  type: ResourceType,
  news: Props,
  olds: Props,
  oldInputs: Props | undefined,
  ignored: string[],
): Props {
  const result = { ...news };
  for (const path of ignored) {
    const key = path.split(/[.[]/)[0]!;
    if (key !== path) {
      continue; // the engine has already put the old input back for inner paths
    }
    const before = oldInputs?.[key] ?? olds[key];
    if (before === undefined || propertiesOf(type)[key]?.output) {
      delete result[key];
    } else {
      result[key] = olds[key] ?? before;
    }
  }
  return result;
}

function fillUnknown(properties: Record<string, Property>, outputs: Props): void {
  for (const [key, property] of Object.entries(properties)) {
    if (outputs[key] === undefined && (property.output || property.computed)) {
      outputs[key] = unknownValue;
    }
  }
}

function isDefault(property: Property, value: Value): boolean {
  const empty =
    value === "" ||
    value === false ||
    value === 0 ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return property.default !== undefined ? equal(value, property.default) : empty;
}

function withoutComputed(property: Property, value: Value): Value {
  if (property.kind === "object" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => property.fields![key] && !property.fields![key].output)
        .map(([key, item]) => [key, withoutComputed(property.fields![key]!, item)]),
    );
  }
  return Array.isArray(value) && property.item ? value.map((v) => withoutComputed(property.item!, v)) : value;
}
