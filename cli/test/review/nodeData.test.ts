/** Whether EMQX keeps its data, when several things change at once. */
import { Deployment, type SettingsOfStack } from "./inProcess";

const two: SettingsOfStack = {
  availabilityZones: ["eu-west-1a"],
  nodeCount: 2,
  certificate: { selfSigned: {} },
};
const key = (id: number) => `arn:aws:kms:eu-west-1:123456789012:key/0000000${id}-7c9e-4a2b-8d6f-1e3c5a7b9d0f`;
const patience = 120_000;

test(
  "is said of the nodes that stay",
  async () => {
    const deployment = await Deployment.of(two);
    const levelOf = async (settings: SettingsOfStack) =>
      (await deployment.review({ ...two, ...settings }))?.level;
    expect(await levelOf({ nodeCount: 1 })).toBe("restarts-nodes");
    expect(await levelOf({ vpc: { cidrBlock: "10.20.0.0/16" } })).toBe("destroys-data");
    expect(await levelOf({ vpc: { cidrBlock: "10.20.0.0/16" }, nodeCount: 1 })).toBe("destroys-data");
    expect(await levelOf({ vpc: { cidrBlock: "10.20.0.0/16" }, nodeCount: 3 })).toBe("destroys-data");
    // Another key is another volume: in turns, each node takes the data from the others; at once, nobody has it.
    expect(await levelOf({ kmsKeyId: key(1) })).toBe("restarts-nodes");
    expect(await levelOf({ kmsKeyId: key(1), rollout: { allowFullRestart: true } })).toBe("destroys-data");
    expect(await levelOf({ kmsKeyId: key(1), nodeCount: 1 })).toBe("destroys-data");
    // Of those that stay, all at once.
    expect(await levelOf({ emqxVersion: "5.8.8", rollout: { allowFullRestart: true }, nodeCount: 1 })).toBe(
      "interrupts-service",
    );
  },
  patience,
);

test(
  "a volume that is to become smaller is no safe change: AWS refuses it in the middle of the update",
  async () => {
    const deployment = await Deployment.of({ ...two, dataVolume: { sizeGiB: 50 } });
    const larger = await deployment.review({ ...two, dataVolume: { sizeGiB: 51 } });
    expect([larger?.level, larger?.gates]).toEqual(["safe", []]);
    const smaller = await deployment.review({ ...two, dataVolume: { sizeGiB: 49 } });
    expect([smaller?.level, smaller?.gates]).toEqual(["interrupts-service", ["interruption"]]);
    expect(smaller?.notices.map(({ text }) => text)).toContain(
      "Data volumes cannot shrink: emqx-nodes-0-data and emqx-nodes-1-data, 50 → 49 GiB; " +
        "AWS refuses it, and the update ends in the middle. Keep 50 GiB or more.",
    );
  },
  patience,
);

test(
  "the certificate authority outlives another name of the stack",
  async () => {
    const deployment = await Deployment.of(two);
    deployment.rename("renamed");
    const review = await deployment.review(two);
    expect(review?.topology.zones).toHaveLength(1);
    const words = review?.notices.map(({ text }) => text).join("\n");
    expect(words).not.toMatch(/certificate/i);
  },
  patience,
);
