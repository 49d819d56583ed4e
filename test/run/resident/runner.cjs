// What the language host runs instead of the SDK's own runner (PULUMI_LANGUAGE_NODEJS_RUN_PATH) in tests with `residentPrograms`:
// it hands the program over to the resident process, relays what that writes, and ends as the program ended. Where the resident
// is busy, or the program is to run in another way than it can, the SDK's runner does it here, as always.
"use strict";

const { connect } = require("node:net");
const { createInterface } = require("node:readline");

const own = () => require("@pulumi/pulumi/cmd/run");

if (
  process.execArgv.some((argument, index, all) => argument !== "--require" && all[index - 1] !== "--require")
) {
  own();
} else {
  const socket = connect(process.env.EMQX_AWS_RESIDENT);
  socket.once("error", own);
  socket.write(`${JSON.stringify({ args: process.argv.slice(2), env: process.env, cwd: process.cwd() })}\n`);
  createInterface({ input: socket }).on("line", (line) => {
    const { stdout, stderr, code, declined } = JSON.parse(line);
    if (stdout !== undefined) process.stdout.write(stdout);
    if (stderr !== undefined) process.stderr.write(stderr);
    if (code !== undefined) process.exitCode = code;
    if (declined) own();
    if (declined || code !== undefined) socket.end();
  });
}
