import * as pulumi from "@pulumi/pulumi";

/**
 * What `pulumi destroy` meets first, because it depends on everything else. With `protect` it cannot be deleted, so a
 * destroy ends there and not half way, after the nodes: with `--skip-preview`, Pulumi looks at the protection of a
 * resource when its turn comes. It makes nothing in AWS. It is always there, because one that is protected could not be
 * taken away; its text shows reviewers that the protection has changed.
 */
export function guardDeletion(
  name: string,
  parent: pulumi.Resource,
  protect: boolean,
  everything: pulumi.Resource[],
): void {
  const input = protect ? "protected" : "not protected";
  new pulumi.Stash(name, { input }, { parent, protect, dependsOn: everything });
}
