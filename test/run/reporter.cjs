/** How far a run is, and at its end where its time went and what it left out. */
const { relative } = require("node:path");
const { projects } = require("../../jest.config.cjs");

const slowestShown = 10;

module.exports = class {
  constructor({ rootDir, nonFlagArgs }) {
    this.rootDir = rootDir;
    this.isChoice = nonFlagArgs.length > 0;
    this.files = [];
  }

  onRunStart({ numTotalTestSuites }) {
    this.started = Date.now();
    this.total = numTotalTestSuites;
  }

  onTestFileResult({ path, context }, { perfStats }, { numPassedTests, numFailedTests }) {
    const project = context.config.displayName.name;
    const seconds = (perfStats.end - perfStats.start) / 1000;
    this.files.push({ file: relative(this.rootDir, path), project, seconds });
    // A terminal has jest's own line, which is always the last one.
    if (process.stderr.isTTY) return;
    const passed = `${numPassedTests} tests passed, ${numFailedTests} failed`;
    this.say(`[${clock(Date.now() - this.started)}] ${this.files.length} of ${this.total} files: ${passed}`);
  }

  onRunComplete(contexts, { wasInterrupted }) {
    if (this.files.length < 2) return;
    this.say("\nProject   Files  Minutes (of all workers together)");
    for (const { displayName } of projects) {
      const own = this.files.filter(({ project }) => project === displayName);
      const milliseconds = own.reduce((sum, { seconds }) => sum + seconds * 1000, 0);
      if (own.length > 0)
        this.say(
          `${displayName.padEnd(8)} ${String(own.length).padStart(6)} ${clock(milliseconds).padStart(8)}`,
        );
    }
    this.say(`\nThe slowest ${slowestShown} files, in seconds:`);
    const slowest = this.files.sort((one, other) => other.seconds - one.seconds).slice(0, slowestShown);
    for (const { file, seconds } of slowest) this.say(`${seconds.toFixed(1).padStart(7)}  ${file}`);

    if (this.isChoice || wasInterrupted) return;
    const run = new Set([...contexts].map(({ config }) => config.displayName.name));
    const left = projects.map(({ displayName }) => displayName).filter((name) => !run.has(name));
    if (left.length > 0) {
      this.say(
        `\nNot run: ${left.join(", ")}. Everything: npm run test:full (what is where: docs/testing.md)`,
      );
    }
  }

  say(line) {
    process.stderr.write(`${line}\n`);
  }
};

function clock(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
