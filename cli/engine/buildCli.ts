import { execFile, spawn } from "node:child_process";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Speaker } from "../console";
import type { Cli } from "./findCli";
import { cachedCommand, versionOf } from "./findCli";
import { findOnPath } from "./hostLauncher";

/** A Go module that names the CLI as its tool, with every checksum. */
const moduleDirectory = join(__dirname, "build");
const mainPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/**
 * The same code, compiled for a short build: not optimised, which takes two thirds of the time, and without debugging
 * information, which would only be made to be stripped (`what-changed/model` of libopenapi, among the largest: 13 instead of 14 s).
 * Go's own library is optimised, since the engine spends its time there (JSON, hashes, collecting garbage): 23 s of CPU in the
 * build, for 3.8 instead of 7.4 s to destroy a deployment, 1.6 instead of 2.3 s to preview it.
 */
const compilerFlags = ["-gcflags", "all=-N -l -dwarf=false", "-gcflags", "std=-dwarf=false"];

function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    // Less collecting of garbage: the same package took 10.4 instead of 12.8 s, with 425 instead of 335 MB.
    GOGC: "200",
    ...env,
    ...{ GOFLAGS: "-mod=readonly", GOWORK: "off", CGO_ENABLED: "0" },
  };
}

/** How many packages the CLI has; this also downloads the modules they are in. */
async function countPackages(go: string, env: NodeJS.ProcessEnv): Promise<number> {
  const { stdout } = await promisify(execFile)(go, ["list", "-deps", mainPackage], {
    cwd: moduleDirectory,
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim().split("\n").length;
}

function minutes(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function compile(
  go: string,
  output: string,
  version: string,
  env: NodeJS.ProcessEnv,
  onPackage: () => void,
): Promise<void> {
  const linkerFlags = `-s -w -X ${versionVariable}=${version}`;
  const flags = ["-v", "-buildvcs=false", ...compilerFlags, "-ldflags", linkerFlags];
  const args = ["build", ...flags, "-o", output, mainPackage];
  return new Promise((resolve, reject) => {
    const child = spawn(go, args, { cwd: moduleDirectory, env, stdio: ["ignore", "ignore", "pipe"] });
    let tail = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-2000);
      for (let index = text.indexOf("\n"); index >= 0; index = text.indexOf("\n", index + 1)) onPackage();
    });
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(tail.trim()))));
  });
}

/** Builds the CLI from its Go module into the cache; undefined, with the reason said, when that fails. */
export async function buildCli(
  version: string,
  cache: string,
  env: NodeJS.ProcessEnv,
  speaker: Speaker,
): Promise<Cli | undefined> {
  const go = findOnPath("go", env);
  if (go === undefined) {
    speaker.say("Pulumi cannot be built from source either: there is no `go` on PATH.");
    return undefined;
  }
  const started = Date.now();
  const temporary = join(cache, `${version}.build-${process.pid}`);
  const output = join(temporary, "bin", "pulumi");
  const environment = goEnvironment(env);
  speaker.say(
    `Building Pulumi ${version} from source with ${go}. This happens once and takes about 5 minutes on 2 cores;` +
      " it needs 3 GB of disk for Go's caches.",
  );
  let step = "fetching modules";
  const clock = setInterval(() => speaker.progress(`  ${minutes(Date.now() - started)}  ${step}`), 1_000);
  try {
    mkdirSync(join(temporary, "bin"), { recursive: true });
    const total = await countPackages(go, environment);
    const compiling = Date.now();
    let done = 0;
    step = "compiling";
    await compile(go, output, version, environment, () => {
      done++;
      const left = ((Date.now() - compiling) * (total - done)) / done;
      step = `compiling: ${done} of at most ${total} packages, about ${minutes(left)} left`;
    });
    const built = versionOf(output, env);
    if (built !== version) throw new Error(`the built CLI says that it is ${built ?? "nothing"}`);
    rmSync(join(cache, version), { recursive: true, force: true });
    renameSync(temporary, join(cache, version));
    speaker.say(`Built Pulumi ${version} in ${minutes(Date.now() - started)} minutes.`);
    return { command: cachedCommand(cache, version), version };
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    speaker.say(`The build failed:\n${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  } finally {
    clearInterval(clock);
  }
}
