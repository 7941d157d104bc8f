// The demo page, used as people use it: with a keyboard, at phone width, in the dark, with files and with sound.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { bundles, lines, testPage } from "./harness.mjs";

const kit = testPage("dist", "");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

beforeEach(async () => {
  await kit.page.goto(kit.address);
  await kit.page.getByText("Ready after").waitFor();
});

const outputs = () => kit.page.locator("#outputs li.output code").allTextContents();

async function choose(label) {
  const option = kit.page.locator("#example option", { hasText: label });
  await kit.page.getByLabel("Example").selectOption(await option.getAttribute("value"));
}

async function run() {
  await kit.page.getByRole("button", { name: "Run" }).click();
  await kit.page.getByText(/^(Done|Failed)/).waitFor();
}

test("an example runs, and shows outputs, metrics and what has flowed", async () => {
  await run();
  assert.deepEqual(await outputs(), ["20", "24", "16"]);
  const rows = await kit.page.locator("#metrics tr").allTextContents();
  assert.match(rows[0], /^multiply40/);
  assert.match(rows[1], /^add43/);
  assert.deepEqual(await kit.page.locator("#graph .count").allTextContents(), ["4", "4"]);
});

test("the keyboard is enough", async () => {
  const { keyboard } = kit.page;
  await keyboard.press("Tab");
  assert.equal(await kit.page.evaluate(() => document.activeElement?.textContent), "Skip to the pipeline");
  await keyboard.press("Enter");
  for (let presses = 0; presses < 20; presses += 1) {
    await keyboard.press("Tab");
    if ((await kit.page.evaluate(() => document.activeElement?.id)) === "run") break;
  }
  assert.equal(await kit.page.evaluate(() => document.activeElement?.id), "run");
  await keyboard.press("Enter");
  await kit.page.getByText(/^Done/).waitFor();
  assert.deepEqual(await outputs(), ["20", "24", "16"]);
});

test("a manifest is checked as one types, and a trouble leads to its place", async () => {
  const manifest = kit.page.getByLabel("Manifest");
  const text = await manifest.inputValue();
  await manifest.fill(text.replace("MultiplyNode", "MultiplyNod"));
  const trouble = kit.page.locator(".troubles li");
  await trouble.waitFor();
  assert.match(
    await trouble.textContent(),
    /^line 8, column 38: nodes\[0\]\.node_type .*did you mean `MultiplyNode`\?$/,
  );
  assert.equal(await kit.page.locator("#gutter .wrong").textContent(), "  8\n");
  assert.ok(await kit.page.getByRole("button", { name: "Run" }).isDisabled());
  await trouble.getByRole("button").click();
  const before = await manifest.evaluate((area) => area.value.slice(0, area.selectionStart).split("\n").at(-1));
  assert.equal(before, '    { "id": "multiply", "node_type": ');
  await manifest.fill(text.replace('"factor": 2', '"factor": 3'));
  await kit.page.getByText("This manifest can run.").waitFor();
  await run();
  assert.deepEqual(await outputs(), ["25", "31", "19"]);
});

test("errors are shown with their cause, after what came before them", async () => {
  const items = kit.page.getByLabel("Items");
  await items.fill('5\n"seven"\n3');
  await run();
  assert.deepEqual(await outputs(), ["20"]);
  assert.equal(
    await kit.page.getByRole("alert").textContent(),
    'node `multiply` failed on item 2\n  expected a number (int or float), got str "seven"',
  );
  await items.fill("5\nseven");
  await run();
  assert.match(await kit.page.getByRole("alert").textContent(), /^item 2 cannot be read: line 1, column 1: /);
  await kit.page.getByLabel("On errors").selectOption("skip");
  await items.fill('5\n"seven"\n3');
  await run();
  assert.deepEqual(await outputs(), ["20", "16"]);
});

test("items may go one at a time, and a run may be stopped", async () => {
  await kit.page.getByLabel("one item at a time").check();
  await kit.page.getByRole("button", { name: "Run" }).click();
  await kit.page.locator("#outputs li").first().waitFor();
  await kit.page.getByRole("button", { name: "Stop" }).click();
  await kit.page.getByText(/^Stopped/).waitFor();
  assert.ok((await outputs()).length < 3);
  assert.ok(await kit.page.getByRole("button", { name: "Run" }).isEnabled());
});

test("a WAV file takes the items' place", async () => {
  await choose("sound level");
  await kit.page.getByLabel("Open a file").setInputFiles(join(bundles, "voice-activity/input.wav"));
  await kit.page.getByText("The sound of input.wav: 100 packets of 20 ms").waitFor();
  await run();
  const levels = (await outputs()).map((text) => JSON.parse(text));
  assert.equal(levels.length, 20);
  // Speech is at -15 dB, the pause before it far below.
  assert.ok(levels[0].rms_dbfs < -60 && levels[4].rms_dbfs > -20, JSON.stringify(levels.slice(0, 5)));
});

test("files can be dropped, and what is none is refused", async () => {
  const drop = (name, text) =>
    kit.page.evaluate(
      ({ name, text }) => {
        const data = new DataTransfer();
        data.items.add(new File([text], name));
        document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
      },
      { name, text },
    );
  await drop("echo.yaml", "version: v1\nmetadata: {name: echo}\nnodes: [{id: echo, node_type: Echo}]\n");
  await kit.page.getByText("The manifest of echo.yaml.").waitFor();
  await drop("items.jsonl", '{"a": 5.0}\n');
  await kit.page.getByText("The items of items.jsonl.").waitFor();
  await run();
  assert.deepEqual(await outputs(), ['{"a":5.0}']);
  await drop("broken.rmpkg", "PK nothing");
  await kit.page.getByText("`broken.rmpkg` is not a bundle: it does not end as bundles do").waitFor();
  await drop("picture.png", "x");
  await kit.page.getByText("`picture.png` is neither a bundle, a manifest, items nor a WAV file").waitFor();
  await drop("noise.wav", "RIFF");
  await kit.page.getByText("`noise.wav` cannot be read as a WAV file: it does not begin as one").waitFor();
});

test("examples with Python run, and their manifests can be edited", async () => {
  await choose("fan-out");
  await kit.page.getByText(/Its Python nodes are in fan-out-wasmtime-.*Python is downloaded when you run it/).waitFor();
  assert.equal(await kit.page.locator("#graph .node").count(), 6);
  assert.equal(await kit.page.locator("#graph .node.unknown").count(), 0);
  assert.match(
    await kit.page.locator("#graph svg").getAttribute("aria-label"),
    /^Nodes: reviews \(PassThrough\), .* Connections: reviews to counts/,
  );
  await run();
  assert.deepEqual(await outputs(), lines("fan-out", "expected.jsonl"));
  const editor = kit.page.locator("#manifest");
  await editor.fill((await editor.inputValue()).replace("PassThrough", "PasThrough"));
  await kit.page.getByText(/did you mean `PassThrough`/).waitFor();
  assert.ok(await kit.page.getByRole("button", { name: "Run" }).isDisabled());
});

test("what Python nodes print is shown, and what was downloaded for them", async () => {
  await choose("text-processor");
  await kit.page.getByText("Its Python nodes are in text-processor").waitFor();
  await run();
  await kit.page.getByText(/^INFO text_processor: 30 characters/).waitFor();
  await kit.page.getByText(/^Python was downloaded: 9\.\d+ MB\.$/).waitFor();
  await kit.page.getByRole("link", { name: "Downloads" }).click();
  await kit.page.getByText("a part of the Python engine").first().waitFor();
  assert.equal(await kit.page.getByText("a part of the Python engine").count(), 3);
});

for (const [button, rate] of [
  ["Start a tone", 60],
  ["Use the microphone", 30],
]) {
  test(`live sound: ${button}`, async () => {
    await kit.page.getByRole("link", { name: "Live sound" }).click();
    await kit.page.getByRole("button", { name: button }).click();
    await kit.page.getByText(/\b[2-9]\d packets/).waitFor({ timeout: rate * 1000 });
    // Something was drawn, and a level above silence measured.
    const drawn = await kit.page.locator("#wave").evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(data.filter((_, index) => index % 4 === 3)).size > 1;
    });
    assert.ok(drawn);
    await kit.page.waitForFunction(() => document.getElementById("peak").value > -50);
    await kit.page.getByRole("button", { name: "Stop" }).click();
    await kit.page.getByText(/^Stopped after/).waitFor();
  });
}

test("live sound goes through a node in Python", async () => {
  await kit.page.getByRole("link", { name: "Live sound" }).click();
  await kit.page.getByLabel("Detect speech").check();
  await kit.page.getByRole("button", { name: "Start a tone" }).click();
  await kit.page.locator("#heard li").first().waitFor({ timeout: 60_000 });
  assert.match(await kit.page.locator("#heard li").first().textContent(), /^[\d.]+ s to [\d.]+ s, -\d+ dB$/);
  await kit.page.getByRole("button", { name: "Stop" }).click();
  await kit.page.getByText(/^Stopped after/).waitFor();
});

test("downloads are explained, and none of them is Python", async () => {
  await kit.page.getByRole("link", { name: "Downloads" }).click();
  await kit.page.getByText("the executor: graph").waitFor();
  const files = await kit.page.locator("#downloads-list th").allTextContents();
  // The build decides how many scripts the page's are put into.
  assert.ok(files.length < 8, files.join());
  assert.ok(files.some((file) => /^rm_runtime-.*\.wasm$/.test(file)));
  assert.ok(
    !files.some((file) => /^(host|interpreter|engine|pyodide|rm_zstd)\b|\.(rmpkg|zip)$/.test(file)),
    files.join(),
  );
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 375]) {
    test(`nothing keeps people out: ${colorScheme}, ${width} pixels wide`, async () => {
      await kit.page.emulateMedia({ colorScheme });
      await kit.page.setViewportSize({ width, height: 800 });
      await kit.page.getByLabel("Items").fill('5\n"x"');
      await run();
      for (const view of ["Pipeline", "Live sound", "Downloads"]) {
        await kit.page.getByRole("link", { name: view, exact: true }).click();
        await kit.page.evaluate(axe);
        const violations = await kit.page.evaluate(async () => {
          const { violations } = await globalThis.axe.run();
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
        });
        assert.deepEqual(violations, [], view);
        const overflow = await kit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${view} is ${overflow} pixels too wide`);
      }
      await kit.page.emulateMedia({ colorScheme: null });
      await kit.page.setViewportSize({ width: 1280, height: 800 });
    });
  }
}

test("the page's policy refused nothing, and nothing was left uncaught", () => {
  assert.deepEqual(kit.problems, []);
});
