import type { CommandShape } from "../command";
import { aboveZero, forMachines, onStack, option, real } from "../command";
import { accountOptions } from "./account";
import type { SmokeCommandOptions } from "./run";

/** Is a deployment of any use to clients? */
export const smokeCommand: CommandShape = {
  name: "smoke",
  description: "connect, publish and subscribe as clients do; simulated or real; exit code 1 on any failure",
  options: [
    onStack,
    real,
    ...accountOptions,
    option("--keep-alive <seconds>", "the longest keep-alive of your clients (default: 300)", {
      parse: aboveZero,
    }),
    option("--min-days <days>", "how long the certificate must still be valid (default: 7)", {
      parse: aboveZero,
    }),
    option("--thorough", "wait out the load balancer's idle timeout, however long it is"),
  ],
  json: forMachines,
  more: "The password of a real deployment is read with the aws CLI and your credentials, unless it is given.",
  run: async (session, options: SmokeCommandOptions) => (await import("./run")).runSmoke(session, options),
};
