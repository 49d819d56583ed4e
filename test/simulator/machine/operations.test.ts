/** Operations acted out, on a machine that is put together by hand. */
import { FileSystem } from "../../../simulator/machine/fileSystem";
import {
  actOutOperation,
  Operation,
  OperationMachine,
  unknownOperationSteps,
} from "../../../simulator/machine/operations";

const fragment = 'begin "greeting $NODE_NUMBER"\nbegin "asking $who"\n  begin "leaving"\n';

function node(changes: Partial<OperationMachine> = {}) {
  const said: string[] = [];
  const files: FileSystem = new Map();
  const write = (path: string, content: string) =>
    files.set(path, { content, mode: 0o644, owner: "root:root" });
  write("/etc/emqx-node/node.env", "NODE_NUMBER=2\nREGION=eu-west-1\nPARAMETER_PREFIX=/emqx/p/s/n\n");
  let seconds = 0;
  const machine = {
    files,
    instanceId: "i-2",
    role: {
      getParameter: async (name: string) => {
        if (name === "/emqx/p/s/n/operations/greet") return fragment;
        throw new Error(`ParameterNotFound: ${name}`);
      },
    },
    egress: () => ({ allowed: true }),
    emqxRuns: () => true,
    emqx: () => undefined,
    cluster: () => ({ running: [], stopped: [] }),
    sleep: async (passed: number) => void (seconds += passed),
    now: () => seconds,
    say: (line: string) => void said.push(line),
    ...changes,
  } as OperationMachine;
  return { machine, said, write };
}

const greet: Operation = () => {
  let greeted: string | undefined;
  return [
    [
      "greeting ",
      async (run) => {
        greeted = run.args[0];
        run.variables["who"] = greeted ?? "nobody";
      },
    ],
    [
      "asking ",
      async () => {
        if (greeted === undefined) throw new Error("nobody was named");
        if (greeted === "nobody-home") return "finished";
      },
    ],
    ["leaving", async ({ machine }) => machine.say(`emqx-node: goodbye ${greeted}`)],
  ];
};
const known = { greet };

test("the steps are the fragment's, with the values of the node and of earlier steps", async () => {
  const { machine, said } = node();
  await actOutOperation("greet", ["you"], machine, known);
  expect(said).toEqual([
    "emqx-node: greeting 2",
    "emqx-node: asking you",
    "emqx-node: leaving",
    "emqx-node: goodbye you",
  ]);
});

test("a step may end the operation, or fail it with the node's last words", async () => {
  const early = node();
  await actOutOperation("greet", ["nobody-home"], early.machine, known);
  expect(early.said.at(-1)).toBe("emqx-node: asking nobody-home");
  await expect(actOutOperation("greet", [], node().machine, known)).rejects.toThrow(
    "NODE 2 FAILED while asking nobody: nobody was named",
  );
});

test("the node's own file comes before the parameter", async () => {
  const { machine, said, write } = node();
  write("/etc/emqx-node/operations/greet", 'begin "leaving"\nbegin "baking a cake"\n');
  await actOutOperation("greet", [], machine, known);
  expect(said).toEqual([
    "emqx-node: leaving",
    "emqx-node: goodbye undefined",
    "emqx-node: baking a cake",
    "emqx-node: (this step is unknown to the simulation and skipped)",
  ]);
  expect(unknownOperationSteps('begin "leaving"\nbegin "baking a cake"\n', greet)).toEqual(["baking a cake"]);
});

test.each([
  ["nothing", /this node has no operation "nothing": ParameterNotFound: .*\/operations\/nothing/],
  ["../cookie", /"\.\.\/cookie" is not the name of an operation/],
  ["constructor", /this node has no operation "constructor"/],
])("operation %s is refused", async (name, message) => {
  await expect(actOutOperation(name, [], node().machine, known)).rejects.toThrow(message);
});

test("an operation that nobody can act out is refused, by name", async () => {
  const { machine, write } = node();
  write("/etc/emqx-node/operations/constructor", 'begin "x"');
  await expect(actOutOperation("constructor", [], machine, known)).rejects.toThrow(
    'operation "constructor" cannot be acted out; the simulated region knows greet',
  );
});

test("without a way to SSM there is no fragment", async () => {
  const { machine } = node({ egress: () => ({ allowed: false, reason: "no route" }) });
  await expect(actOutOperation("greet", [], machine, known)).rejects.toThrow(
    'this node has no operation "greet": Could not connect to the endpoint URL: "https://ssm.eu-west-1.amazonaws.com/": no route',
  );
});
