import type { RegionClient } from "@emqx-aws/simulator/client";
import { UserError } from "../console";
import type { Session } from "../local/session";

/** Talks to the region, which has to run; its refusals are meant for the user as they are. */
export async function ask<T>(
  { surroundings }: Session,
  question: (client: RegionClient) => Promise<T>,
): Promise<T> {
  const [{ regionStatus }, { RegionClient, RegionError }] = await Promise.all([
    import("../local/regionProcess"),
    import("@emqx-aws/simulator/client"),
  ]);
  const status = await regionStatus(surroundings);
  if (status.kind !== "running") {
    throw new UserError("the simulated region does not run; start it with: npm run region -- start");
  }
  try {
    return await question(new RegionClient(status.region));
  } catch (error) {
    if (error instanceof RegionError) throw new UserError(error.message);
    throw error;
  }
}
