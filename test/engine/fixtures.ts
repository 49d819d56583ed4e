import { join } from "node:path";
import { Engine } from "./harness";
import type { EngineOptions } from "./harness";

const fixtures = join(__dirname, "fixtures");

/** An engine with the small program and the small region of fixtures/. */
export function fixtureEngine(options: EngineOptions = {}): Engine {
  return new Engine({
    project: join(fixtures, "program"),
    regionMain: join(fixtures, "region.ts"),
    ...options,
  });
}

/** What the fixture's region has. */
export interface Thing {
  name: string;
  seconds?: number;
  kind?: string;
  deleteFirst?: boolean;
}
