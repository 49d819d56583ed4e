/** One Availability Zone more on the smallest and the largest stack moves nothing; one fewer is refused as long as a node stands there. */
import { nodesDuring, outline, settings } from "./deploymentSupport";
import { residentPrograms } from "../run/resident";
import { engineForAll, engineTimeout } from "./harness";

jest.setTimeout(engineTimeout);
residentPrograms();
const engine = engineForAll();

const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

// That it holds for any settings is a property in test/components/deployment/emqxDeployment.test.ts.
test.each(["dev", "prod"])("stack %s", async (name) => {
  const stack = engine.stack(name);
  const committed = stack.config["emqx-aws:availabilityZones"] as string[];
  // The stacks in all three zones of the region begin with two.
  const first = zones.slice(0, Math.min(committed.length, 2));
  const added = zones[first.length]!;
  stack.configure(settings({ availabilityZones: first }));
  await stack.up();

  stack.configure(settings({ availabilityZones: [...first, added] }));
  const preview = outline(await stack.preview());
  const [nodes, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)).toEqual(preview);
  expect(preview).toEqual({
    create: expect.arrayContaining([
      `Subnet emqx-vpc-private-${added}`,
      `Subnet emqx-vpc-public-${added}`,
    ]) as string[],
    update: ["LoadBalancer emqx-elb", "VpcEndpoint emqx-vpc-s3"],
  });
  expect(preview["create"]!.filter((resource) => !resource.includes(added))).toEqual([]);
  expect([nodes.events, nodes.mostOutOfService]).toEqual([[], 0]);

  stack.configure(settings({ availabilityZones: [added] }));
  const refused = await stack.run("preview");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stdout).toContain(
    `availabilityZones: node 0 stands in ${first[0]}, which is no longer listed; put ${first[0]} back, or remove the nodes`,
  );
});
