/** What only AWS or another resource can tell is asked and checked at preview, and words meant for it are the answer. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { EmqxDeployment } from "../../components";
import { inAws, run } from "../support";
import { ofAnotherRegion, ofOtherResources, unknownToAws } from "./previews";

describe("at preview", () => {
  let told: Record<string, string>;
  beforeAll(() => {
    const file = join(__dirname, "previews.ts");
    // Pulumi takes the stack of every promise, and each frame of it is mapped: more than half of the time.
    const node = ["--stack-trace-limit=0", "--require", "@emqx-aws/simulator/typescript.cjs"];
    told = JSON.parse(
      // Pulumi ends a program that leaves promises behind, as a refused one does, with another exit code than 0.
      spawnSync(process.execPath, [...node, file], {
        encoding: "utf8",
        timeout: 120_000,
        stdio: ["ignore", "pipe", "ignore"],
      }).stdout,
    ) as Record<string, string>;
  }, 150_000);

  test.each(ofAnotherRegion)("a provider of another region is told from that of %s", (what, _, words) => {
    expect(told[what]).toContain("nothing was changed, because its input cannot work:\n");
    expect(told[what]).toContain(words);
    expect(told[`${what} in its own region`]).toBe("");
  });

  test.each([...unknownToAws, ...ofOtherResources])("%s is refused", (what, _, words) => {
    expect(told[what]).toContain("nothing was changed, because its input cannot work:\n");
    expect(told[what]).toContain(words);
  });

  test.each(["true", "false"])(
    "mocks that answer nothing get a deployment, certificate of one's own: %s",
    (own) => {
      expect(told[`textbook mocks, certificate of one's own: ${own}`]).toBe("");
    },
  );
});

test("a deployment whose names do not fit registers nothing", async () => {
  const mocks = await run(() => {
    for (const name of ["sg", "SG", "a".repeat(21), "a_b", "xn--a", "", "a.b"]) {
      const make = () =>
        new EmqxDeployment(name, { availabilityZones: ["eu-west-1a"], certificate: { selfSigned: {} } });
      expect(make).toThrow(/nothing of it was changed, because its input cannot work:\n {2}- name: /);
    }
  });
  expect(inAws(mocks)).toEqual([]);
});
