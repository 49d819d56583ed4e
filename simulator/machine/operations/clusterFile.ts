/** cluster.env, from the parameter `<prefix>/cluster`. */

/** The addresses in MEMBERS of cluster.env. */
export function membersOf(clusterEnvironment: string | undefined): string[] {
  return (/^MEMBERS='([^']*)'/m.exec(clusterEnvironment ?? "")?.[1] ?? "").split(" ");
}
