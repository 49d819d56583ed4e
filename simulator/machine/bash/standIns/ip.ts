/** ip-rule(8) of iproute2: answers from a TCP port that do not leave the machine. */
import { fail, type StandIn } from "../standIn";

export const ip: StandIn = ({ args }, { rules }) => {
  const [, verb, text, selector] =
    /^rule (add|del) pref (\d+)( ipproto tcp sport \d+ prohibit)?$/.exec(args.join(" ")) ?? [];
  if (verb === undefined || (verb === "add") !== (selector !== undefined)) {
    return fail(
      'ip: in the simulated region "rule add pref N ipproto tcp sport N prohibit" and "rule del pref N"',
    );
  }
  const preference = Number(text);
  const port = Number(/sport (\d+)/.exec(selector ?? "")?.[1]);
  if (verb === "add") {
    if (rules.get(preference) === port) return fail("RTNETLINK answers: File exists", 2);
    rules.set(preference, port);
    return {};
  }
  return rules.delete(preference) ? {} : fail("RTNETLINK answers: No such file or directory", 2);
};
