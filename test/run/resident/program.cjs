// A program run by the SDK's own runner, @pulumi/pulumi/cmd/run, in a process that has run others before: what the runner expects
// of a process of its own is given to it for as long as the program lasts, and taken back.
"use strict";

const Module = require("node:module");
const { sep } = require("node:path");
const { setImmediate } = require("node:timers/promises");
require("../../../cli/engine/host/lazyNpm.cjs");
const swc = require("@swc/core");
const { getStore } = require("@pulumi/pulumi/runtime/state");

// A file is compiled again only when it has changed; its name is put into the result by ts-node.
const { transformSync } = swc;
const compiled = new Map();
swc.transformSync = (code, options) => {
  const key = JSON.stringify([code, { ...options, filename: undefined }]);
  if (!compiled.has(key)) compiled.set(key, transformSync(code, options));
  return compiled.get(key);
};

const runner = require.resolve("@pulumi/pulumi/cmd/run");
const events = ["uncaughtException", "unhandledRejection", "beforeExit", "exit"];

/** Everything but the SDK, AWS's classes and the compiler belongs to the program; the runner notes errors in its module. */
function forget(keep) {
  for (const file of Object.keys(require.cache)) {
    if (keep.has(file)) continue;
    if (!file.includes(`${sep}node_modules${sep}`) || file.includes("/pulumi/cmd/run/"))
      delete require.cache[file];
  }
}

/** How many of each kind of thing keep the process alive. */
function alive() {
  const counts = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

const ours = new Set(Object.keys(require.cache));
let resources;

/**
 * Runs it to its end; resolves with its exit code. `request`: `args` of the runner, `env`, `cwd`; `output`: where it writes.
 * `gone`: resolves when whoever asked for it is no longer there.
 */
async function runProgram({ args, env, cwd }, output, gone) {
  const before = {
    env: { ...process.env },
    argv: process.argv,
    cwd: process.cwd(),
    exit: process.exit,
    write: { stdout: process.stdout.write, stderr: process.stderr.write },
    extensions: { ...Module._extensions },
    prepareStackTrace: Error.prepareStackTrace,
    stackTraceLimit: Error.stackTraceLimit,
    listeners: new Map(events.map((event) => [event, process.listeners(event)])),
    alive: alive(),
  };
  const isIdle = () => Object.entries(alive()).every(([kind, count]) => count <= (before.alive[kind] ?? 0));
  const emit = (event, code) => {
    for (const listener of process.rawListeners(event)) {
      if (!before.listeners.get(event).includes(listener)) listener.call(process, code);
    }
  };

  setEnvironment(env);
  process.chdir(cwd);
  process.argv = [process.argv[0], runner, ...args];
  for (const stream of ["stdout", "stderr"]) {
    process[stream].write = (chunk, encoding, callback) => {
      output[stream](typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
      (typeof encoding === "function" ? encoding : callback)?.();
      return true;
    };
  }
  const exited = new Promise((resolve) => {
    process.exit = (code) => {
      process.exitCode = code ?? process.exitCode;
      resolve();
      // Whoever called it does not expect to go on.
      throw new Error("the program has ended");
    };
  });
  try {
    global.globalStore = undefined;
    require(runner);
    Object.assign(getStore(), resources);
    await Promise.race([exited, gone, emptied(isIdle, emit)]);
    emit("exit", process.exitCode ?? 0);
    return { code: process.exitCode ?? 0 };
  } finally {
    const { resourcePackages, resourceModules } = getStore();
    resources = { resourcePackages, resourceModules };
    process.exitCode = undefined;
    process.exit = before.exit;
    process.argv = before.argv;
    process.chdir(before.cwd);
    setEnvironment(before.env);
    for (const stream of ["stdout", "stderr"]) process[stream].write = before.write[stream];
    for (const extension of Object.keys(Module._extensions)) delete Module._extensions[extension];
    Object.assign(Module._extensions, before.extensions);
    Error.prepareStackTrace = before.prepareStackTrace;
    Error.stackTraceLimit = before.stackTraceLimit;
    for (const [event, listeners] of before.listeners) {
      for (const listener of process.rawListeners(event)) {
        if (!listeners.includes(listener)) process.removeListener(event, listener);
      }
    }
    forget(ours);
  }
}

function setEnvironment(env) {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
}

/** As a process ends by itself: nothing is left to wait for, and its `beforeExit` begins nothing. */
async function emptied(isIdle, emit) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (!isIdle()) continue;
    emit("beforeExit", process.exitCode ?? 0);
    await new Promise((resolve) => process.nextTick(resolve));
    if (isIdle()) return;
    await setImmediate();
  }
}

module.exports = { runProgram };
