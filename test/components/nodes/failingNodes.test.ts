/** How a failure reaches the person who has to read it: at once, whole, and without the rest of the program. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import { EmqxClassicElb, EmqxClusterNodes, EmqxSecurityGroup, EmqxVpc, Listener } from "../../../components";
import { withFixedMessage } from "../../../components/shared/problems";
import { run } from "../../support";

test.each([3, 30])(
  "%i nodes that fail are all named, within seconds and 700 MB",
  async (count) => {
    const script = join(__dirname, "fixtures", "failingNodes.ts");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--max-old-space-size=700", "--require", "@emqx-aws/simulator/typescript.cjs", script, String(count)],
      { timeout: 100_000, maxBuffer: 1e8 },
    );
    const lines = stdout.trim().split("\n");
    const { seconds, megabytes } = JSON.parse(lines.at(-1)!) as { seconds: number; megabytes: number };
    for (let node = 0; node < count; node++) {
      expect(lines.filter((line) => line.includes(`: boot: no disk for node ${node}.`))).toEqual([
        expect.stringMatching(
          new RegExp(`^node ${node} \\(i-\\w+\\) did not become ready: its boot has failed: `),
        ),
      ]);
    }
    expect(lines).toHaveLength(count + 1);
    expect(seconds).toBeLessThan(15);
    expect(megabytes).toBeLessThan(700);
  },
  120_000,
);

/** Something that must not be printed: whoever looks into it never comes back. */
class Abyss {
  [inspect.custom](): string {
    throw new Error("somebody looked into the program");
  }
  get toJSON(): unknown {
    throw new Error("somebody serialised the program");
  }
}

test("an error of the library shows its message and nothing else, whatever the SDK hangs on it", () => {
  const abyss = new Abyss() as unknown as pulumi.Resource;
  const errors = fc.constantFrom(
    (text: string) => new pulumi.ResourceError(text, abyss, true),
    (text: string) => new pulumi.RunError(text),
    (text: string) => new Error(text),
  );
  fc.assert(
    fc.property(errors, fc.string(), (make, text) => {
      const error = withFixedMessage(make(text)) as Error & { promise?: unknown; resource?: unknown };
      error.promise = abyss;
      error.message = "error serializing property: ";
      expect(inspect(error, { depth: 10, colors: true })).toBe(text);
      expect(error.message).toBe(text);
      expect(() => JSON.stringify(error)).not.toThrow();
      if (pulumi.ResourceError.isInstance(error)) expect(error.resource).toBe(abyss);
    }),
  );
});

interface Applying {
  apply: (this: unknown, ...args: unknown[]) => unknown;
}

test("no output of the library has a resource for its value, because the SDK would search all of the program", async () => {
  const resources: string[] = [];
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the class behind the interface
  const { Output: OutputClass } = require("@pulumi/pulumi/output") as { Output: { prototype: Applying } };
  const proto = OutputClass.prototype;
  const { apply } = proto;
  const hasResource = (value: unknown): boolean =>
    pulumi.Resource.isInstance(value) || (Array.isArray(value) && value.some(hasResource));
  let applied = 0;
  proto.apply = function (this: unknown, func: unknown, ...rest: unknown[]) {
    const { stack = "" } = new Error();
    const watched = async (value: unknown) => {
      applied++;
      const result = await (func as (value: unknown) => unknown)(value);
      // The SDK's own, about what a resource depends on.
      if (hasResource(result) && !/runtime.dependsOn/.test(stack)) resources.push(stack);
      return result;
    };
    return apply.call(this, watched, ...rest);
  };
  try {
    await run(() => {
      const vpc = new EmqxVpc("net", { availabilityZones: ["eu-west-1a"] });
      const groups = new EmqxSecurityGroup("mq", { vpcId: vpc.vpcId });
      const elb = new EmqxClassicElb("elb", {
        subnetIds: vpc.publicSubnetIds,
        securityGroupIds: [groups.loadBalancerSecurityGroupId],
        listeners: [Listener.Mqtt],
      });
      new EmqxClusterNodes("emqx", {
        nodes: ["192.168.0.10", "192.168.0.11"].map((privateIp) => ({
          ...{ subnetId: vpc.privateSubnetIds[0]!, availabilityZone: "eu-west-1a", privateIp },
        })),
        securityGroupIds: [groups.nodeSecurityGroupId],
        loadBalancerNames: [elb.loadBalancerName],
      });
    });
  } finally {
    proto.apply = apply;
  }
  expect(applied).toBeGreaterThan(100);
  expect(resources).toEqual([]);
}, 120_000);
