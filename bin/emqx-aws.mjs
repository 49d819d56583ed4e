#!/usr/bin/env node
/** The command line, in a clone of the repository; the published package has the components alone. */
import { existsSync } from "node:fs";
import process from "node:process";
import { URL } from "node:url";

const main = new URL("../cli/main.ts", import.meta.url);
if (existsSync(main)) {
  await import("tsx");
  await import(main.href);
} else {
  process.stderr.write(
    "emqx-aws: this package has the components; its command line runs in a clone of the repository.\n",
  );
  process.exitCode = 1;
}
