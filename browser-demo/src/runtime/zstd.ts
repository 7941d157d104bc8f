/**
 * zstd frames, which browsers do not read: a wasm module beside the executor, downloaded when the first bundle with such a
 * frame is loaded, while its engine is. It is `runtime/zstd/`.
 */
import { PipelineError, reasonOf } from "./errors.ts";
import { once } from "./once.ts";
import wasm from "./wasm/rm_zstd.wasm?url";

const ADDRESS = new URL(wasm, import.meta.url);

interface Exports {
  readonly memory: WebAssembly.Memory;
  frame(length: number): number;
  decompress(size: number): number;
  result(): number;
  length(): number;
}

/** The module, downloaded once. Rejects with a `load` error. */
export function zstdModule(): Promise<WebAssembly.Module> {
  return once("zstd", compile);
}

async function compile(): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(ADDRESS);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    return await WebAssembly.compileStreaming(response);
  } catch (error) {
    throw new PipelineError("load", `what reads zstd, at ${ADDRESS.href}, cannot be loaded: ${reasonOf(error)}`, {
      hint: "build it with `npm run wasm`, and serve it as application/wasm under a policy that allows 'wasm-unsafe-eval'",
    });
  }
}

/**
 * What a zstd frame of at most so many bytes holds. Each is read in an instance of its own, as memory that was needed once
 * is never given back.
 */
export async function decompress(
  module: WebAssembly.Module,
  compressed: Uint8Array,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const instance = await WebAssembly.instantiate(module);
  const { memory, ...calls } = instance.exports as unknown as Exports;
  const address = calls.frame(compressed.length);
  new Uint8Array(memory.buffer, address).set(compressed);
  const isWhole = calls.decompress(size) !== 0;
  const result = new Uint8Array(memory.buffer, calls.result(), calls.length());
  if (!isWhole) throw new Error(new TextDecoder().decode(result));
  return result.slice();
}
