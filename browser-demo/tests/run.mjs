// `npm test`: types, lint, the build, and the tests in Chromium. Builds the executor first if it is not there.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const demo = resolve(import.meta.dirname, "..");
const bin = (name) => join(demo, "node_modules/.bin", name);

function step(name, command, ...args) {
  console.log(`-- ${name}`);
  const { status } = spawnSync(command, args, { cwd: demo, stdio: "inherit" });
  if (status !== 0) {
    console.error(`-- failed: ${name}`);
    process.exit(status ?? 1);
  }
}

if (!existsSync(join(demo, "src/runtime/wasm/rm_runtime.wasm"))) step("the executor", "node", "scripts/build-wasm.mjs");
step("the examples, packed", "node", "scripts/bundles.mjs");
step("types", bin("tsc"), "--noEmit");
step("the package's declarations", "node", "scripts/build-types.mjs");
step("lint", bin("eslint"), ".");
step("formatting", bin("prettier"), "--check", ".");
step("the page", bin("vite"), "build", "--logLevel", "warn");
step("the test page", bin("vite"), "build", "--mode", "test", "--logLevel", "warn");
const tests = readdirSync(join(demo, "tests/browser")).filter((name) => name.endsWith(".test.mjs"));
// One file after the other: each has a Chromium. A file that fails is run once more, as browsers do crash on small machines; that
// it had to be is told.
const again = [];
for (const name of tests.sort()) {
  const args = ["--test", "--test-reporter=spec", join("tests/browser", name)];
  console.log(`-- tests in Chromium: ${name}`);
  if (spawnSync("node", args, { cwd: demo, stdio: "inherit" }).status === 0) continue;
  again.push(name);
  step(`tests in Chromium, again: ${name}`, "node", ...args);
}
if (again.length > 0) console.log(`-- passed only at the second try: ${again.join(", ")}`);
