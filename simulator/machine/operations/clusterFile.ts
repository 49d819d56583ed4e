/** cluster.env, from the parameter `<prefix>/cluster`. */
import { parseEnvironment } from "../fileSystem";

/** The addresses in MEMBERS of cluster.env. */
export function membersOf(clusterEnvironment: string | undefined): string[] {
  return (parseEnvironment(clusterEnvironment ?? "")["MEMBERS"] ?? "").split(" ");
}
