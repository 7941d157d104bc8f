/** What an application changes in the memory of a fresh interpreter, as a bundle has it. */
import { altered, type Bundle, sha256 } from "../bundle.ts";
import { reasonOf } from "../errors.ts";
import { decompress, zstdModule } from "../zstd.ts";

const LAYER = "layer.zst";

/** A layer that is to be decompressed, and what does that. It can be sent to a worker. */
export interface PackedLayer {
  /** The name of the bundle that it is of. */
  readonly name: string;
  readonly compressed: Uint8Array;
  readonly size: number;
  readonly sha256: string;
  readonly zstd: WebAssembly.Module;
}

/** A bundle's layer. Rejects with a `bundle` or `load` error. */
export async function packedLayer(bundle: Bundle): Promise<PackedLayer> {
  const [compressed, promised] = [bundle.entries.get(LAYER), bundle.promised.get(LAYER)];
  const { name } = bundle;
  if (compressed === undefined || promised === undefined) throw altered(name, `it has no entry \`${LAYER}\``);
  // What crosses to a worker is copied with all that it is part of.
  return { name, ...promised, compressed: compressed.slice(), zstd: await zstdModule() };
}

/** Decompress a layer, and check it. Rejects with a `bundle` error. */
export async function unpack({ name, compressed, size, sha256: expected, zstd }: PackedLayer): Promise<Uint8Array> {
  let layer: Uint8Array<ArrayBuffer>;
  try {
    layer = await decompress(zstd, compressed, size);
  } catch (error) {
    throw altered(name, `the entry \`${LAYER}\` cannot be decompressed: ${reasonOf(error)}`);
  }
  if ((await sha256(layer)) === expected) return layer;
  throw altered(name, `the entry \`${LAYER}\` does not have the digest that it must have`);
}
