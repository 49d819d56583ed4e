import { warningsOnce } from "../local/warningsOnce";

const once = (text: string) => text.split("\n").flatMap(warningsOnce());

/** What the CLI prints where it is not asked by a terminal, shortened. */
const phase = (verb: string) => `@ ${verb}....
 +  aws:ec2:Vpc emqx-vpc create 
 +  aws:ebs:Volume emqx-0 create warning: it is small.
 +  emqx-aws:index:EmqxClusterNodes emqx-nodes create warning: support ended.
Diagnostics:
  aws:ebs:Volume (emqx-0):
    warning: it is small.

  emqx-aws:index:EmqxClusterNodes (emqx-nodes):
    warning: support ended.

Outputs:
    a: "warning: none"`;

test("a warning is shown beside its resource, and not again", () => {
  const shown = once(`${phase("previewing")}\n${phase("updating")}`).join("\n");
  expect(shown.match(/warning: it is small/g)).toHaveLength(1);
  expect(shown).toMatch(
    /emqx-nodes create warning: support ended\.\nOutputs:\n[^]*emqx-nodes create\nOutputs:/,
  );
  expect(shown).not.toContain("Diagnostics");
});

test("what else stands under Diagnostics stays there, and so does what a row cannot hold", () => {
  const text = `Diagnostics:
  aws:ec2:Vpc (emqx-vpc):
    error: it is wrong
    warning: new here.
      with more to read

  pulumi:pulumi:Stack (emqx-aws-local):
    a line that the program wrote

Resources:
    76 unchanged`;
  expect(once(text).join("\n")).toBe(text);
  expect(once(` ~  aws:ec2:Vpc emqx-vpc warning: new here.\n${text}`).join("\n")).toBe(
    ` ~  aws:ec2:Vpc emqx-vpc warning: new here.\n${text.replace("    warning: new here.\n", "")}`,
  );
});
