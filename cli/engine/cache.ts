import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where CLIs that were downloaded or built are kept, for every clone of the repository on this account. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(env.HOME ?? homedir(), ".cache"), "emqx-aws", "pulumi");
}
