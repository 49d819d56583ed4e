/** What a program registers, from `pulumi preview --json`. */

export interface PreviewedResource {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  dependencies: string[];
}

export interface Previewed {
  /** By URN; components, memory and the stack included. */
  resources: Map<string, PreviewedResource>;
  /** What the cloud gets, as `type name`. */
  inAws: string[];
  /** Resources in the longest chain of which each needs the one before. */
  longestChain: number;
  /** Bytes of the longest user data of any instance. */
  userDataBytes: number;
}

interface PreviewJson {
  steps: {
    urn: string;
    newState?: {
      type: string;
      custom?: boolean;
      inputs?: Record<string, unknown>;
      dependencies?: string[];
    };
  }[];
}

export function readPreview(json: string): Previewed {
  const { steps } = JSON.parse(json) as PreviewJson;
  const resources = new Map<string, PreviewedResource>();
  for (const { urn, newState } of steps) {
    if (newState && !newState.type.startsWith("pulumi:providers:")) {
      const { type, inputs = {}, dependencies = [] } = newState;
      resources.set(urn, { type, name: urn.slice(urn.lastIndexOf("::") + 2), inputs, dependencies });
    }
  }
  return {
    resources,
    inAws: [...resources.values()].filter(isReal).map(keyOf).sort(),
    longestChain: longestChain(resources),
    userDataBytes: Math.max(
      0,
      ...[...resources.values()].map(({ inputs }) => Buffer.byteLength(String(inputs["userData"] ?? ""))),
    ),
  };
}

/** Made by a provider: no component, no stack, none of the engine's own memory. */
function isReal({ type }: PreviewedResource): boolean {
  return /^(aws|random|tls):/.test(type);
}

function keyOf({ type, name }: PreviewedResource): string {
  return `${type} ${name}`;
}

function longestChain(resources: Map<string, PreviewedResource>): number {
  const lengths = new Map<string, number>();
  // The engine lists a resource after those it depends on.
  for (const [urn, { dependencies }] of resources) {
    lengths.set(urn, 1 + Math.max(0, ...dependencies.map((dependency) => lengths.get(dependency) ?? 0)));
  }
  return Math.max(...lengths.values());
}

/** Throws unless both programs register the same resources with the same inputs. */
export function compareResources(components: Previewed, byHand: Previewed): void {
  const inputsOf = ({ resources }: Previewed) =>
    new Map(
      [...resources.values()].filter(isReal).map((resource) => [keyOf(resource), comparable(resource)]),
    );
  const ours = inputsOf(components);
  const theirs = inputsOf(byHand);
  const different = [...new Set([...ours.keys(), ...theirs.keys()])].filter(
    (key) => ours.get(key) !== theirs.get(key),
  );
  if (different.length > 0) {
    const lines = different.map((key) => `  ${key}\n    ${ours.get(key)}\n    ${theirs.get(key)}`);
    throw new Error(`bench/byHand is not what the components make; change it:\n${lines.join("\n")}`);
  }
}

function comparable({ inputs }: PreviewedResource): string {
  const sorted = (value: unknown): unknown =>
    typeof value !== "object" || value === null
      ? value
      : Array.isArray(value)
        ? value.map(sorted)
        : Object.fromEntries(
            Object.entries(value)
              .sort(([one], [other]) => (one < other ? -1 : 1))
              // The image's id is a secret to who looks it up by hand, because of what comes along with it.
              .map(([key, item]) => [key, key === "ami" ? "image" : sorted(item)]),
          );
  // Names that the engine makes up end at random.
  return JSON.stringify(sorted(inputs)).replace(/(emqx-[\w-]+)-[0-9a-f]{7}"/g, '$1"');
}
