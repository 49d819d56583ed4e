import type { Context } from "./context";
import type { Problems } from "./errors";
import type { StoredResource } from "./storedResource";
import type { Props, Value } from "./values";

/**
 * The table of a resource type: its properties and what AWS does with them.
 *
 * A type or property that is not in a table does not exist for the simulated region, whether or not AWS has it.
 */
export interface Property {
  kind: "string" | "number" | "integer" | "boolean" | "json" | "list" | "set" | "map" | "object";
  item?: Property;
  fields?: Record<string, Property>;
  required?: boolean;
  /** A change replaces the resource. */
  forceNew?: boolean | ((news: Props, olds: Props) => boolean);
  default?: Value;
  /** AWS chooses a value where none is given; leaving it out later is no change. */
  computed?: boolean;
  /** Never an input. */
  output?: boolean;
  sensitive?: boolean;
  /** Values that mean the same, e.g. letter case. Used for comparing only. */
  normalise?: (value: Value) => Value;
  /** Where the provider sees no change of it, whatever it was and is (`DiffSuppressFunc`). */
  suppressed?: (news: Props) => boolean;
  /** Says what is wrong with a known value, or nothing. */
  check?: (value: never) => string | undefined;
}

type PropertyOptions = Omit<Property, "kind" | "item" | "fields" | "check"> & {
  check?: (value: never) => string | undefined;
};

const make =
  (kind: Property["kind"]) =>
  (options: PropertyOptions = {}): Property => ({ kind, ...options });

export const text = make("string");
export const num = make("number");
export const int = make("integer");
export const bool = make("boolean");
/** A JSON document, given as text or as an object; compared by meaning. */
export const json = make("json");
export const list = (item: Property, options: PropertyOptions = {}): Property => ({
  kind: "list",
  item,
  ...options,
});
export const set = (item: Property, options: PropertyOptions = {}): Property => ({
  kind: "set",
  item,
  ...options,
});
export const map = (item: Property, options: PropertyOptions = {}): Property => ({
  kind: "map",
  item,
  ...options,
});
export const object = (fields: Record<string, Property>, options: PropertyOptions = {}): Property => ({
  kind: "object",
  fields,
  ...options,
});
/** Computed outputs, text unless said otherwise. */
export const out = (kind: Property["kind"] = "string", options: PropertyOptions = {}): Property => ({
  kind,
  output: true,
  ...options,
});

/** What a create or update leaves behind. */
export interface Created {
  id: string;
  /** Computed attributes; inputs are stored beside them. */
  attributes?: Props;
  hidden?: Props;
}

export interface AutoName {
  maxLength: number;
  /** The property that takes the name. Default: `name`. */
  property?: string;
  transform?: (name: string) => string;
}

export interface ResourceType {
  token: string;
  /** As the provider names it in errors: "EC2 Subnet". */
  title: string;
  properties: Record<string, Property>;
  /** IAM, Route 53, tls, random: no region. */
  global?: boolean;
  /** Lives in the program's state alone (random values, keys): the account does not know it. */
  local?: boolean;
  /** Has `tags` and `tagsAll`. */
  tagged?: boolean;
  autoName?: AutoName;
  /**
   * What the provider itself refuses (at preview, too). Unknown values arrive as absent; `given` names every
   * property that will have a value.
   */
  validate?: (inputs: Props, problems: Problems, given: Set<string>) => void;
  create: (context: Context, inputs: Props) => Created | Promise<Created>;
  /** Applies the changed properties; returns computed attributes that changed. Absent: everything replaces. */
  update?: (context: Context, resource: StoredResource, inputs: Props, changed: Set<string>) => Props | void;
  delete?: (context: Context, resource: StoredResource) => void;
  /** What takes time: machines that boot or stop. Around the synchronous operation, never inside. */
  beforeUpdate?: (
    context: Context,
    resource: StoredResource,
    inputs: Props,
    changed: Set<string>,
  ) => Promise<void>;
  beforeDelete?: (context: Context, resource: StoredResource) => Promise<void>;
  /** What the provider asks of other resources before it deletes one that is gone; throws where that fails. */
  deleteGone?: (context: Context, olds: Props) => void;
  settle?: (context: Context, resource: StoredResource) => Promise<void>;
  /** Attributes that depend on other resources or on time. */
  view?: (context: Context, resource: StoredResource) => Props;
  /** Computed attributes that an update may change (unknown in its preview). */
  recomputed?: (changed: Set<string>) => string[];
  /** A replacement that no input asks for (an expired certificate). Returns the property to blame. */
  replaceAnyway?: (context: Context, olds: Props) => string | undefined;
  /** Inputs that say the same as others: left out when inputs are read from the account. */
  redundant?: (attributes: Props) => string[];
  /** Finds the resource for an import id that is not the resource's own id. */
  findImport?: (context: Context, importId: string) => StoredResource | undefined;
}

export interface InvokeType {
  token: string;
  properties: Record<string, Property>;
  /** Outputs that are secret. */
  sensitive?: string[];
  call: (context: Context, args: Props) => Props;
}

const typesByToken = new Map<ResourceType, Record<string, Property>>();

/** All properties of a type, tags and region included. */
export function propertiesOf(type: ResourceType): Record<string, Property> {
  let properties = typesByToken.get(type);
  if (!properties) {
    properties = {
      ...type.properties,
      ...(type.tagged ? { tags: map(text()), tagsAll: out("map") } : {}),
      ...(type.global ? {} : { region: text({ computed: true, forceNew: true }) }),
    };
    typesByToken.set(type, properties);
  }
  return properties;
}
