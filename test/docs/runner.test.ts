/** What follows the pages: it must notice when a page is wrong. */
import { firstMissing } from "./match";
import { parsePage } from "./page";
import { Workplace } from "./workplace";

const page = (text: string) => parsePage("page.md", text);
const block = (text: string) => page(`Text\n\n\`\`\`console\n${text}\n\`\`\`\n`);

test("commands, their output, and what is only checked", () => {
  const { commands, scripts } = page(
    [
      "```console",
      "$ one \\",
      "> two",
      "first",
      "$ false # refused: exit code 1",
      "```",
      "    $ not this",
      "   ```sh",
      "   aws \\",
      "     --version",
      "   ```",
    ].join("\n"),
  );
  expect(commands).toEqual([
    { line: 2, text: "one \\\ntwo", exitCode: 0, output: ["first"] },
    { line: 5, text: "false # refused: exit code 1", exitCode: 1, output: [] },
  ]);
  expect(scripts).toEqual([{ line: 9, text: "aws \\\n  --version" }]);
});

test("a command in a comment is refused", () => {
  expect(() => page("Text\n<!-- $ prepare -->")).toThrow("line 2: a command that readers do not see");
});

test("a block that begins without a command is refused", () => {
  expect(() => block("output")).toThrow("line 4: a console block begins with a command");
});

const twoSteps = [
  " ~  aws:ssm:Parameter emqx-backup update [diff: ~insecureValue]",
  " +- aws:ec2:Instance emqx-nodes-0 replace [diff: ~userData]",
];
test.each<[string[], string, string | undefined]>([
  [["a", "b"], "@ updating....a \n\n\u001b[1mb\u001b[0m\n@ previewing update....\n", undefined],
  [["a", "…", "d"], "a\nb\nc\nd\n", undefined],
  [["…", "node … is ready (… s)", "…"], "x\nnode 1 is ready (2.5 s)\n", undefined],
  [[], "anything", undefined],
  [["a", "b"], "a\nc\n", "b"],
  [["a"], "a\nb\n", "(nothing more)"],
  [["…", "b", "…", "a"], "a\nb\n", "a"],
  [["a.c"], "abc\n", "a.c"],
  // A preview's resources
  [["…", twoSteps[1]!, "…", twoSteps[0]!, "…"], `x\n${twoSteps.join("\n")}\ny\n`, undefined],
  [[...twoSteps], `${[...twoSteps].reverse().join("\n")}\n`, undefined],
  [["…", ...twoSteps], `${twoSteps[1]}\n`, twoSteps[0]],
  [["x", twoSteps[0]!], `x\n${twoSteps.join("\n")}\n`, "(nothing more)"],
])("%j in %j: %j", (expected, printed, missing) => {
  expect(firstMissing(expected, printed)).toBe(missing);
});

describe("a page that is wrong", () => {
  const workplace = new Workplace("greet() { echo hello; }");
  afterAll(() => workplace.end());

  test("and one that is right", async () => {
    await workplace.follow(block("$ greet\nhello\n$ echo x > file; false # exit code 1\n$ cat file\nx"));
  });

  test.each([
    ["$ greet\n$ sh -c 'echo no; exit 3'", "page.md:5\n$ sh -c 'echo no; exit 3'\nexit code 3 instead of 0"],
    ["$ greet\ngoodbye", "page.md:4\n$ greet\nnot printed, or not there: goodbye\nIt printed:\nhello"],
    ["$ true # exit code 2", "exit code 0 instead of 2"],
  ])("%s", async (text, says) => {
    await expect(workplace.follow(block(text))).rejects.toThrow(says);
  });
});
