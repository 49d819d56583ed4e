/** The tags that the aws provider gives to everything it makes, which a component's own join on the way to AWS. */
import * as pulumi from "@pulumi/pulumi";
import { getDefaultTagsOutput } from "@pulumi/aws/getDefaultTags";
import { refuseLater } from "./problems";
import { defaultTagProblems, type TagRules, type Tags } from "./tags";

interface Known {
  tags: pulumi.Output<Record<string, string>>;
  /** What was refused already: the parts of a deployment need not say it again. */
  told: Set<string>;
}

/** By program, which has a monitor of its own, and by provider, of which undefined is the default one. */
const known = new WeakMap<object, Map<pulumi.ProviderResource | undefined, Known>>();

/** Refuses the provider's default tags, beside a component's own, at preview. The provider knows them: no call of AWS. */
export function checkDefaultTags(
  subject: string,
  parent: pulumi.Resource,
  own: Tags | undefined,
  rules: TagRules = {},
): void {
  const { tags, told } = askOnce(parent);
  tags.apply((defaults) => {
    const problems = defaultTagProblems(defaults, Object.keys(own ?? {}), rules);
    refuseLater(
      subject,
      problems.filter((problem) => !told.has(problem) && told.add(problem)),
    );
  });
}

function askOnce(parent: pulumi.Resource): Known {
  const program = pulumi.runtime.getMonitor() ?? {};
  const byProvider = known.get(program) ?? new Map<pulumi.ProviderResource | undefined, Known>();
  known.set(program, byProvider);
  const provider = parent.getProvider("aws:index/getDefaultTags:getDefaultTags");
  const found = byProvider.get(provider) ?? { tags: ask(parent), told: new Set<string>() };
  byProvider.set(provider, found);
  return found;
}

/** Nothing where the provider has none, which it may tell as null, or where a unit test's mocks answer nothing. */
function ask(parent: pulumi.Resource): Known["tags"] {
  const { tags } = getDefaultTagsOutput({}, { parent });
  return tags.apply((found: Record<string, string> | null | undefined) => found ?? {});
}
