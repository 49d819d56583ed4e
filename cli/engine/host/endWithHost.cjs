// Preloaded into the program: it ends when its language host is gone, even if that was killed without a word. A program
// that waits for a node would otherwise go on asking an engine that no longer is.
"use strict";

const host = process.ppid;
setInterval(() => {
  if (process.ppid !== host) process.exit(1);
}, 1000).unref();
