import { hoconTree, readHocon } from "../../../../components/emqx/hocon";
import { primitiveProblem } from "../../../../components/emqx/schema/values";
import emqx from "./emqxSays.json";

/**
 * emqxSays.json: what EMQX's own checker (emqx/hocon@0.45.9 hocon_tconf:check_plain, with the types of emqx/emqx@6.2.2;
 * ip_port() with 5.8.9's, which is the same) took of a list of values, type by type.
 */
const takes = Object.entries(emqx.takes as Record<string, number[]>);

/** Milder on purpose, as JavaScript does not know 1.0 from 1, and what a URL or a template is, only EMQX's code decides. */
const milder: Record<string, RegExp> = {
  "float()": /^"?[+-]?\d+"? /,
  "template()": /^(\[|\{\})/,
  "url()": /^"(:1883|0\.0\.0\.0:70000|::1:1883|\$\{x\}|\{.*\}|ü)" /,
};

test.each(takes)("%s takes what EMQX takes", (type, indices) => {
  const wrong = emqx.values.flatMap((written, index) => {
    let value;
    try {
      value = hoconTree(readHocon(`v = ${written}`))["v"]!;
    } catch {
      return []; // Refused before its type is looked at.
    }
    const accepted = primitiveProblem(type, value) === undefined;
    const should = indices.includes(index);
    return accepted === should ? [] : [`${written} is ${accepted ? "accepted" : "refused"}`];
  });
  expect(wrong.filter((line) => line.endsWith("refused") || !milder[type]?.test(line))).toEqual([]);
});
