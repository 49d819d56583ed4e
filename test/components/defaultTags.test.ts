/** The provider's default tags: refused at preview for what AWS refuses in the update, and for nothing else. */
import { Provider } from "@pulumi/aws/provider";
import { EmqxBackup, EmqxDeployment, EmqxVpc } from "../../components";
import { run } from "../support";

const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`tag-${i}`, "x"]));
const availabilityZones = ["eu-west-1a"];
const vpc =
  (tags = {}, more = {}) =>
  () =>
    new EmqxVpc("net", { availabilityZones, tags, ...more });
const deployment =
  (tags = {}) =>
  () =>
    new EmqxDeployment("mq", { availabilityZones, nodeCount: 1, certificate: { selfSigned: {} }, tags });
const backup = () => new EmqxBackup("keep", { parameterPrefix: "/emqx/p/s/n", roleName: "n" });

type Case = [
  what: string,
  program: () => unknown,
  defaults: Record<string, string>,
  words: string | undefined,
];

const cases: Case[] = [
  ["AWS's own key", vpc(), { "aws:team": "x" }, 'the key "aws:team" begins with aws:'],
  ["a long key", vpc(), { ["k".repeat(128)]: "x" }, "has 128 characters, and EC2 takes 127 at most"],
  ["a long value", vpc(), { team: "v".repeat(257) }, "has 257 characters, and the value of a tag has 256"],
  ["an empty key", vpc(), { "": "x" }, 'the key "" is empty'],
  ["characters, with flow logs", vpc({}, { flowLogs: {} }), { team: "R&D" }, 'team: "R&D" has characters'],
  ["characters, EC2 alone", vpc(), { "team & co": "R&D", TEAM: "x", team: "y" }, undefined],
  ["keys in other letters", deployment({ team: "x" }), { Team: "y" }, '"Team" is "team" in other letters'],
  ["the same key as an own one", deployment({ team: "x" }), { team: "R&D", Name: "other" }, undefined],
  ["50 with Name and the data volumes' own", deployment(numbered(10)), { ...numbered(48) }, undefined],
  [
    "51",
    deployment({ a: "x" }),
    numbered(48),
    "defaultTags of the aws provider: 48 tags, which beside 3 of the component (Name, emqx:data, a) make 51, and there is room for 50",
  ],
  ["46 in a policy of snapshots", backup, numbered(45), "make 46, and there is room for 45"],
];

test.each(cases)("%s", async (_what, program, defaultTags, words) => {
  const preview = run(program, { preview: true, defaultTags });
  await (words === undefined
    ? expect(preview).resolves.toBeDefined()
    : expect(preview).rejects.toThrow(words));
  const up = run(program, { defaultTags });
  await (words === undefined ? expect(up).resolves.toBeDefined() : expect(up).rejects.toThrow());
});

test("a provider is asked once in a program, and each is judged by its own tags", async () => {
  const { calls } = await run(deployment(), { preview: true });
  expect(calls.filter(({ token }) => token.endsWith(":getDefaultTags"))).toHaveLength(1);
  const both = run(
    () => {
      const provider = new Provider("own", {
        region: "eu-west-1",
        defaultTags: { tags: { "aws:team": "x" } },
      });
      vpc()();
      new EmqxVpc("other", { availabilityZones }, { provider });
    },
    { preview: true },
  );
  await expect(both).rejects.toThrow('EmqxVpc "other": nothing was changed');
});
