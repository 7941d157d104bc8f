/** Bundles for tests, in the form in which `rm-pack` writes them. */
import { sha256, writeArchive } from "../../src/runtime/bundle.ts";

/** A bundle without entries but the description. */
export async function bundleOf(description: Readonly<Record<string, unknown>>): Promise<Uint8Array<ArrayBuffer>> {
  const whole = { format: 1, packer: "a test", engine: null, nodes: {}, entries: {}, ...description };
  const text = new TextEncoder().encode(JSON.stringify(whole));
  return writeArchive(new Map([["bundle.json", text]]), `rm-pack bundle, content sha256 ${await sha256(text)}`);
}
