import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

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

  test("holds the library, its sources, pages and examples, and nothing of the simulated region, command line and tests", () => {
    expect(files).toEqual(
      expect.arrayContaining([
        ...["dist/components/index.js", "dist/components/index.d.ts", "components/index.ts"],
        ...["plugin/PulumiPlugin.yaml", "tsconfig.build.json", "README.md", "docs/README.md"],
      ]),
    );
    expect(files.filter((file) => /^(simulator|cli|test|bench|policies|stacks|index|\.)/.test(file))).toEqual(
      [],
    );
  });

  const own = () => join(folder, "program/node_modules/emqx-aws");
  const shipped = (pattern: RegExp) => files.filter((file) => pattern.test(file));

  test("imports nothing that it does not bring along or ask for", () => {
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(own(), "package.json"), "utf8"),
    ) as {
      dependencies: object;
      peerDependencies: object;
    };
    const allowed = [...Object.keys(dependencies), ...Object.keys(peerDependencies), "emqx-aws"];
    const foreign = shipped(/\.(ts|js)$/).flatMap((file) =>
      [...readFileSync(join(own(), file), "utf8").matchAll(/(?:from|require\(|import\()\s*"([^".][^"]*)"/g)]
        .map(([, name = ""]) => name)
        .filter((name) => /^[@a-z][\w@/.-]*$/.test(name) && !isBuiltin(name))
        .filter((name) => !allowed.some((one) => name === one || name.startsWith(`${one}/`)))
        .map((name) => `${file}: ${name}`),
    );
    expect(foreign).toEqual([]);
  });

  test("has only files that load: each by require, and the entry by import, with its names", () => {
    const scripts = shipped(/\.js$/).map((file) => `emqx-aws/${file}`);
    expect(scripts.length).toBeGreaterThan(40);
    const modules = JSON.stringify(scripts.map((name) => join(folder, "program/node_modules", name)));
    run(process.execPath, ["-e", `${modules}.forEach((name) => require(name))`], join(folder, "program"));
    const program =
      'import { EmqxVpc, Listener } from "emqx-aws"; console.log(typeof EmqxVpc, Listener.Mqtts)';
    const said = run(process.execPath, ["--input-type=module", "-e", program], join(folder, "program"));
    expect(said.trim()).toBe("function Mqtts");
  });

  test("has no link to a file that it does not have", () => {
    const dead = shipped(/\.md$/).flatMap((file) =>
      [...readFileSync(join(own(), file), "utf8").matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !existsSync(join(own(), dirname(file), target)))
        .map((target) => `${file}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  test("builds itself again, as npm does for whoever installs in its folder", () => {
    const out = join(folder, "again");
    run(bin("tsc"), ["-p", join(own(), "tsconfig.build.json"), "--noCheck", "--outDir", out], own());
    expect(existsSync(join(out, "components/index.js"))).toBe(true);
  }, 120_000);

  test("is one package with its plugin for other languages", () => {
    const read = (file: string) =>
      JSON.parse(readFileSync(join(own(), file), "utf8")) as Record<string, string>;
    const [library, plugin] = [read("package.json"), read("plugin/package.json")];
    expect([plugin["name"], plugin["version"]]).toEqual([library["name"], library["version"]]);
    expect(existsSync(join(own(), "plugin", plugin["main"]!))).toBe(true);
  });

  test("has an entry, types and metadata that publint finds no fault with", () => {
    expect(run(bin("publint"), ["--strict", join(folder, "package")])).toContain("All good!");
  });

  test("can be imported, creates nothing, and gives its components", () => {
    const script = 'console.log(Object.keys(require("emqx-aws")).sort().join(" "))';
    expect(run(process.execPath, ["-e", script], join(folder, "program")).trim()).toBe(
      "AclAction AclPermission AddressType CertificateField ClusterPorts EmqxBackup EmqxClassicElb EmqxClusterNodes EmqxDeployment " +
        "EmqxMonitoring EmqxNetworkLoadBalancer EmqxSecurityGroup EmqxVpc Listener NatGateways NetworkTlsPolicy TlsEnd TlsPolicy deploymentProblems",
    );
  });

  const program = `import { EmqxDeployment, Listener } from "emqx-aws";
const emqx = new EmqxDeployment("emqx", { availabilityZones: ["eu-west-1a"], listeners: [Listener.Mqtts] });
export const url: import("@pulumi/pulumi").Output<string> | undefined = emqx.mqttsUrl;
`;

  test.each([
    ["node16", "index.cts"],
    ["node16", "index.mts"],
    ["nodenext", "index.mts"],
    ["esnext", "index.ts", "--moduleResolution", "bundler"],
    ["commonjs", "index.ts", "--moduleResolution", "node10"],
  ])(
    "has types that a strict program compiles against: module %s, %s %s %s",
    (module, file, ...more) => {
      const place = join(folder, "program");
      writeFileSync(join(place, file), program);
      const options = [
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--target",
        "es2022",
        "--module",
        module,
        ...more,
      ];
      try {
        expect(run(bin("tsc"), [...options, file], place)).toBe("");
      } finally {
        rmSync(join(place, file));
      }
    },
    120_000,
  );

  test("has sources that compile where they are", () => {
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"];
    const sources = shipped(/^(components|plugin|examples)\/.*(?<!\.d)\.ts$/).map((file) =>
      join(own(), file),
    );
    expect(run(bin("tsc"), [...options, "--types", "node", "--esModuleInterop", ...sources], own())).toBe("");
  }, 120_000);
});
