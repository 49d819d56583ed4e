import fc from "fast-check";
import { findRelease, releaseProblems, releaseWarnings } from "../../../components/emqx/releases";

test.each([
  ["5.8.0", "emqx-ce/v5.8.0/emqx-5.8.0", "emqx", "opensource"],
  ["5.8.9", "emqx-ce/v5.8.9/emqx-5.8.9", "emqx", "opensource"],
  ["5.8.10", "emqx-ee/e5.8.10/emqx-enterprise-5.8.10", "emqx-enterprise", "enterprise"],
  ["5.9.3", "emqx-ee/e5.9.3/emqx-enterprise-5.9.3", "emqx-enterprise", "enterprise"],
  ["5.10.4", "emqx-ee/e5.10.4/emqx-enterprise-5.10.4", "emqx-enterprise", "enterprise"],
  ["6.2.3", "emqx-ee/6.2.3/emqx-enterprise-6.2.3", "emqx-enterprise", "enterprise"],
  // Not released when this was written: the next patch or minor release needs no change here.
  ["5.8.12", "emqx-ee/e5.8.12/emqx-enterprise-5.8.12", "emqx-enterprise", "enterprise"],
  ["6.4.1", "emqx-ee/6.4.1/emqx-enterprise-6.4.1", "emqx-enterprise", "enterprise"],
])("%s is published as %s", (version, path, packageName, edition) => {
  const release = findRelease(version);
  expect(release.packageUrl("arm64")).toBe(`https://packages.emqx.io/${path}-amzn2023-arm64.rpm`);
  expect(release.packageUrl("x86_64")).toBe(`https://packages.emqx.io/${path}-amzn2023-amd64.rpm`);
  expect(release).toMatchObject({
    version,
    packageName,
    edition,
    clusterNeedsLicense: edition === "enterprise",
  });
});

test.each([
  "5.8",
  "v5.8.9",
  "5.8.9 ",
  "5.8.09",
  "latest",
  "",
  "6.2.0-rc.1",
  "5.8.9+x",
  "5",
  "5.8.9.1",
  "e5.8.10",
])("%j is not a version", (version) => {
  const message =
    `emqxVersion "${version}" is not a version: give a released version as three numbers: 5.8.0 to 5.8.9 ` +
    `(open source), or a later one below 7.0.0 (Enterprise; needs licenseKey for more than one node), ` +
    `such as 5.8.9, 5.10.4 or 6.2.3.`;
  expect(() => findRelease(version)).toThrow(message);
  expect(releaseProblems(version, "Documented", 1, true)).toEqual([message]);
  expect(releaseWarnings(version)).toEqual([]);
});

test.each(["4.4.19", "5.0.0", "5.7.2", "7.0.0", "0.0.0", "99999999999999999999.0.0"])(
  "%s is not supported",
  (version) => {
    const problems = releaseProblems(version, "Package", 3, true);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^emqxVersion .* is not (supported|a version): give a released version as three numbers/,
    );
    expect(() => findRelease(version)).toThrow(problems[0]);
  },
);

test.each(["5.8.99", "5.9.14", "5.11.0", "6.1.15", "6.8.0", "6.99.0", "6.3.11"])(
  "%s was never released",
  (version) => {
    const problems = releaseProblems(version, "Package", 1, true);
    expect(problems).toEqual([
      expect.stringMatching(`^emqxVersion ${version} was never released: the last ones`),
    ]);
    expect(() => findRelease(version)).toThrow(problems[0]);
  },
);

test.each(["5.8.12", "5.10.5", "6.2.4", "6.3.0"])("%s is newer than the list, which is said", (version) => {
  expect(releaseProblems(version, "Package", 1, true)).toEqual([]);
  expect(releaseWarnings(version, new Date("2026-06-01"))).toEqual([
    expect.stringMatching(`^emqxVersion ${version} is newer than the releases that this library knows`),
  ]);
});

test.each([
  [
    "5.8.1",
    "Documented",
    3,
    false,
    [/^emqxVersion 5\.8\.1 cannot use clusterPorts Documented .* 5\.8\.2 on/],
  ],
  ["5.8.1", "Package", 3, false, []],
  ["5.8.2", "Documented", 3, false, []],
  ["5.8.9", "Documented", 100, false, []],
  ["5.8.10", "Documented", 2, false, [/^emqxVersion 5\.8\.10 needs licenseKey for 2 nodes/]],
  ["5.8.10", "Documented", 2, true, []],
  ["5.9.0", "Package", 3, false, [/needs licenseKey for 3 nodes/]],
  ["6.2.3", "Documented", 1, false, []],
  ["6.2.3", "Documented", 3, true, []],
] as const)("%s with %s ports, %i nodes, licence %s", (version, clusterPorts, nodes, license, expected) => {
  const problems = releaseProblems(version, clusterPorts, nodes, license);
  expect(problems).toHaveLength(expected.length);
  expected.forEach((pattern, i) => expect(problems[i]).toMatch(pattern));
});

test.each([
  ["5.8.9", "2026-02-27", []],
  [
    "5.8.9",
    "2026-02-28",
    [
      "emqxVersion 5.8.9: support ended on 2026-02-27; later security fixes are in EMQX Enterprise only " +
        "(which needs licenseKey for more than one node).",
    ],
  ],
  [
    "5.9.3",
    "2026-11-23",
    ["emqxVersion 5.9.3: support ended on 2026-11-01; upgrade to a supported release."],
  ],
  ["5.10.4", "2026-11-23", []],
  ["5.8.11", "2027-08-27", []],
  ["6.2.3", "2099-01-01", []],
])("warnings of %s on %s", (version, today, expected) => {
  expect(releaseWarnings(version, new Date(`${today}T12:00:00Z`))).toEqual(expected);
});

test("every text is judged, and what is accepted is found", () => {
  const version = fc.oneof(
    fc.string(),
    fc.tuple(fc.nat(8), fc.nat(12), fc.nat(30)).map((numbers) => numbers.join(".")),
  );
  fc.assert(
    fc.property(version, (text) => {
      const problems = releaseProblems(text, "Package", 1, false);
      if (problems.length === 0) expect(findRelease(text).packageUrl("arm64")).toContain(text);
      else expect(() => findRelease(text)).toThrow(problems[0]);
    }),
  );
});
