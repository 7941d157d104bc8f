// A page of one's own, by the steps of README.md, "In your own page": its types are checked, it is built, and runs a pipeline.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createServer } from "vite";
import { serve } from "../../scripts/server.mjs";
import { launch } from "../chromium.mjs";
import { demo } from "./harness.mjs";

const README = readFileSync(join(demo, "README.md"), "utf8");
/** The files that it shows, by their names. */
const files = [...README.matchAll(/<!-- file: (\S+) -->\n```\w+\n([^]*?)```/g)].map(([, name, text]) => [name, text]);

let folder, browser;

before(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "rm-own-page-")));
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  // What npm makes of a package in another folder.
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(demo, join(folder, "node_modules/remotemedia-browser"));
  for (const name of ["vite", "typescript"])
    symlinkSync(join(demo, "node_modules", name), join(folder, "node_modules", name));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

function run(program, ...options) {
  return spawnSync(process.execPath, [join(folder, "node_modules", program), ...options], {
    cwd: folder,
    encoding: "utf8",
  });
}

/** What the page shows in the end, and what it complained of. */
async function shown(address) {
  const page = await browser.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("favicon") && !message.text().includes("404"))
      problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(address);
  await page
    .waitForFunction(() => document.body.textContent?.includes("16"), undefined, { timeout: 20_000 })
    .catch(() => undefined);
  const text = await page.evaluate(() => document.body.textContent.trim());
  await page.close();
  return { text, problems };
}

test("the document shows all files that a page needs", () => {
  assert.deepEqual(files.map(([name]) => name).sort(), ["index.html", "main.ts", "tsconfig.json", "vite.config.ts"]);
});

test("its types are checked", () => {
  const { status, stdout } = run("typescript/bin/tsc", "--noEmit");
  assert.equal(status, 0, stdout);
  // And are known: what the package does not have is told.
  writeFileSync(
    join(folder, "wrong.ts"),
    'import { startWorker } from "remotemedia-browser";\nawait startWorker({ spare: 5 });\nexport {};\n',
  );
  const wrong = run("typescript/bin/tsc", "--noEmit");
  rmSync(join(folder, "wrong.ts"));
  assert.match(wrong.stdout, /wrong\.ts.*Type 'number' is not assignable to type 'boolean/);
});

test("it is built, and runs a pipeline", async () => {
  const { status, stderr, stdout } = run("vite/bin/vite.js", "build", "--logLevel", "error");
  assert.equal(status, 0, stdout + stderr);
  const server = await serve(join(folder, "dist"));
  try {
    assert.deepEqual(await shown(server.address), { text: "20, 24, 16", problems: [] });
  } finally {
    await server.close();
  }
});

test("it is served while it is written, and runs a pipeline", async () => {
  const server = await createServer({ root: folder, logLevel: "error", server: { host: "127.0.0.1", port: 0 } });
  await server.listen();
  try {
    const { port } = server.httpServer.address();
    assert.deepEqual(await shown(`http://127.0.0.1:${port}/`), { text: "20, 24, 16", problems: [] });
  } finally {
    await server.close();
  }
});
