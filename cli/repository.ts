import { resolve } from "node:path";

/** The folder with Pulumi.yaml, stacks/ and the simulated region's code. */
export const repositoryRoot = resolve(__dirname, "..");

/** The stack of `npm run up`. */
export const defaultStack = "local";
