import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";

/** What a package with the stand-in for EMQX is made of: the folder that it lies in. */
export function packageFiles(folder: string): string {
  const from = join(folder, "package");
  mkdirSync(from, { recursive: true });
  for (const file of readdirSync(join(__dirname, "emqx")))
    copyFileSync(join(__dirname, "emqx", file), join(from, file));
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 };
  const { outputText } = transpileModule(readFileSync(join(from, "emqx.ts"), "utf8"), { compilerOptions });
  writeFileSync(join(from, "emqx.js"), outputText);
  return from;
}
