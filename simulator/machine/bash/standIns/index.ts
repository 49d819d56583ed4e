/** What a laptop lacks of a machine, by name; `timeout`, `runuser` and `bash` are in the stand-in itself. */
import { fail, type StandIn } from "../standIn";
import { agentControl } from "./agent";
import { aws } from "./aws";
import { curl } from "./curl";
import { diskPrograms } from "./disks";
import { emqx } from "./emqx";
import { filePrograms } from "./files";
import { ip } from "./ip";
import { packagePrograms } from "./packages";
import { systemctl } from "./systemctl";

const dialAll = 'for seed in "${@:2}"; do (: <"/dev/tcp/$seed/$1" && echo "$seed") & done; wait';

/** `bash -c … - PORT HOST...`: bash's way to ask where a port answers, at addresses that exist only here. */
const dialling: StandIn = async ({ args, limit, gone }, { dial, clock }) => {
  const [, script, , port, ...hosts] = args;
  if (script !== dialAll) {
    return fail(`bash: in the simulated region /dev/tcp only in: ${dialAll}`, 2);
  }
  const answers = await Promise.all(hosts.map((host) => dial(host, Number(port))));
  const out = hosts.map((host, index) => (answers[index] ? `${host}\n` : "")).join("");
  if (limit === undefined || !answers.includes(false)) {
    return { out };
  }
  await clock.sleep(limit, gone);
  return { code: 124, out };
};

/** On every machine from its image on. */
export const programs: Record<string, StandIn> = {
  aws,
  curl,
  ip,
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
