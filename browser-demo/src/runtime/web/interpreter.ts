/** An interpreter in this thread: an instance of the engine with an application's layer in its memory. */
import { decode, encode, Tuple, type Wire } from "../marshal.ts";
import { Operation } from "../python.ts";
import { CameIn } from "../transfer.ts";
import type { Engine, Export } from "./engine.ts";
import { Exit, type Guest, type OnLine, wasi } from "./wasi.ts";

const MAGIC = "RMLAYER1";
const PAGE = 1 << 16;

type Realloc = (old: number, oldSize: number, align: number, size: number) => number;

/** The functions of `engine.wit` that are used here, in the canonical ABI. */
interface Functions {
  readonly call: (operation: number, payload: number, length: number, buffers: number, count: number) => number;
  readonly layerBegin: (pages: number) => number;
  readonly layerEnd: () => void;
  readonly argumentRealloc: Realloc;
}

/** After an error that is not Python's own it answers nothing any more: its state is unknown. */
export class Interpreter {
  readonly #memory: WebAssembly.Memory;
  readonly #functions: Functions;
  readonly #flush: () => void;
  #trapped: string | undefined;

  private constructor(memory: WebAssembly.Memory, functions: Functions, flush: () => void) {
    this.#memory = memory;
    this.#functions = functions;
    this.#flush = flush;
  }

  /** Instantiate an engine. It has to begin an application before it can be called. */
  static of(engine: Engine, onLine: OnLine): Interpreter {
    return instantiate(engine, onLine, (...parts) => new Interpreter(...parts));
  }

  /** Write an application over the engine's memory. */
  begin(layer: Uint8Array): void {
    this.#restore(layer);
    const [status] = decode(this.call(Operation.Resume, encode(new Tuple([])))) as readonly unknown[];
    if (status !== 0) throw new Error("the application cannot be resumed");
  }

  /** A layer is described in `runtime/src/layer.rs`; its records go straight to where they belong. */
  #restore(layer: Uint8Array): void {
    const view = new DataView(layer.buffer, layer.byteOffset, layer.byteLength);
    if (new TextDecoder().decode(layer.subarray(0, MAGIC.length)) !== MAGIC) {
      throw new Error(`the layer does not begin with ${MAGIC}`);
    }
    const pages = view.getUint32(MAGIC.length, true);
    this.#functions.layerBegin(pages);
    const memory = new Uint8Array(this.#memory.buffer, 0, pages * PAGE);
    let at = MAGIC.length + 4;
    while (at < layer.length) {
      const end = at + 4 + view.getUint32(at, true);
      at += 4;
      while (at < end) {
        const [address, length] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
        memory.set(layer.subarray(at + 8, at + 8 + length), address);
        at += 8 + length;
      }
    }
    this.#functions.layerEnd();
  }

  /** Ask for an operation. Throws when the interpreter has stopped. */
  call(operation: Operation, { payload, buffers }: Wire): Wire {
    if (this.#trapped !== undefined) throw new Error(this.#trapped);
    try {
      return this.#call(operation, payload, buffers);
    } catch (error) {
      this.#trapped = trapReason(error);
      throw new Error(this.#trapped, { cause: error });
    } finally {
      this.#flush();
    }
  }

  #call(operation: number, payload: Uint8Array, buffers: readonly Uint8Array[]): Wire {
    const { call } = this.#functions;
    const start = this.#put(payload);
    const count = buffers.length;
    const addresses = buffers.map((buffer) => this.#put(buffer));
    let lists = 4;
    if (count > 0) {
      lists = this.#functions.argumentRealloc(0, 0, 4, 8 * count);
      const view = new DataView(this.#memory.buffer);
      buffers.forEach((buffer, index) => {
        view.setUint32(lists + 8 * index, addresses[index] ?? 0, true);
        view.setUint32(lists + 8 * index + 4, buffer.length, true);
      });
    }
    const answer = call(operation, start, payload.length, lists, count);
    const view = new DataView(this.#memory.buffer);
    const bytes = new Uint8Array(this.#memory.buffer);
    const list = view.getUint32(answer + 8, true);
    const partAt = (at: number): [number, number] => [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const [from, length] = partAt(answer);
    const cameIn = new CameIn(buffers, addresses);
    return {
      payload: bytes.slice(from, from + length),
      buffers: Array.from({ length: view.getUint32(answer + 12, true) }, (_, index) =>
        cameIn.copyOf(bytes, ...partAt(list + 8 * index)),
      ),
    };
  }

  /** Copy bytes in, to where the engine wants them. */
  #put(bytes: Uint8Array): number {
    const address = this.#functions.argumentRealloc(0, 0, 1, bytes.length);
    if (bytes.length > 0) new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
    return address;
  }
}

function instantiate(
  { plan, modules }: Engine,
  onLine: OnLine,
  make: (memory: WebAssembly.Memory, functions: Functions, flush: () => void) => Interpreter,
): Interpreter {
  const parts: { guest?: Guest } = {};
  const host = wasi(() => {
    if (parts.guest === undefined) throw new Error("the host was called before the engine was put together");
    return parts.guest;
  }, onLine);
  const instances: WebAssembly.Instance[] = [];
  const find = ([instance, name]: Export): WebAssembly.ExportValue => {
    const found = instances[instance]?.exports[name];
    if (found === undefined) throw new Error(`the engine has no \`${name}\``);
    return found;
  };
  for (const { module: number, imports } of plan.instances) {
    const module = modules[number];
    if (module === undefined) throw new Error(`the engine has no module ${number}`);
    const given: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    WebAssembly.Module.imports(module).forEach(({ module: from, name }, index) => {
      const source = imports[index];
      if (source === undefined) throw new Error(`nothing is given for \`${name}\``);
      given[from] ??= {};
      given[from][name] = typeof source === "string" ? (host.functions.get(source) ?? absent(source)) : find(source);
    });
    instances.push(new WebAssembly.Instance(module, given));
  }
  const memory = find(plan.memory) as WebAssembly.Memory;
  const realloc = find(plan.realloc) as Realloc;
  parts.guest = { memory, allocate: (size, align) => realloc(0, 0, align, size) };
  const exported = (name: string) => {
    const found = plan.exports[name];
    if (found === undefined) throw new Error(`the engine has no \`${name}\``);
    return find(found);
  };
  const functions: Functions = {
    call: exported("call") as Functions["call"],
    layerBegin: exported("layer-begin") as Functions["layerBegin"],
    layerEnd: exported("layer-end") as Functions["layerEnd"],
    argumentRealloc: find(plan.argument_realloc) as Realloc,
  };
  return make(memory, functions, () => {
    host.flush();
  });
}

/** Stands for a function of WASI that nothing without files and network can have reached. */
function absent(name: string): () => never {
  return () => {
    throw new Error(`the sandbox has no ${name}`);
  };
}

function trapReason(error: unknown): string {
  let reason = error instanceof Error ? error.message : String(error);
  if (error instanceof Exit) reason = "the program ended it, as os._exit() does";
  else if (error instanceof RangeError) reason = "the browser's stack is full";
  return `the Python interpreter stopped: ${reason}`;
}
