import { changesStack, isDeployment, needsStack, parsePulumiArguments } from "@emqx-aws/cli/local/arguments";

const parse = (line: string) => parsePulumiArguments(line.split(" ").filter((word) => word !== ""));

test.each([
  ["up", ["up"], undefined],
  ["update --yes -s guide", ["up"], "guide"],
  ["preview --diff --stack=guide", ["preview"], "guide"],
  ["preview --stack guide --diff", ["preview"], "guide"],
  ["-s prod preview", ["preview"], "prod"],
  ["preview -sprod", ["preview"], "prod"],
  ["dn --yes", ["destroy"], undefined],
  ["stack output --json -s local", ["stack", "output"], "local"],
  ["stack output mqttUrl -s local", ["stack", "output", "mqttUrl"], "local"],
  ["up --message stack --target urn:a -s guide", ["up"], "guide"],
  ["config set emqx-aws:nodeCount 3 -s dev", ["config", "set", "emqx-aws:nodeCount", "3"], "dev"],
  ["config -s dev", ["config"], "dev"],
  ["--color never preview -s dev", ["preview"], "dev"],
  ["--logtostderr stack output", ["stack", "output"], undefined],
  ["-v 9 up", ["up"], undefined],
  ["", [], undefined],
])("%s", (line, command, stack) => {
  const parsed = parse(line);
  expect(parsed.command).toEqual(command);
  expect(parsed.stack).toBe(stack);
});

test("the CLI reads what is left, in its order", () => {
  const { command, rest } = parse("import --parent vpc=urn -s dev aws:ec2/vpc:Vpc main -- -C x");
  expect([command, rest.join(" ")]).toEqual([
    ["import"],
    "import --parent vpc=urn aws:ec2/vpc:Vpc main -- -C x",
  ]);
  expect(parse("stack select guide --color never").command).toEqual(["stack", "select", "guide"]);
});

test.each(["up -c a=b", "up --config a=b", "preview --config-file x.yaml", "preview --config-file=x.yaml"])(
  "%s brings configuration of its own",
  (line) => expect(parse(line).hasOwnConfig).toBe(true),
);

test("configuration of another command is none", () => {
  expect(parse("config set a b").hasOwnConfig).toBe(false);
});

test.each([
  ["up", true, true, true],
  ["preview --diff", true, false, true],
  ["refresh", true, true, true],
  ["destroy", true, true, true],
  ["import a b c", true, true, true],
  ["up --help", false, false, false],
  ["stack", false, false, true],
  ["stack output", false, false, true],
  ["stack select guide", false, false, true],
  ["stack ls", false, false, false],
  ["stack init other", false, false, false],
  ["config set a b", false, false, true],
  ["state delete urn", false, false, true],
  ["version", false, false, false],
  ["whoami", false, false, false],
  ["cancel", false, false, false],
])("%s: deploys %s, changes the stack %s, needs a stack %s", (line, deploys, changes, stack) => {
  const parsed = parse(line);
  expect([isDeployment(parsed), changesStack(parsed), needsStack(parsed)]).toEqual([deploys, changes, stack]);
});
