import { readPreview } from "../../review/preview/read";
import { secretSignature, signatureKey } from "../../review/preview/engine";
import { jsonOf } from "../../review/report/json";
import { markdownOf } from "../../review/report/markdown";
import { reviewOf } from "../../review/review";
import { types } from "../../review/types";
import { documentOf, replace, reviewed, same, step, type Resource } from "./previews";

const subject = { stack: "test", base: "before" };
const shown = (text: string, secrets: string[] = []) => {
  const review = reviewOf(readPreview(text, "file", { secrets }), subject);
  return markdownOf(review) + JSON.stringify(jsonOf(review));
};

describe("files that are no preview", () => {
  it.each([
    ["", "the file is empty"],
    ["{", "not JSON"],
    ['{"resources": []}', "no document of `pulumi preview --json --show-sames`"],
  ])("%j is refused, and told why", (text, message) => {
    expect(() => readPreview(text, "preview.json")).toThrow(`preview.json: ${message}`);
  });
});

describe("secrets", () => {
  const secret = "correct-horse-battery";
  const signed = { [signatureKey]: secretSignature, plaintext: JSON.stringify(secret) };
  const parameter = (inputs: object): Resource => ({
    type: types.parameter,
    name: "p",
    inputs: { ...inputs },
  });

  it("are hidden by their signature, even if the preview was made to show them", () => {
    const text = documentOf(step("update", parameter({ value: "old" }), parameter({ value: signed })));
    expect(shown(text)).not.toContain(secret);
    expect(shown(text)).toContain("*secret*");
  });

  it.each([
    ["as it is", secret],
    ["inside other text", `PASSWORD='${secret}'\nmore\n`],
    ["in Base64", Buffer.from(secret).toString("base64")],
    ["in the name of a tag", { [secret]: "x" }],
  ])("are found by their value in other places: %s", (_where, elsewhere) => {
    const text = documentOf(
      same(parameter({ value: signed })),
      step(
        "update",
        { ...parameter({ tags: "old" }), name: "q" },
        { ...parameter({ tags: elsewhere }), name: "q" },
      ),
    );
    const report = shown(text);
    expect(report).not.toContain(secret);
    expect(report).not.toContain(Buffer.from(secret).toString("base64"));
  });

  it("are found by where they are: passwords, keys, SecureStrings", () => {
    const password: Resource = {
      type: types.password,
      name: "pw",
      inputs: {},
      extra: { outputs: { result: secret } },
    };
    const secure = (value: string) => parameter({ type: "SecureString", value });
    const text = documentOf(same(password), step("update", secure("the-old-one"), secure(`c${secret}`)));
    expect(shown(text)).not.toMatch(/correct-horse|the-old-one/);
  });

  it("are found by what they look like", () => {
    const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";
    const text = documentOf(
      step(
        "update",
        parameter({ description: "a" }),
        parameter({ description: `${key} AKIAIOSFODNN7EXAMPLE` }),
      ),
    );
    expect(shown(text)).not.toMatch(/MIIEow|AKIAIOSFODNN7EXAMPLE/);
  });

  it("are not what the same resource shows in the clear", () => {
    const plain = {
      insecureValue: "emqx-elb-1a2b3c4",
      value: { ...signed, plaintext: '"emqx-elb-1a2b3c4"' },
    };
    const other = (tags: object): Resource => ({ ...parameter({ tags }), name: "q" });
    const text = documentOf(
      same(parameter(plain)),
      step("update", other({ a: "x" }), other({ a: "emqx-elb-1a2b3c4" })),
    );
    expect(shown(text)).toContain("emqx-elb-1a2b3c4");
  });

  it("leave ordinary short values alone", () => {
    const text = documentOf(
      step("update", parameter({ tags: { on: "off" } }), parameter({ tags: { on: "yes" } })),
    );
    expect(shown(text, ["on", "1"])).toContain('`{"on":"off"}` → `{"on":"yes"}`');
  });
});

test("text of a program does not become markup, a mention or a broken table", () => {
  const name = "a|b <script> @everyone `x`";
  const resource: Resource = { type: types.volume, name, inputs: { size: 1 } };
  const report = markdownOf(
    reviewed(step("update", resource, { ...resource, inputs: { size: "| `y` <b>" } })),
  );
  expect(report).not.toMatch(/<script>|@everyone/);
  const row = report.split("\n").find((line) => line.startsWith("| ✏️ update"));
  expect(row?.match(/(?<!\\)\|/g)).toHaveLength(5);
});

test("a preview without its unchanged resources says that it is not whole", () => {
  const text = JSON.stringify({
    steps: [replace({ type: types.instance, name: "n-0" })],
    changeSummary: { same: 5, replace: 1 },
  });
  const report = markdownOf(reviewOf(readPreview(text, "file"), subject));
  expect(report).toContain("--show-sames");
  expect(report).toContain("unchanged ones not in this preview");
});

describe("a preview that breaks off", () => {
  const words = { severity: "info#err", message: "Error: Cannot find module 'x'\n" };

  it.each([
    ["without a summary", JSON.stringify({ diagnostics: [words] }), false],
    ["as its command says", documentOf(same({ type: types.vpc, name: "vpc" })), true],
  ])("is not taken for one without changes: %s", (_how, text, hasFailed) => {
    const review = reviewOf(readPreview(text, "file", { hasFailed }), subject);
    expect(review.hasFailed).toBe(true);
    expect(markdownOf(review)).toMatch(/## ❌ Cannot be deployed[^]*The preview did not come to its end/);
  });

  it("is shown with its last words", () => {
    expect(shown(JSON.stringify({ diagnostics: [words] }))).toContain("Cannot find module 'x'");
  });

  it("is none if it came to its end", () => {
    expect(reviewOf(readPreview(documentOf(), "file"), subject).hasFailed).toBe(false);
  });
});
