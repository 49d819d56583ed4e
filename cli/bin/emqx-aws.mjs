#!/usr/bin/env node
/** The command line. It is TypeScript, as the programs that it deploys are. */
await import("tsx");
await import("../main.ts");
