// Writes the declarations of the package's interface into `types`, which TypeScript reads of a page of one's own: the sources are
// checked by rules of theirs, and name modules that only the build knows.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const demo = resolve(import.meta.dirname, "..");
const types = join(demo, "types");

rmSync(types, { recursive: true, force: true });
const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", types];
execFileSync(
  process.execPath,
  [join(demo, "node_modules/typescript/bin/tsc"), "--project", join(demo, "tsconfig.types.json"), ...options],
  { cwd: demo, stdio: "inherit" },
);
for (const name of readdirSync(types, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
  const file = join(types, name);
  // TypeScript finds `x.d.ts` under `x.js`.
  writeFileSync(file, readFileSync(file, "utf8").replace(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.js"'));
}
