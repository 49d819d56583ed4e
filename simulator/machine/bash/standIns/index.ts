/** What a laptop lacks of a machine, by name; `timeout`, `runuser` and `bash` are in the stand-in itself. */
import { fail, type StandIn } from "../standIn";
import { agentControl } from "./agent";
import { aws } from "./aws";
import { curl } from "./curl";
import { diskPrograms } from "./disks";
import { emqx } from "./emqx";
import { filePrograms } from "./files";
import { packagePrograms } from "./packages";
import { systemctl } from "./systemctl";

/** `bash -c ": </dev/tcp/HOST/PORT"`: bash's way to ask whether a port answers, at an address that exists only here. */
const dialling: StandIn = async ({ args, limit, gone }, { dial, clock }) => {
  const [, host, port] = /<>?\s*\/dev\/tcp\/([\d.]+)\/(\d+)\s*$/.exec(args[1] ?? "") ?? [];
  if (host === undefined) {
    return fail(`bash: in the simulated region only one redirection to /dev/tcp: ${args[1]}`, 2);
  }
  if (await dial(host, Number(port))) {
    return {};
  }
  if (limit !== undefined) {
    await clock.sleep(limit, gone);
    return { code: 124 };
  }
  return fail(
    `bash: connect: Connection timed out\nbash: line 1: /dev/tcp/${host}/${port}: Connection timed out`,
  );
};

/** On every machine from its image on. */
export const programs: Record<string, StandIn> = {
  aws,
  curl,
  systemctl,
  ...diskPrograms,
  ...filePrograms,
  ...packagePrograms,
};

/** Those, and what packages and the stand-in bring. */
export const standIns: Record<string, StandIn> = {
  ...programs,
  bash: dialling,
  emqx,
  "amazon-cloudwatch-agent-ctl": agentControl,
};
