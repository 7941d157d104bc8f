// What the tests of the package share: the test page, served as in production, in a real Chromium.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before } from "node:test";
import { rmPack } from "../../scripts/bundles.mjs";
import { serve } from "../../scripts/server.mjs";
import { launch } from "../chromium.mjs";

export const demo = resolve(import.meta.dirname, "../..");
export const bundles = resolve(demo, "../bundles");

/** A page for a file of tests; `kit.page` has `globalThis.kit`, see `tests/page/page.ts`. */
export function testPage(folder = ".cache/test", path = "tests/page/") {
  const kit = { browser: undefined, page: undefined, requests: [], problems: [], address: "" };
  let browser;
  let server;
  before(async () => {
    server = await serve(join(demo, folder));
    browser = await launch();
    kit.page = await browser.newPage();
    kit.browser = browser;
    kit.requests = server.requests;
    kit.address = server.address;
    // What the page's policy refuses, and what nobody caught.
    kit.page.on("console", (message) => {
      if (message.type() === "error") kit.problems.push(message.text());
    });
    kit.page.on("pageerror", (error) => kit.problems.push(error.message));
    await kit.page.goto(server.address + path);
    if (folder === ".cache/test") await kit.page.waitForFunction(() => "kit" in globalThis);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  return kit;
}

/** The lines of a file, each a JSON value. */
export function lines(...path) {
  return readFileSync(join(bundles, ...path), "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

/** An example's manifest. */
export function manifest(example) {
  const file = readdirSync(join(bundles, example)).find((name) => name.startsWith("pipeline."));
  return { file, content: readFileSync(join(bundles, example, file), "utf8") };
}

/** Run a bundle of `/bundles/` on lines or on the bytes of a WAV file; outputs as text. */
export function runInPage(page, { file, input, wav, engines = "/bundles/", options = {} }) {
  return page.evaluate(
    async ({ file, input, wav, engines, options }) => {
      const fetched = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
      const runtime = await kit.startWorker({ enginesURL: engines });
      try {
        const pipeline = await runtime.load({ content: await fetched(`/bundles/${file}`), file });
        const session = await pipeline.session({ asText: true, ...options });
        const [outputs, reports] = [[], []];
        session.onReport = ({ policy, error }) => reports.push(`${policy}: ${error.report()}`);
        const sending = (
          wav ? session.send([...kit.readWav(Uint8Array.from(wav), "input.wav")]) : session.sendLines(input)
        ).then(
          () => session.close(),
          (error) => error,
        );
        let failure;
        try {
          for await (const { value } of session) outputs.push(value);
        } catch (error) {
          failure = error.report();
        }
        await sending;
        return { outputs, reports, failure };
      } finally {
        runtime.dispose();
      }
    },
    { file, input, wav, engines, options },
  );
}

/** Run a bundle on items as JSON text, or on the packets of a WAV file. */
export function runBundle(kit, { file, bytes }, { input, wav, onError = "fail", timeout, pyodideURL, packages } = {}) {
  return kit.page.evaluate(
    async ({ file, bytes, input, wav, onError, timeout, pyodideURL, packages }) => {
      const [printed, reports, values] = [[], [], []];
      let progress;
      const runtime = await kit.startWorker({
        ...(pyodideURL !== undefined && { pyodideURL }),
        ...(packages !== undefined && { pyodidePackagesURL: packages }),
        onPrinted: ({ node, text }) => printed.push(`${node}: ${text}`),
        onPythonProgress: (now) => (progress = now),
      });
      const begun = performance.now();
      let first;
      try {
        const pipeline = await runtime.load({ content: Uint8Array.fromBase64(bytes), file });
        const session = await pipeline.session({ asText: true, onError, ...(timeout !== undefined && { timeout }) });
        session.onReport = ({ policy, error }) => reports.push(`${policy}: ${error.report()}`);
        const feed = async () => {
          if (wav) await session.send([...kit.readWav(Uint8Array.fromBase64(wav), "input.wav")]);
          else if (pipeline.takesInput) await session.sendLines(input);
          session.close();
        };
        const feeding = feed();
        for await (const { value } of session) {
          first ??= performance.now() - begun;
          values.push(value);
        }
        await feeding;
        return { values, printed, reports, progress, first };
      } catch (error) {
        return { values, printed, reports, error: `${error.kind}: ${error.report()}` };
      } finally {
        runtime.dispose();
      }
    },
    {
      ...{ file, input, onError, timeout, pyodideURL, packages },
      bytes: bytes.toString("base64"),
      wav: wav?.toString("base64"),
    },
  );
}

/** Why tests that need bundles are left out, if they are. */
export const withoutPacker = existsSync(rmPack)
  ? false
  : `there is no rm-pack at ${rmPack}; \`cargo build --release\`, or name one in RM_PACK`;

/** The bundle of a manifest, with its file's name. */
export function packBuffer(manifest, ...options) {
  const folder = mkdtempSync(join(tmpdir(), "rm-browser-"));
  try {
    execFileSync(rmPack, ["build", manifest, "--out", folder, ...options], { stdio: "pipe" });
    const file = readdirSync(folder).find((name) => name.endsWith(".rmpkg"));
    return { file, bytes: readFileSync(join(folder, file)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What `rm-pack run` says. */
export function runNatively(...options) {
  return spawnSync(rmPack, ["run", ...options], { encoding: "utf8" });
}

/** The bundle of an example, as bytes in an array. */
export function packExample(example, ...options) {
  const { file, bytes } = packBuffer(exampleManifest(example), ...options);
  return { file, bytes: [...bytes] };
}

/** The path of an example's manifest. */
export function exampleManifest(example) {
  return join(bundles, example, manifest(example).file);
}
