// A Chromium for the tests: the system's, headless, with a profile of its own.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is: `RM_CHROMIUM`, or where distributions put it. */
export function findChromium() {
  const candidates = process.env.RM_CHROMIUM ? [process.env.RM_CHROMIUM] : CANDIDATES;
  return candidates.find((path) => existsSync(path));
}

/** `flags` are further ones for Chromium. */
export async function launch(flags = []) {
  return chromium.launch(settings(flags));
}

/** The same with a profile that is kept in a folder; what is closed is all of Chromium. */
export async function launchWith(profile) {
  return chromium.launchPersistentContext(profile, settings([]));
}

function settings(flags) {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error("no Chromium is installed; `apt-get install chromium`, or name one in RM_CHROMIUM");
  }
  return {
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
      ...flags,
    ],
  };
}
