/** The CloudWatch agent's control program, as far as a node uses it. */
import { existsSync, readFileSync } from "node:fs";
import { fail, readOptions, type StandIn, valueOf } from "../standIn";

const folder = "/opt/aws/amazon-cloudwatch-agent";
export const agentProgram = `${folder}/bin/amazon-cloudwatch-agent-ctl`;
const unit = "amazon-cloudwatch-agent.service";
/** The agent's own copy of what it was told, from which it starts at every boot. */
const copyOf = `${folder}/etc/amazon-cloudwatch-agent.d/file_monitoring.json`;

/**
 * `fetch-config` keeps a copy of the file, checks it, and with -s enables and starts the unit; `stop` leaves the unit enabled and the copy there
 * (github.com/aws/amazon-cloudwatch-agent: packaging/dependencies/amazon-cloudwatch-agent-ctl).
 */
export const agentControl: StandIn = async ({ args }, { root, units }) => {
  const options = readOptions(args, ["-s"], ["-a", "-m", "-c", "-o"]);
  if (typeof options === "string") {
    return fail(`usage:  amazon-cloudwatch-agent-ctl -a\n${options}`);
  }
  switch (valueOf(options, "-a")) {
    case "fetch-config": {
      const file = (valueOf(options, "-c") ?? "").replace(/^file:/, "");
      if (!existsSync(file)) {
        return fail(`E! Fail to fetch/remove json config: open ${file}: no such file or directory`);
      }
      const text = readFileSync(file, "utf8");
      try {
        JSON.parse(text);
      } catch (error) {
        return fail(`E! Invalid Json input: ${(error as Error).message}`);
      }
      root.write(copyOf, text);
      if (options.flags.has("-s")) {
        units.reload();
        units.enable(unit);
        if (units.stateOf(unit) !== "inactive") await units.stop(unit);
        await units.start(unit);
      }
      return {
        out: `Successfully fetched the config and saved in ${copyOf}.tmp\nConfiguration validation succeeded\n`,
      };
    }
    case "remove-config":
      root.files.delete(copyOf);
      return {};
    case "stop":
      if (units.stateOf(unit) !== "inactive") await units.stop(unit);
      return { err: "****** Stopping amazon-cloudwatch-agent ******\n" };
    case "status":
      return { out: `{\n  "status": "${units.stateOf(unit) === "active" ? "running" : "stopped"}"\n}\n` };
    case undefined:
    default:
      return fail(`Invalid action: ${valueOf(options, "-a") ?? ""}`);
  }
};
