import { Argument } from "commander";
import type { CommandShape } from "../command";
import { forMachines } from "../command";

/** A cluster on hosts that are there already: one's own, or any cloud's. */
export const hostsCommand: CommandShape = {
  name: "hosts",
  description: "EMQX and its balancers on any hosts: their files, and a check of them",
  commands: [
    {
      name: "render",
      description:
        "writes what each host needs: configuration, firewall, a script that installs it; secrets once",
      arguments: [
        new Argument("<file>", "the hosts and their settings, like examples/hosts/hosts.yaml"),
        new Argument("<folder>", "where to write; what is up to date stays"),
      ],
      json: forMachines,
      run: async (_session, _options: object, file: string, folder: string) =>
        (await import("./render")).renderInto(file, folder),
    },
    {
      name: "check",
      description: "asks haproxy, nginx, keepalived, nft, systemd, bash and shellcheck about rendered files",
      arguments: [new Argument("<folder>", "what `hosts render` has written")],
      json: forMachines,
      run: async (_session, _options: object, folder: string) => (await import("./check")).checkHosts(folder),
    },
  ],
};
