import { hasAll, isSame } from "../../components/readiness";

describe("a node's report of its secrets", () => {
  const both = "dashboard-password=2 mqtt-password=1";
  test.each([
    ["all of them", both, true],
    ["in another order", "mqtt-password=1 dashboard-password=2", true],
    // Without licenseKey, the parameter goes after the nodes have been replaced.
    ["one that leaves the deployment, too", `${both} license-key=4`, true],
    ["an older version", "dashboard-password=1 mqtt-password=1", false],
    ["a version that only begins alike", "dashboard-password=21 mqtt-password=1", false],
    ["one of them", "dashboard-password=2", false],
    ["nothing yet", "never", false],
  ])("with %s", (_name, reported, fits) => {
    expect(hasAll(reported, both)).toBe(fits);
  });

  test("is what is waited for where there are no secrets", () => {
    expect(hasAll("never", "")).toBe(true);
  });
});

test("readiness is one instance and no other", () => {
  expect(isSame("i-1", "i-1")).toBe(true);
  expect(isSame("i-1 i-2", "i-1")).toBe(false);
});
