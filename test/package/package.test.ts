import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(__dirname, "../..");
const bin = (tool: string) => join(root, "node_modules/.bin", tool);
const run = (command: string, args: string[], cwd = root) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** The package as npm would publish it, unpacked where a program finds it as "emqx-aws". */
describe("the published package", () => {
  let folder: string;
  let files: string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "emqx-aws-package-"));
    run(bin("tsc"), ["-p", "tsconfig.build.json"]);
    const [packed] = JSON.parse(
      run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder]),
    ) as { filename: string; files: { path: string }[] }[];
    files = packed!.files.map(({ path }) => path);
    run("tar", ["-xzf", join(folder, packed!.filename)], folder);
    const modules = join(folder, "program/node_modules");
    cpSync(join(folder, "package"), join(modules, "emqx-aws"), { recursive: true });
    for (const name of ["@pulumi", "@types", "yaml", "semver", "ip-address", "fastest-levenshtein"]) {
      symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("holds the library, its sources and nothing of the simulated region, command line and tests", () => {
    expect(files).toEqual(
      expect.arrayContaining([
        "dist/components/index.js",
        "dist/components/index.d.ts",
        "components/index.ts",
      ]),
    );
    expect(files.filter((file) => /^(simulator|cli|test|bench|policies|\.)/.test(file))).toEqual([]);
  });

  test("has an entry, types and metadata that publint finds no fault with", () => {
    expect(run(bin("publint"), ["--strict", join(folder, "package")])).toContain("All good!");
  });

  test("can be imported, creates nothing, and gives its components", () => {
    const script = 'console.log(Object.keys(require("emqx-aws")).sort().join(" "))';
    expect(run(process.execPath, ["-e", script], join(folder, "program")).trim()).toBe(
      "ClusterPorts EmqxBackup EmqxClassicElb EmqxClusterNodes EmqxDeployment EmqxMonitoring EmqxSecurityGroup EmqxVpc " +
        "Listener NatGateways TlsPolicy deploymentProblems",
    );
  });

  test("has types that a strict program compiles against", () => {
    const program = join(folder, "program");
    writeFileSync(
      join(program, "index.ts"),
      `import { EmqxDeployment, Listener } from "emqx-aws";
const emqx = new EmqxDeployment("emqx", { availabilityZones: ["eu-west-1a"], listeners: [Listener.Mqtts] });
export const url: import("@pulumi/pulumi").Output<string> | undefined = emqx.mqttsUrl;
`,
    );
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
    expect(run(bin("tsc"), [...options, "index.ts"], program)).toBe("");
  }, 60_000);
});
