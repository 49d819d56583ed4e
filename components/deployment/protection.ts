import * as pulumi from "@pulumi/pulumi";

/**
 * What `pulumi destroy` meets first while `protect` is on, because it depends on everything else: it cannot be deleted, so
 * a destroy ends there and not half way, after the nodes. With `--skip-preview`, Pulumi looks at the protection of a
 * resource only when its turn comes. It makes nothing in AWS. It is always there, because one that is protected could not
 * be taken away; its text shows reviewers that the protection has changed. Without `protect` nothing depends on anything
 * for its sake, and `pulumi state delete` and `--target` work as ever.
 */
export function guardDeletion(
  name: string,
  parent: pulumi.Resource,
  protect: boolean,
  everything: pulumi.Resource[],
): void {
  const input = protect ? "protected" : "not protected";
  new pulumi.Stash(name, { input }, { parent, protect, dependsOn: protect ? everything : [] });
}
