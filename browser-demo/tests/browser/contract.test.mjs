// What Python nodes may do, and what they may not, in Chromium and natively: the same outputs, the same errors.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pack, rmPack } from "../../scripts/bundles.mjs";
import { demo, runInPage, testPage } from "./harness.mjs";

const kit = testPage();
const folder = join(demo, ".cache/test/bundles/contract");
pack("build", join(demo, "tests/contract/pipeline.yaml"), "--target", "web", "--out", folder);
const [{ file }] = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")).bundles;

/** The outputs of items in a page, and the errors that were skipped. */
function inPage(items, options = {}) {
  return runInPage(kit.page, {
    file: `contract/${file}`,
    input: items.map((item) => JSON.stringify(item)),
    engines: "/bundles/contract/",
    options: { onError: "skip", ...options },
  });
}

/** The same natively. */
function natively(items, ...options) {
  const input = join(mkdtempSync(join(tmpdir(), "rm-contract-")), "input.jsonl");
  writeFileSync(input, items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  const args = ["run", join(folder, file), "--input", input, "--on-error", "skip", ...options];
  const { stdout, stderr } = spawnSync(rmPack, args, { encoding: "utf8" });
  return {
    outputs: stdout.split("\n").filter((line) => line !== ""),
    reports: stderr.split(/^(?=warning: )/m).filter((text) => text.startsWith("warning: ")),
  };
}

async function same(items) {
  const [there, here] = [await inPage(items), natively(items)];
  assert.equal(there.failure, undefined);
  assert.deepEqual(there.outputs, here.outputs);
  assert.equal(there.reports.length, here.reports.length, here.reports.join(""));
  return there;
}

test("what nodes may do", async () => {
  const { outputs, reports } = await same([
    { do: "count" },
    { do: "sleep" },
    { do: "clocks" },
    { do: "chance" },
    { do: "print" },
    { do: "no_memory" },
    { do: "files" },
    { do: "network" },
    { do: "late" },
    { do: "media", sound: { $audio: { sample_rate: 8000, channels: 1, samples: "AAAAAAAAgD8=" } } },
    { do: "large", bytes: { $bytes: "AAH/" } },
    { do: "count" },
  ]);
  assert.deepEqual(reports, []);
  assert.deepEqual(outputs.slice(0, 6), ["3", "4", "0", "1", "2", "2"]);
  assert.match(outputs.at(-1), /^\{"seen":\d+\}$/);
});

test("exceptions and what was left out are errors of their item", async () => {
  const { reports } = await same([
    { do: "raises", what: "luck" },
    { do: "removed", name: "hls_to_rgb" },
    { do: "count" },
  ]);
  assert.match(reports[0], /ValueError: no luck/);
  assert.match(reports[1], /RemovedError/);
});

test("an interpreter that was ended is replaced", async () => {
  const { outputs, reports } = await same([{ do: "count" }, { do: "leave" }, { do: "count" }]);
  assert.equal(reports.length, 1);
  assert.match(reports[0], /os\._exit/);
  // Its state is gone with it.
  assert.deepEqual(outputs, ["3", "4", "0", "1", "2", "2", "3", "4", "0", "1", "2", "2", '{"seen":12}']);
});

test("of items that come fast each is worked on once, whatever happens to others", async () => {
  const items = Array.from({ length: 200 }, (_, number) => {
    if (number % 97 === 60) return { do: "leave" };
    if (number % 31 === 30) return { do: "unreadable" };
    if (number % 23 === 22) return { do: "raises", what: `${number}` };
    return { do: "tally", number };
  });
  const { reports } = await same(items);
  const unreadable = reports.filter((report) => report.includes("of the type set"));
  assert.equal(unreadable.length, items.filter((item) => item.do === "unreadable").length);
});

test("what takes too long is stopped, and the next item works", async () => {
  const { outputs, reports, failure } = await inPage([{ do: "count" }, { do: "hang" }, { do: "count" }], {
    timeout: 700,
  });
  assert.equal(failure, undefined);
  assert.equal(reports.length, 1);
  assert.match(reports[0], /0\.7 s/);
  assert.equal(outputs.filter((output) => output === "3").length, 2);
});

test("deep recursion is an error of its item, and the next one works", async () => {
  for (const item of [{ do: "recurse" }, { do: "recurse_in_c", depth: 100_000 }]) {
    const { outputs, reports, failure } = await inPage([{ do: "count" }, item, { do: "count" }]);
    assert.equal(failure, undefined);
    if (reports.length > 0) assert.match(reports[0], /the browser's stack is full/);
    else assert.ok(outputs.some((output) => /recursion/i.test(output)));
    // What it counted is lost with the interpreter, if that is lost.
    const next = outputs.lastIndexOf(reports.length > 0 ? "3" : "6");
    assert.ok(next > outputs.indexOf("3"), outputs.join("\n"));
  }
});
