/** Bundles for tests, in the form in which `rm-pack` writes them. */
import { partsOf, sha256 } from "../../src/runtime/bundle.ts";

/** An archive in the one form that bundles have. */
export async function writeArchive(
  entries: ReadonlyMap<string, Uint8Array>,
  comment: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = partsOf(entries, comment) as readonly Uint8Array<ArrayBuffer>[];
  return new Uint8Array(await new Blob([...parts]).arrayBuffer());
}

/** A bundle without entries but the description. */
export async function bundleOf(description: Readonly<Record<string, unknown>>): Promise<Uint8Array<ArrayBuffer>> {
  const whole = { format: 1, packer: "a test", engine: null, nodes: {}, entries: {}, ...description };
  const text = new TextEncoder().encode(JSON.stringify(whole));
  return writeArchive(new Map([["bundle.json", text]]), `rm-pack bundle, content sha256 ${await sha256(text)}`);
}
