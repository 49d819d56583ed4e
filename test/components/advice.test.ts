/** What a refusal advises is possible: whoever follows it is not refused for the same setting again. */
import * as fc from "fast-check";
import { deploymentInputs, deploymentProblems } from "../../components/deployment/settings";
import type { EmqxDeploymentArgs } from "../../components";

const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const base = { certificate: { selfSigned: {} }, monitoring: {}, backup: {}, vpc: { flowLogs: {} } };

const about = (setting: string, args: object) =>
  deploymentProblems("emqx", args as EmqxDeploymentArgs).filter((problem) => problem.startsWith(setting));

test.each(Object.keys(deploymentInputs))("both ends of a range that a refusal of %s names", (setting) => {
  const args = { ...base, availabilityZones: zones };
  for (const value of [-1, 0.5, 1e9]) {
    for (const problem of about(setting, { ...args, [setting]: value })) {
      const [, from, to] = / from (\d+) to (\d+)/.exec(problem) ?? [];
      for (const end of [from, to].filter((number) => number !== undefined)) {
        expect([setting, end, about(setting, { ...args, [setting]: Number(end) })]).toEqual([
          setting,
          end,
          [],
        ]);
      }
    }
  }
});

test("as many nodes as a refusal says that there is room for", () => {
  const count = fc.integer({ min: 1, max: 100 });
  fc.assert(
    fc.property(
      fc.integer({ min: 16, max: 28 }),
      fc.integer({ min: 1, max: 3 }),
      count,
      (prefix, zoneCount, nodeCount) => {
        const args = {
          ...base,
          vpc: { ...base.vpc, cidrBlock: `10.0.0.0/${prefix}` },
          availabilityZones: zones.slice(0, zoneCount),
        };
        for (const problem of about("nodeCount", { ...args, nodeCount })) {
          const room = Number(/addresses for (-?\d+)/.exec(problem)?.[1]);
          // It says how many fit into a zone; zones are filled in turn.
          expect(room).toBeGreaterThan(0);
          expect(about("nodeCount", { ...args, nodeCount: room })).toEqual([]);
        }
      },
    ),
  );
});
