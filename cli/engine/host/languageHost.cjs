// The Node.js language host for a Pulumi CLI that came without one: what the engine asks of
// `pulumi-language-nodejs`, served over gRPC. Plain JavaScript, so that it starts without compiling, and CommonJS, which
// loads in half the time: it starts twice in every command.
// The program itself is run by the SDK's own runner, @pulumi/pulumi/cmd/run.
"use strict";

const grpc = require("@grpc/grpc-js");
const languageServices = require("@pulumi/pulumi/proto/language_grpc_pb.js");
const messages = require("@pulumi/pulumi/proto/language_pb.js");
const plugins = require("@pulumi/pulumi/proto/plugin_pb.js");
const empty = require("google-protobuf/google/protobuf/empty_pb.js");
const { spawn } = require("node:child_process");
const { createRequire } = require("node:module");
const path = require("node:path");
const { installCommand, packageManager, packageManagerVersion } = require("./packageManagers.cjs");
const { findDependencies, findPulumiPackages } = require("./packages.cjs");
const { parseOptions, splitWords } = require("./options.cjs");

/** The runner's exit code for "the user has already been told what is wrong". */
const ALREADY_EXPLAINED = 32;

/** What V8 prints when the heap is full. */
const OUT_OF_MEMORY = "<--- Last few GCs --->";

/** The last argument is the engine's address; flags such as --tracing come before it. */
let engineAddress = process.argv.slice(2).findLast((argument) => !argument.startsWith("-")) ?? "";

const children = new Set();

/** Resolves a module as the program would, or says how to install it. */
function locate(module, directory, remedy) {
  try {
    return createRequire(path.join(directory, "noop.js")).resolve(module);
  } catch {
    throw new Error(`${module} is not installed for ${directory}. ${remedy}`);
  }
}

function optionsOf(info) {
  return parseOptions(info?.getOptions()?.toJavaScript() ?? {});
}

function optionsEnvironment(options) {
  return {
    ...(options.typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
    ...(options.tsconfig && { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
  };
}

/** `ns:key` becomes `ns:config:key`, which every version of the SDK understands. */
function configEnvironment(entries) {
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const separator = key.indexOf(":");
      if (separator < 0) throw new Error(`the configuration key ${key} has no namespace`);
      const name = key.slice(separator + 1).replace(/^config:/, "");
      return [`${key.slice(0, separator)}:config:${name}`, value];
    }),
  );
}

/** What every program loads before the SDK. */
const preloaded = ["endWithHost.cjs", "lazyNpm.cjs"].map((name) => path.join(__dirname, name));

function start(args, options) {
  const child = spawn(process.execPath, args, options);
  children.add(child);
  child.once("close", () => children.delete(child));
  return child;
}

/** Asks the programs to stop, and insists after five seconds. */
function stopChildren() {
  for (const child of children) {
    child.kill("SIGINT");
    const insist = setTimeout(() => child.kill("SIGKILL"), 5_000);
    child.once("close", () => clearTimeout(insist));
  }
}

/** Resolves with the exit code or signal once the child is gone and all that it wrote has arrived. */
function finished(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

function flush(stream) {
  return new Promise((resolve) => stream.write("", resolve));
}

async function run(request) {
  const info = request.getInfo();
  if (request.getAttachDebugger()) {
    throw new Error(
      "--attach-debugger needs Pulumi's own Node.js language host; use nodeargs: --inspect-brk",
    );
  }
  const options = optionsOf(info);
  const directory = info.getProgramDirectory();
  const runner =
    process.env.PULUMI_LANGUAGE_NODEJS_RUN_PATH ||
    locate("@pulumi/pulumi/cmd/run", directory, "Have you run npm ci (or pulumi install)?");

  const flags = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engineAddress],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", info.getRootDirectory()],
    ["stack", request.getStack()],
    ["pwd", directory],
    ["parallel", String(request.getParallel())],
  ].flatMap(([flag, value]) => (value ? [`--${flag}`, value] : []));

  const child = start(
    [
      ...preloaded.flatMap((file) => ["--require", file]),
      ...splitWords(options.nodeargs),
      runner,
      ...flags,
      ...(request.getDryrun() ? ["--dry-run"] : []),
      info.getEntryPoint(),
      ...request.getArgsList(),
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        ...optionsEnvironment(options),
        PULUMI_CONFIG: JSON.stringify(configEnvironment(request.getConfigMap().getEntryList())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      },
    },
  );
  let outOfMemory = false;
  let tail = "";
  child.stdout.pipe(process.stdout, { end: false });
  child.stderr.on("data", (data) => {
    process.stderr.write(data);
    tail = (tail + data.toString()).slice(-4096);
    outOfMemory ||= tail.includes(OUT_OF_MEMORY);
  });

  const { code, signal } = await finished(child);
  await Promise.all([flush(process.stdout), flush(process.stderr)]);

  const response = new messages.RunResponse();
  if (code === 0) return response;
  if (code === ALREADY_EXPLAINED) return response.setBail(true);
  const memory = outOfMemory
    ? ". It may have run out of memory: raise it in Pulumi.yaml, runtime.options.nodeargs: --max-old-space-size=<MB>"
    : "";
  const ending =
    code === null ? `Program was ended by ${signal}` : `Program exited with non-zero exit code: ${code}`;
  return response.setError(ending + memory);
}

/** Components served as a plugin, and policy packs. Whatever they print goes to the engine as it comes. */
async function runPlugin(call) {
  const request = call.request;
  const info = request.getInfo();
  const directory = info.getProgramDirectory();
  const isPolicyPack = request.getKind() === "analyzer";
  const options = optionsOf(info);
  const runner = locate(
    isPolicyPack ? "@pulumi/pulumi/cmd/run-policy-pack" : "@pulumi/pulumi/cmd/run-plugin",
    directory,
    `Run npm install in ${directory}`,
  );
  const toEngine = {
    stdout: (data) => call.write(new messages.RunPluginResponse().setStdout(data)),
    stderr: (data) => call.write(new messages.RunPluginResponse().setStderr(data)),
  };

  const environment = Object.fromEntries(
    request.getEnvList().map((entry) => {
      const separator = entry.indexOf("=", 1);
      return [entry.slice(0, separator), entry.slice(separator + 1)];
    }),
  );
  const proxy = isPolicyPack ? await require("./policyProxy.cjs").startPolicyProxy() : undefined;
  if (proxy) {
    toEngine.stdout(Buffer.from(`${proxy.port}\n`));
    Object.assign(environment, await proxy.stackEnvironment());
  }

  const args = isPolicyPack ? [...request.getArgsList(), directory] : [directory, ...request.getArgsList()];
  const child = start([...splitWords(options.nodeargs), runner, ...args], {
    cwd: isPolicyPack ? directory : request.getPwd(),
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...environment, ...optionsEnvironment(options) },
  });
  call.on("cancelled", () => child.kill("SIGKILL"));
  child.stderr.on("data", toEngine.stderr);
  if (proxy) proxy.attach(child, toEngine.stdout);
  else child.stdout.on("data", toEngine.stdout);

  try {
    const { code, signal } = await finished(child);
    if (code !== 0 && !call.cancelled) {
      throw new Error(`Program exited with ${code === null ? signal : `non-zero exit code: ${code}`}`);
    }
  } finally {
    proxy?.close();
  }
}

async function installDependencies(call) {
  const info = call.request.getInfo();
  const directory = info.getProgramDirectory();
  const options = optionsOf(info);
  const say = (data) => call.write(new messages.InstallDependenciesResponse().setStdout(Buffer.from(data)));
  const { command, args } = installCommand(
    packageManager(options.packagemanager, directory),
    directory,
    options.production,
  );
  say(`Installing dependencies: ${[command, ...args].join(" ")}\n\n`);
  const child = spawn(command, args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", say);
  child.stderr.on("data", (data) => call.write(new messages.InstallDependenciesResponse().setStderr(data)));
  const { code } = await finished(child);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed with exit code ${code}`);
  say("Finished installing dependencies\n\n");
}

function about(request) {
  const info = request.getInfo();
  const manager = packageManager(optionsOf(info).packagemanager, info.getProgramDirectory());
  const version = packageManagerVersion(manager);
  const response = new messages.AboutResponse().setExecutable(process.execPath).setVersion(process.version);
  response.getMetadataMap().set("packagemanager", manager);
  if (version) response.getMetadataMap().set("packagemanagerVersion", version);
  return response;
}

function requiredPackages(request) {
  const response = new messages.GetRequiredPackagesResponse();
  for (const found of findPulumiPackages(request.getInfo().getProgramDirectory())) {
    const dependency = new plugins.PackageDependency().setKind("resource").setName(found.name);
    response.addPackages(dependency.setVersion(found.version).setServer(found.server));
  }
  return response;
}

function programDependencies(request) {
  const response = new messages.GetProgramDependenciesResponse();
  const directory = request.getInfo().getProgramDirectory();
  for (const { name, version } of findDependencies(directory, request.getTransitivedependencies())) {
    response.addDependencies(new messages.DependencyInfo().setName(name).setVersion(version));
  }
  return response;
}

function pluginInfo() {
  return new plugins.PluginInfo().setVersion(require("@pulumi/pulumi/package.json").version);
}

function handshake(request) {
  engineAddress = request.getEngineAddress() || engineAddress;
  return new messages.LanguageHandshakeResponse();
}

function failure(error) {
  return { code: grpc.status.UNKNOWN, details: error.message };
}

/** A method with one answer: whatever the function returns, or its error in words. */
function answer(method) {
  return (call, callback) => {
    Promise.resolve()
      .then(() => method(call.request))
      .then(
        (response) => callback(null, response),
        (error) => callback(failure(error)),
      );
  };
}

/** A method that streams: ends when the function does. */
function stream(method) {
  return (call) => {
    method(call).then(
      () => call.end(),
      (error) => call.destroy(Object.assign(new Error(error.message), failure(error))),
    );
  };
}

/** Trouble before the program runs is reported like the program's own. */
function runOrExplain(request) {
  return run(request).catch((error) => new messages.RunResponse().setError(error.message));
}

const server = new grpc.Server({
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
});
server.addService(languageServices.LanguageRuntimeService, {
  handshake: answer(handshake),
  getRequiredPackages: answer(requiredPackages),
  run: answer(runOrExplain),
  runPlugin: stream(runPlugin),
  getPluginInfo: answer(pluginInfo),
  installDependencies: stream(installDependencies),
  runtimeOptionsPrompts: answer(() => new messages.RuntimeOptionsResponse()),
  template: answer(() => new messages.TemplateResponse()),
  about: answer(about),
  getProgramDependencies: answer(programDependencies),
  cancel: answer(() => {
    stopChildren();
    return new empty.Empty();
  }),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});

// Nothing may outlive the engine, however it ends: a program that goes on registering resources with an
// engine that was killed would only confuse.
const engineProcess = process.ppid;
setInterval(() => {
  if (process.ppid === engineProcess) return;
  for (const child of children) child.kill("SIGKILL");
  process.exit(1);
}, 500).unref();

// The engine interrupts its plugins when it is done with them, and waits for them to go.
process.on("SIGINT", () => {
  stopChildren();
  Promise.all([...children].map(finished)).finally(() => process.exit(0));
});
