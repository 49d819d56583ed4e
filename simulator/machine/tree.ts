/** HOCON as it is read: trees of named values. */
export type Tree = Record<string, unknown>;

export function at(tree: Tree, path: string): unknown {
  return path.split(".").reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree);
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

export function textAt(tree: Tree, path: string): string | undefined {
  return text(at(tree, path));
}

/** Empty where there is none. */
export function treeAt(tree: Tree, path: string): Tree {
  const value = at(tree, path);
  return isTree(value) ? value : {};
}
