// One process that runs the programs of a test file one after the other: most of a program's time goes by loading the SDK, AWS's
// classes and the compiler, which stay. What belongs to the program is loaded anew each time. Started by `residentPrograms`.
"use strict";

const { createServer } = require("node:net");
const { createInterface } = require("node:readline");
const { runProgram } = require("./program.cjs");

/** Why it runs nothing now: it is running something, or a program was left alone in the middle. */
let declines = false;

async function serve(socket, request) {
  const say = (message) => socket.writable && socket.write(`${JSON.stringify(message)}\n`);
  if (declines) return say({ declined: true });
  declines = true;
  const write = (stream) => (text) => say({ [stream]: text });
  let left = false;
  const gone = new Promise((resolve) => {
    socket.once("close", () => resolve((left = true)));
  });
  say(await runProgram(request, { stdout: write("stdout"), stderr: write("stderr") }, gone));
  declines = left;
}

createServer((socket) => {
  socket.on("error", () => {}); // Whoever asked was killed.
  createInterface({ input: socket }).once("line", (line) => serve(socket, JSON.parse(line)));
}).listen(process.argv[2], () => process.stdout.write("ready\n"));

// It ends with the tests that started it.
process.stdin.once("end", () => process.exit(0)).resume();
