// `npm run screenshots`: a picture of each state of the page, light, dark and narrow, to be looked at.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { serve } from "../scripts/server.mjs";
import { launch } from "./chromium.mjs";

const demo = resolve(import.meta.dirname, "..");
const folder = join(demo, "screenshots");
mkdirSync(folder, { recursive: true });
const server = await serve(join(demo, "dist"));
const browser = await launch();

async function shoot(name, { width = 1280, height = 900, colorScheme = "light" }, prepare) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(server.address);
  await page.getByText("Ready after").waitFor();
  await prepare(page);
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  await page.close();
}

const run = async (page) => {
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText(/^(Done|Failed)/).waitFor();
};

const choose = async (page, label) => {
  const option = page.locator("#example option", { hasText: label });
  await page.getByLabel("Example").selectOption((await option.getAttribute("value")) ?? "");
};

await shoot("calculator", {}, run);
await shoot("calculator-dark", { colorScheme: "dark" }, run);
await shoot("calculator-phone", { width: 375, height: 800 }, run);
await shoot("flow", {}, async (page) => {
  await page.getByLabel("one item at a time").check();
  await page.getByRole("button", { name: "Run" }).click();
  await page.locator("#outputs li").nth(1).waitFor();
});
await shoot("python", {}, async (page) => {
  await choose(page, "text-processor");
  await page.getByText("Its Python nodes are in").waitFor();
  await run(page);
});
await shoot("downloads-python", {}, async (page) => {
  await choose(page, "fan-out");
  await page.getByText("Its Python nodes are in").waitFor();
  await run(page);
  await page.getByRole("link", { name: "Downloads" }).click();
  await page.getByText("a part of the Python engine").first().waitFor();
});
await shoot("troubles", {}, async (page) => {
  const manifest = page.getByLabel("Manifest");
  const text = await manifest.inputValue();
  await manifest.fill(text.replace("MultiplyNode", "MultiplyNod").replace('"addend": 10', '"addend": "x"'));
  await page.getByText("did you mean").waitFor();
});
await shoot("failure-dark", { colorScheme: "dark" }, async (page) => {
  await page.getByLabel("Items").fill('5\n"seven"\n3');
  await run(page);
});
await shoot("sound", {}, async (page) => {
  await page.getByLabel("Open a file").setInputFiles(join(demo, "../bundles/voice-activity/input.wav"));
  await page.getByText("The sound of").waitFor();
  await choose(page, "sound level");
  await page.getByLabel("Open a file").setInputFiles(join(demo, "../bundles/voice-activity/input.wav"));
  await page.getByText("The sound of").waitFor();
  await run(page);
});
for (const colorScheme of ["light", "dark"]) {
  await shoot(`live-${colorScheme}`, { colorScheme }, async (page) => {
    await page.getByRole("link", { name: "Live sound" }).click();
    await page.getByRole("button", { name: "Start a tone" }).click();
    await page.getByText(/\b[3-9]\d packets/).waitFor();
  });
}
await shoot("live-phone", { width: 375, height: 800 }, async (page) => {
  await page.getByRole("link", { name: "Live sound" }).click();
  await page.getByRole("button", { name: "Use the microphone" }).click();
  await page.getByText(/\b[3-9]\d packets/).waitFor();
});
await shoot("downloads", {}, async (page) => {
  await page.getByRole("link", { name: "Downloads" }).click();
});
await shoot("downloads-phone", { width: 375, height: 800, colorScheme: "dark" }, async (page) => {
  await page.getByRole("link", { name: "Downloads" }).click();
});
await browser.close();
await server.close();
console.log(`pictures are in ${folder}`);
