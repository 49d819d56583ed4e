import { clusterNodesInputs, type EmqxClusterNodesArgs } from "../../../components/nodes/settings";
import { withDefaults } from "../../../components/shared/inputs";
import { clusterNodesWarnings } from "../../../components/nodes/problems";
import { generateKeyPairSync, sign } from "node:crypto";
import { licenseExpiry, licenseWarnings, parseLicense } from "../../../components/emqx/license";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

interface Lines {
  version?: string;
  type?: string;
  customerType?: string;
  start?: string;
  days?: string;
  connections?: string;
}

/** A key in EMQX's format; the signature is real, only not EMQ's. */
function keyOf(lines: Lines = {}, separator = "\n"): string {
  const { version = "220111", type = "1", customerType = "2", start = "20260101" } = lines;
  const { days = "365", connections = "1000" } = lines;
  const people = ["Example Inc.", "ops@example.com", "emqx-example"];
  const payload = [version, type, customerType, ...people, start, days, connections].join(separator);
  return [Buffer.from(payload), sign("sha256", Buffer.from(payload), privateKey)]
    .map((part) => part.toString("base64"))
    .join(".");
}

const day = (text: string) => new Date(`${text}T00:00:00Z`);

describe("parseLicense", () => {
  test("reads the last day, the kind and the limit", () => {
    expect(parseLicense(keyOf())).toEqual({
      type: 1,
      customerType: 2,
      expires: day("2027-01-01"),
      maxConnections: 1000,
    });
  });

  test("reads a key as people paste it: wrapped, with spaces, with Windows' line ends inside", () => {
    const wrapped = keyOf({}, "\r\n").replace(/(.{40})/g, "$1\r\n ");
    expect(licenseExpiry(wrapped)).toEqual(day("2027-01-01"));
  });

  test("reads numbers with commas, as EMQX does", () => {
    expect(parseLicense(keyOf({ connections: "10,000" }))?.maxConnections).toBe(10_000);
  });

  test("counts days over a leap year", () => {
    expect(licenseExpiry(keyOf({ start: "20280228", days: "2" }))).toEqual(day("2028-03-01"));
  });

  test.each([
    ["the built-in licence", "default"],
    ["the evaluation licence", "evaluation"],
    ["a file on the node", "file:///etc/emqx/emqx.lic"],
    ["nothing", ""],
    ["no signature", keyOf().split(".")[0]!],
    ["three parts", `${keyOf()}.AAAA`],
    ["no Base64", "ä.ö"],
    ["Base64 of something else", "aGVsbG8=.d29ybGQ="],
    ["another format", keyOf({ version: "230111" })],
    ["no day", keyOf({ start: "20260231" })],
    ["no number of days", keyOf({ days: "many" })],
    ["no days", keyOf({ days: "0" })],
    ["no connections", keyOf({ connections: "0" })],
    ["no customer type", keyOf({ customerType: "?" })],
  ])("does not know %s", (_what, key) => {
    expect(parseLicense(key)).toBeUndefined();
    expect(licenseExpiry(key)).toBeUndefined();
    expect(licenseWarnings(key, day("2030-01-01"))).toEqual([]);
  });
});

describe("licenseWarnings", () => {
  const key = keyOf();

  test.each([
    ["2026-12-01", []],
    ["2026-12-02", [/the licence expires on 2027-01-01, in 30 days; EMQX goes on, with an alarm/]],
    ["2027-01-01", [/the licence expires on 2027-01-01, today;/]],
    ["2027-01-02", [/the licence expired on 2027-01-01, 1 day ago;/]],
  ])("on %s", (today, expected) => {
    const warnings = licenseWarnings(key, new Date(`${today}T23:00:00Z`));
    expect(warnings).toEqual(expected.map((text) => expect.stringMatching(text)));
  });

  test.each([
    ["a trial", { type: "0" }, "from the day after on, EMQX takes no new connections"],
    ["a small customer", { customerType: "0" }, "from 90 days after on, EMQX takes no new connections"],
    ["anybody else", { customerType: "10" }, "EMQX goes on, with an alarm"],
  ])("says what follows for %s", (_who, lines, text) => {
    expect(licenseWarnings(keyOf(lines), day("2027-02-01"))).toEqual([expect.stringContaining(text)]);
  });

  test("never shows the key or whose it is", () => {
    const [warning] = licenseWarnings(key, day("2027-02-01"));
    expect(warning).not.toContain(key.slice(0, 12));
    expect(warning).not.toContain("Example");
  });
});

test.each([
  ["5.8.9", true],
  ["5.8.0", true],
  ["5.8.10", false],
  ["5.10.4", false],
  ["6.2.3", false],
])("a key for %s, which may be open source and read none, is warned of: %s", (emqxVersion, isWarned) => {
  const nodes = [{ subnetId: "subnet-1", availabilityZone: "eu-west-1a", privateIp: "192.168.0.10" }];
  const warnings = clusterNodesWarnings(
    withDefaults<EmqxClusterNodesArgs, typeof clusterNodesInputs>(clusterNodesInputs, {
      nodes,
      securityGroupIds: [],
      emqxVersion,
      licenseKey: "x",
    }),
  );
  expect(warnings.some((text) => text.startsWith("licenseKey: "))).toBe(isWarned);
});
