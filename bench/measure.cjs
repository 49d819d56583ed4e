/**
 * Loaded into the program's own Node process (`node --require`): how long the program's imports take, and what
 * processor time and how much memory the process needed. Writes them to the file that BENCH_RESULT names; says nothing.
 */
"use strict";

const isProgram = /@pulumi[/\\]pulumi[/\\]cmd[/\\]run([/\\]index\.js)?$/.test(process.argv[1] ?? "");
if (isProgram && process.env.BENCH_RESULT) {
  const Module = require("node:module");
  const { writeFileSync } = require("node:fs");
  const load = Module._load;
  let entry;
  let started;
  let imported;

  Module._load = function (request, parent, ...rest) {
    if (
      entry === undefined &&
      /[/\\]cmd[/\\]run[/\\]run\.js$/.test(parent?.filename ?? "") &&
      isFolderOrFile(request)
    ) {
      entry = Module._resolveFilename(request, parent);
      started = performance.now();
    }
    const result = load.call(this, request, parent, ...rest);
    if (parent?.filename === entry && entry !== undefined) imported = performance.now();
    return result;
  };

  process.on("exit", () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    const loadMilliseconds = imported === undefined ? undefined : imported - started;
    const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
    const result = { loadMilliseconds, cpuSeconds, peakMegabytes: maxRSS / 1024 };
    writeFileSync(process.env.BENCH_RESULT, JSON.stringify(result));
  });
}

/** The program is the first absolute path that Pulumi's runner requires. */
function isFolderOrFile(request) {
  return require("node:path").isAbsolute(request);
}
