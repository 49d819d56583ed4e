#!/usr/bin/env node
/** The command line. It is TypeScript, as the programs that it deploys are. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
require("@emqx-aws/simulator/typescript.cjs");
require("../main.ts");
