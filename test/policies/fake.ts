/** Calls policies as the engine would, without it. */
import type {
  Policy,
  PolicyResource,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import { policies } from "../../policies/policies";

export interface Given {
  type: string;
  name?: string;
  props: Record<string, unknown>;
  /** Property to names of the resources that it comes from. */
  from?: Record<string, string[]>;
}

function find(name: string): Policy {
  const policy = policies.find((candidate) => candidate.name === name);
  if (!policy) throw new Error(`there is no policy ${name}`);
  return policy;
}

const urnOf = (type: string, name: string) => `urn:pulumi:test::test::${type}::${name}`;

/** What a policy says about one resource. */
export async function violationsOf(policyName: string, given: Given, config: object = {}): Promise<string[]> {
  const { validateResource } = find(policyName) as ResourceValidationPolicy;
  if (!validateResource) throw new Error(`${policyName} is for stacks`);
  const { type, name = "it", props } = given;
  const args = {
    type,
    name,
    props,
    urn: urnOf(type, name),
    getConfig: () => config,
  } as unknown as ResourceValidationArgs;
  const found: string[] = [];
  for (const validate of [validateResource].flat()) {
    await validate(args, (message) => found.push(message));
  }
  return found;
}

/** What a policy says about a whole stack. */
export async function stackViolationsOf(policyName: string, ...given: Given[]): Promise<string[]> {
  const { validateStack } = find(policyName) as StackValidationPolicy;
  if (!validateStack) throw new Error(`${policyName} is for resources`);
  const resources = given.map(({ type, name = "it", props }) => ({
    type,
    name,
    props,
    urn: urnOf(type, name),
    dependencies: [],
    propertyDependencies: {},
  })) as unknown as PolicyResource[];
  given.forEach(({ from = {} }, i) => {
    const dependencies = Object.entries(from).map(([property, names]) => [
      property,
      resources.filter(({ name }) => names.includes(name)),
    ]);
    resources[i]!.propertyDependencies = Object.fromEntries(dependencies) as Record<string, PolicyResource[]>;
  });
  const found: string[] = [];
  await validateStack(
    { resources, getConfig: <T>() => ({}) as T, stackTags: new Map(), notApplicable: fail },
    (message) => found.push(message),
  );
  return found;
}

function fail(): never {
  throw new Error("not expected here");
}
