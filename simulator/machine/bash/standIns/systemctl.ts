/** systemctl: exit codes by systemctl(1), EXIT STATUS: 3 not active, 4 no such unit, 5 not loaded. */
import { fail, readOptions, type StandIn } from "../standIn";
import { JobFailed } from "../units";

const flags = ["--quiet", "-q", "--now", "--no-block", "--no-pager", "--full"];

export const systemctl: StandIn = async ({ args, limit, gone }, { units, clock, disks }) => {
  const options = readOptions(args, flags, ["--property", "-p"]);
  if (typeof options === "string") {
    return fail(`systemctl: ${options}`);
  }
  const [verb, ...given] = options.rest;
  const names = given.map((name) =>
    /\.(service|timer|mount|target)$/.test(name) ? name : `${name}.service`,
  );
  const isQuiet = options.flags.has("--quiet") || options.flags.has("-q");
  const work = async (): Promise<{ code?: number; out?: string; err?: string }> => {
    switch (verb) {
      case "daemon-reload":
        units.reload();
        return {};
      case "reset-failed":
        return {};
      case "is-active":
      case "is-enabled": {
        const states = names.map((name) =>
          verb === "is-active" ? units.stateOf(name) : units.isEnabled(name) ? "enabled" : "disabled",
        );
        const isGood = states.some((state) => state === "active" || state === "enabled");
        return {
          code: isGood ? 0 : verb === "is-active" ? 3 : 1,
          out: isQuiet ? "" : states.map((state) => `${state}\n`).join(""),
        };
      }
      case "enable":
      case "disable":
      case "start":
      case "stop":
      case "restart":
      case "try-restart":
        if (names.length === 0) {
          return { code: 1, err: "Too few arguments.\n" };
        }
        disks.refresh();
        for (const name of names) {
          await act(verb, name, options.flags);
        }
        return {};
      case undefined:
      default:
        return { code: 1, err: `Unknown command verb ${verb ?? ""}.\n` };
    }
  };
  const act = async (word: string, name: string, given: Set<string>): Promise<void> => {
    if (!["enable", "disable"].includes(word) && !units.has(name)) {
      throw new JobFailed(`Failed to ${word} ${name}: Unit ${name} not found.`, 5);
    }
    const wait = async (job: Promise<void>) =>
      given.has("--no-block") ? void job.catch(() => undefined) : job;
    switch (word) {
      case "enable":
        units.enable(name);
        return given.has("--now") ? wait(units.start(name)) : undefined;
      case "disable":
        units.disable(name);
        return given.has("--now") ? wait(units.stop(name)) : undefined;
      case "start":
        return wait(units.start(name));
      case "stop":
        return wait(units.stop(name));
      default:
        if (word === "try-restart" && units.stateOf(name) === "inactive") return;
        if (units.stateOf(name) !== "inactive") await units.stop(name);
        return wait(units.start(name));
    }
  };
  try {
    if (limit === undefined) {
      return await work();
    }
    // Jobs wait in the machine's time.
    const late = clock.patience(limit, gone).then(() => ({ code: 124 }));
    late.catch(() => undefined);
    return await Promise.race([work(), late]);
  } catch (error) {
    if (error instanceof JobFailed) {
      return fail(error.message, error.code);
    }
    throw error;
  }
};
