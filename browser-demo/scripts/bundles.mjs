// Packs the examples for the page: each with its engine for browsers beside it. RM_PACK names an rm-pack that is built.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "../..");
const examples = join(repository, "bundles");

/** The examples that have Python nodes. */
export function pythonExamples() {
  return readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => readdirSync(join(examples, name)).includes("bundle.lock"))
    .sort();
}

/** Pack them all into a folder. */
export function packExamples(folder) {
  rmSync(folder, { recursive: true, force: true });
  for (const name of pythonExamples()) {
    const manifest = readdirSync(join(examples, name)).find((file) => file.startsWith("pipeline."));
    pack("build", join(examples, name, manifest), "--target", "web", "--out", folder);
  }
}

/** The command that is rm-pack. */
export const rmPack = process.env.RM_PACK
  ? [process.env.RM_PACK]
  : ["cargo", "run", "--quiet", "--release", "--locked", "--package", "rm-pack", "--"];

/** Run rm-pack. */
export function pack(...args) {
  const [command, ...before] = rmPack;
  const { status, stderr } = spawnSync(command, [...before, ...args], { cwd: repository, encoding: "utf8" });
  if (status !== 0) throw new Error(`rm-pack ${args.join(" ")} ended with ${status}:\n${stderr}`);
}

if (process.argv[1] === import.meta.filename) {
  const folder = resolve(process.argv[2] ?? join(repository, "browser-demo/public/bundles"));
  packExamples(folder);
  console.log(`packed ${pythonExamples().join(", ")} into ${folder}${existsSync(folder) ? "" : ": nothing"}`);
}
