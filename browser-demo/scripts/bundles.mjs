// Packs the examples for the page: each with its engine for browsers beside it. RM_PACK names an rm-pack that is built.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "../..");
const examples = join(repository, "bundles");

/** The examples. */
export function exampleNames() {
  return readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => readdirSync(join(examples, name)).includes("bundle.lock"))
    .sort();
}

/** Pack them all into a folder. */
export function packExamples(folder) {
  rmSync(folder, { recursive: true, force: true });
  for (const name of exampleNames()) {
    const manifest = readdirSync(join(examples, name)).find((file) => file.startsWith("pipeline."));
    pack("build", join(examples, name, manifest), "--target", "web", "--out", folder);
  }
}

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache", "remotemedia-pack", "target");

/** The program; RM_PACK names another one. */
export const rmPack = process.env.RM_PACK ?? join(target, "release", "rm-pack");

/** Run rm-pack. */
export function pack(...args) {
  if (!existsSync(rmPack)) {
    throw new Error(`there is no rm-pack at ${rmPack}\n  hint: \`cargo build --release\`, or name one in RM_PACK`);
  }
  const { status, stderr } = spawnSync(rmPack, args, { cwd: repository, encoding: "utf8" });
  if (status !== 0) throw new Error(`rm-pack ${args.join(" ")} ended with ${status}:\n${stderr}`);
}

if (process.argv[1] === import.meta.filename) {
  const folder = resolve(process.argv[2] ?? join(repository, "browser-demo/public/bundles"));
  try {
    packExamples(folder);
    console.log(`packed ${exampleNames().join(", ")}`);
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}
