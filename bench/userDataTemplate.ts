/** The components' user data with gaps where nodes differ, as somebody would keep it in a file. */
import type { Previewed } from "./previews";

export function userDataTemplate({ resources }: Previewed): string {
  const instance = [...resources.values()].find(
    ({ type, name }) => /:Instance$/.test(type) && /-0$/.test(name),
  );
  const userData = String(instance?.inputs["userData"]);
  const address = /PRIVATE_IP='([\d.]+)'/.exec(userData)?.[1];
  if (address === undefined) throw new Error("the user data of node 0 has no PRIVATE_IP");
  return userData
    .replace(/(static\.seeds = \[\n)(?: +"emqx@[\d.]+",\n)+/, "$1{{seeds}}")
    .replaceAll(address, "{{address}}")
    .replace("NODE_NUMBER='0'", "NODE_NUMBER='{{number}}'");
}
