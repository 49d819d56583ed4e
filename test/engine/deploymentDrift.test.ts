/** Changes behind Pulumi's back, and resources that come from elsewhere. */
import { nodesDuring, outline, regionOf, settings, threeNodes } from "./deploymentSupport";
import { residentPrograms } from "../run/resident";
import { engineForAll, engineTimeout } from "./harness";

jest.setTimeout(engineTimeout);
residentPrograms();
const engine = engineForAll(() => stack.up());
const stack = engine.stack("local", threeNodes);

const resource = async (name: string, type: string) => {
  const found = (await regionOf(engine).resources({ type })).filter(
    ({ attributes }) => (attributes["tags"] as { Name?: string } | undefined)?.Name === name,
  );
  expect(found).toHaveLength(1);
  return found[0]!;
};

test("`refresh` sees a rule, a volume and a node that changed; `up` repairs them", async () => {
  const region = regionOf(engine);
  const rule = await resource("emqx-sg-lb-from-0.0.0.0-0-mqtts", "SecurityGroupIngressRule");
  const volume = await resource("emqx-nodes-0-data", "Volume");
  const instance = await resource("emqx-nodes-1", "Instance");
  await region.delete({ id: rule.id });
  await region.modify({ id: volume.id }, { size: 30 });
  await region.delete({ id: instance.id, type: "Instance" });

  // The rule, the instance, and with it the attachment of its volume.
  expect((await stack.refresh()).summary).toEqual({
    delete: 3,
    update: 1,
    same: expect.any(Number) as number,
  });

  // A volume cannot shrink: the settings follow.
  stack.configure(settings({ dataVolume: { sizeGiB: 30 } }));
  const [nodes, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)).toEqual({
    create: [
      "Instance emqx-nodes-1",
      "SecurityGroupIngressRule emqx-sg-lb-from-0.0.0.0-0-mqtts",
      "VolumeAttachment emqx-nodes-1-data",
    ],
    replace: ["Attachment emqx-nodes-1-lb-0"],
    update: ["Volume emqx-nodes-1-data", "Volume emqx-nodes-2-data"],
  });
  expect(nodes.events.filter((event) => !/registered$/.test(event))).toEqual([
    "1 created",
    "1 attached",
    "1 ready",
  ]);
  expect((await stack.up()).changes).toEqual([]);
});

test("without `refresh`, `up` does not notice, as ever with Pulumi; with `--refresh` it does", async () => {
  const rule = await resource("emqx-sg-nodes-from-nodes-4369", "SecurityGroupIngressRule");
  await regionOf(engine).delete({ id: rule.id });
  expect((await stack.preview()).changes).toEqual([]);
  expect(outline(await stack.up("--refresh"))).toEqual({
    create: ["SecurityGroupIngressRule emqx-sg-nodes-from-nodes-4369"],
  });
});

test.each([
  ["SecurityGroupIngressRule", "emqx-sg-nodes-from-nodes-4369"],
  ["Parameter", "emqx-nodes-load-balancers"],
])("an existing %s is imported, and nothing has to change", async (type, name) => {
  const {
    urn,
    type: token,
    id,
    parent,
  } = (await stack.resources()).find(({ urn }) => urn.endsWith(`${type}::${name}`))!;
  expect((await engine.pulumi("state", "delete", urn, "--yes", "--stack", stack.name)).exitCode).toBe(0);
  expect(outline(await stack.preview())).toEqual({ create: [`${type} ${name}`] });
  const imported = await stack.import(
    token,
    name,
    id!,
    "--parent",
    `parent=${parent}`,
    "--generate-code=false",
  );
  expect(imported.summary).toMatchObject({ import: 1 });
  expect((await stack.preview()).changes).toEqual([]);
});
