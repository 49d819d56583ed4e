/** What `npm run up --verbose` shows beside the engine's own display. */
import { followBoots, takeVerbose } from "../local/bootProgress";
import { surroundingsOf } from "../local/surroundings";
import { RegionClient } from "@emqx-aws/simulator/client";

jest.mock("../local/regionProcess", () => ({
  regionStatus: async () => ({ kind: "running", region: {} }),
}));

test.each<[string[], NodeJS.ProcessEnv, boolean, string[]]>([
  [["--verbose", "-s", "dev"], {}, true, ["-s", "dev"]],
  [["-s", "dev"], { npm_config_loglevel: "verbose" }, true, ["-s", "dev"]],
  [["-s", "dev"], { npm_config_loglevel: "notice" }, false, ["-s", "dev"]],
  // Pulumi's own.
  [["--verbose", "3"], {}, false, ["--verbose", "3"]],
  [["--verbose=3"], {}, false, ["--verbose=3"]],
])("of %j with %j", (args, env, isVerbose, left) =>
  expect(takeVerbose(args, env)).toEqual({ isVerbose, args: left }),
);

test("lines of machines that boot are said once, by name and without the time", async () => {
  const log = [
    "2026-01-01T00:00:00.000Z kernel: Linux",
    "2026-01-01T00:00:01.000Z emqx-node: joining the cluster",
  ];
  let asked = 0;
  const stop = new AbortController();
  jest.spyOn(RegionClient.prototype, "machines").mockImplementation(async () => {
    if (++asked === 2) stop.abort();
    const machine = (instanceId: string, phase: string) => ({
      instanceId,
      name: `node ${instanceId}`,
      phase,
    });
    return [machine("i-0", "ready"), machine("i-1", asked === 1 ? "booting" : "ready")] as never;
  });
  jest
    .spyOn(RegionClient.prototype, "console")
    .mockImplementation(async () => log.slice(0, asked).join("\n"));
  const said: string[] = [];
  await followBoots(
    surroundingsOf("/nowhere"),
    { say: (line) => void said.push(line), progress: () => {} },
    stop.signal,
  );
  expect(said).toEqual(["node i-1: kernel: Linux", "node i-1: emqx-node: joining the cluster"]);
});
