// Builds the runtime for the browser: `runtime/` compiled to wasm32 without wasmtime, split into what most pages need and the
// rest (`split/`), and beside it what reads zstd; all made small by wasm-opt.
//
// Works with either of two toolchains:
// - rustup with the target: `rustup target add wasm32-unknown-unknown`; where it also has the standard library's source
//   (`rustup component add rust-src`), that is compiled along, which makes the module a twentieth smaller
// - Debian's compiler with the standard library's source, which it compiles along: `apt-get install
//   --no-install-recommends rustc-web cargo-web rust-web-src`; the linker is rustup's `rust-lld`, or `lld`'s
//
// RM_WASM_TOOLCHAIN=rustup|debian chooses; otherwise the first that is there.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { functionsThatRun } from "./split/profile.mjs";
import { split } from "./split/split.mjs";

const demo = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const repository = resolve(demo, "..");
const TARGET = "wasm32-unknown-unknown";
// Of its own, as the compilers may differ from the one of the other builds.
const targetFolder = process.env.RM_WASM_TARGET_DIR ?? join(homedir(), ".cache", "remotemedia-pack", "wasm");

function output(program, ...args) {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

// The standard library made for size. Asking for it takes a setting that stable compilers have for building themselves.
const OWN_STANDARD_LIBRARY = {
  args: ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"],
  env: { RUSTC_BOOTSTRAP: "1" },
};

function hasSource(root) {
  return root !== undefined && existsSync(join(root, "lib/rustlib/src/rust/library/std/src/lib.rs"));
}

function rustup() {
  const folder = output("rustc", "--print", "target-libdir", "--target", TARGET);
  if (folder === undefined || !existsSync(folder)) return undefined;
  const ownLibrary = hasSource(output("rustc", "--print", "sysroot")) ? OWN_STANDARD_LIBRARY : { args: [], env: {} };
  return { cargo: "cargo", ...ownLibrary };
}

function debian() {
  const rustc = "/usr/bin/rustc";
  const root = output(rustc, "--print", "sysroot");
  if (!hasSource(root)) return undefined;
  const linker = [
    rustupLinker(),
    output("sh", "-c", "command -v wasm-ld || ls /usr/bin/wasm-ld-*")?.split("\n")[0],
  ].find((path) => path !== undefined && path !== "" && existsSync(path));
  if (linker === undefined) return undefined;
  return {
    cargo: "/usr/bin/cargo",
    args: OWN_STANDARD_LIBRARY.args,
    env: {
      ...OWN_STANDARD_LIBRARY.env,
      RUSTC: rustc,
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: linker,
    },
  };
}

function rustupLinker() {
  const root = output("rustc", "--print", "sysroot");
  const host = output("rustc", "-vV")?.match(/^host: (.*)$/m)?.[1];
  return root && host ? join(root, "lib/rustlib", host, "bin/rust-lld") : undefined;
}

const toolchains = { rustup, debian };
const wanted = process.env.RM_WASM_TOOLCHAIN;
const names = wanted === undefined ? Object.keys(toolchains) : [wanted];
const name = names.find((candidate) => toolchains[candidate]?.() !== undefined);
if (name === undefined) {
  console.error(
    `error: no Rust compiler for ${TARGET} is installed${wanted === undefined ? "" : ` as ${wanted}`}\n` +
      `  with rustup:     rustup target add ${TARGET}\n` +
      "  with Debian's:   apt-get install --no-install-recommends rustc-web cargo-web rust-web-src lld",
  );
  process.exit(1);
}
const toolchain = toolchains[name]();
// What a panic says must not depend on whose folders these are, and is in the module for every file. The last that fits counts.
const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
const registries = join(cargoHome, "registry/src");
const remap = [
  [repository, "."],
  [cargoHome, "cargo"],
  ...(existsSync(registries) ? readdirSync(registries).sort() : []).map((name) => [join(registries, name), "cargo"]),
  ["/usr/lib/rustlib", "rust"],
  [join(output("rustc", "--print", "sysroot") ?? "/usr", "lib/rustlib/src/rust/library"), "rust"],
].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
console.log(`compiling with ${name} into ${targetFolder}`);
const features = [
  ...["bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals"],
  ...["nontrapping-float-to-int", "reference-types", "sign-ext"],
].map((feature) => `--enable-${feature}`);
const kilobytes = (path) => (readFileSync(path).length / 1000).toFixed(1);

/** The library of a package, compiled; `options` are cargo's, `linking` the linker's. Gives the file. */
function compile(cargoPackage, options, linking) {
  execFileSync(
    toolchain.cargo,
    [
      ...["rustc", "--package", cargoPackage, "--lib", "--crate-type", "cdylib", ...options],
      ...["--profile", "web", "--target", TARGET, "--locked", ...toolchain.args, "--"],
      ...linking.map((option) => `-Clink-arg=${option}`),
    ],
    {
      cwd: repository,
      stdio: "inherit",
      env: { ...process.env, ...toolchain.env, CARGO_TARGET_DIR: targetFolder, RUSTFLAGS: remap.join(" ") },
    },
  );
  return join(targetFolder, TARGET, "web", `${cargoPackage.replace("-", "_")}.wasm`);
}

/** Put a module beside the page's scripts, as small as it gets. */
function shrink(compiled, file) {
  const small = join(demo, "src/runtime/wasm", file);
  mkdirSync(dirname(small), { recursive: true });
  execFileSync(
    process.execPath,
    [
      ...[join(demo, "node_modules/binaryen/bin/wasm-opt"), compiled, "-o", small],
      ...["--flatten", "--rereloop", "--local-cse", "-Oz", "--converge", "--one-caller-inline-max-function-size=100"],
      ...["--strip-debug", "--strip-producers", "--strip-target-features", ...features],
    ],
    { stdio: "inherit" },
  );
  console.log(`${file}: ${kilobytes(compiled)} KB compiled, ${kilobytes(small)} KB after wasm-opt`);
}

const whole = compile("rm-runtime", ["--no-default-features"], ["--emit-relocs"]);
const bytes = readFileSync(whole);
const ran = await functionsThatRun(bytes);
const { core, rest } = split(bytes, (name) => ran.has(name));
for (const [name, part] of [
  ["rm_runtime", core],
  ["rm_runtime_rest", rest],
]) {
  const unshrunk = join(targetFolder, `${name}.part.wasm`);
  writeFileSync(unshrunk, part);
  shrink(unshrunk, `${name}.wasm`);
}
shrink(compile("rm-zstd", [], []), "rm_zstd.wasm");
