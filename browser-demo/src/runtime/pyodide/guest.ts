/**
 * The guest (`packager/engine/guest/_rm_guest.py`), called through CPython's C API: what `packager/engine/shim.c` does in the
 * engine. Pyodide's module exports these functions for the sake of packages written in C, which are linked with them. Its own way
 * of calling makes an object in JavaScript for every value on its way, which takes longer than most nodes do.
 */
import type { Wire } from "../marshal.ts";
import { CameIn } from "../transfer.ts";
import type { Dispatch } from "../serving.ts";

/** An address in the interpreter's memory; of an object, unless something else is said. */
type Address = number;

/** What is used of the C API, with `size_t` and the like as numbers. */
interface Api {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): Address;
  PyImport_ImportModule(name: Address): Address;
  PyObject_GetAttrString(object: Address, name: Address): Address;
  PyObject_Vectorcall(callable: Address, positional: Address, count: number, names: 0): Address;
  PyObject_GetBuffer(object: Address, view: Address, flags: number): number;
  PyBuffer_Release(view: Address): void;
  PyBytes_FromStringAndSize(from: 0, length: number): Address;
  PyBytes_AsString(bytes: Address): Address;
  PyBytes_Size(bytes: Address): number;
  PyLong_FromLong(value: number): Address;
  PyTuple_New(length: number): Address;
  /** Takes the item over. */
  PyTuple_SetItem(tuple: Address, index: number, item: Address): number;
  /** Borrowed, as is what a list gives. */
  PyTuple_GetItem(tuple: Address, index: number): Address;
  PyList_Size(list: Address): number;
  PyList_GetItem(list: Address, index: number): Address;
  PyErr_GetRaisedException(): Address;
  PyObject_Str(object: Address): Address;
  /** Where the text is as UTF-8, and behind it a zero. */
  PyUnicode_AsUTF8(text: Address): Address;
  PyErr_Clear(): void;
  Py_DecRef(object: Address): void;
}

/** Plain bytes, wherever the object has them: `PyBUF_SIMPLE`. */
const SIMPLE = 0;
/** The size of a `Py_buffer`, and where in it the bytes' address and number are; part of the stable ABI. */
const VIEW = { size: 44, start: 0, length: 8 };
/** The arguments of a call: operation, payload, buffers. */
const ARGUMENTS = 3;

/** Start the guest in an interpreter that has booted; gives what calls it. Throws when it cannot be started. */
export function startGuest(exports: WebAssembly.Exports): Dispatch {
  return new Guest(exports as unknown as Api).call;
}

class Guest {
  readonly #api: Api;
  readonly #dispatch: Address;
  /** Where the addresses of a call's arguments are, and behind them a `Py_buffer`. */
  readonly #arguments: Address;
  readonly #view: Address;
  readonly #noBuffers: Address;
  /** All of the memory, until it grows. */
  #bytes = new Uint8Array();
  #numbers = new Uint32Array();

  constructor(api: Api) {
    this.#api = api;
    this.#arguments = this.#room(4 * ARGUMENTS + VIEW.size);
    this.#view = this.#arguments + 4 * ARGUMENTS;
    this.#noBuffers = this.#made(api.PyTuple_New(0));
    const start = this.#find("_rm_pyodide", "start");
    api.Py_DecRef(this.#made(api.PyObject_Vectorcall(start, this.#arguments, 0, 0)));
    this.#dispatch = this.#find("_rm_guest", "dispatch");
  }

  /** Throws when the interpreter has stopped. */
  readonly call: Dispatch = (operation, { payload, buffers }) => {
    const api = this.#api;
    const number = this.#made(api.PyLong_FromLong(operation));
    const bytes = this.#bytesOf(payload);
    const parts = buffers.map((buffer) => this.#bytesOf(buffer));
    const cameIn = new CameIn(
      buffers,
      parts.map((part) => api.PyBytes_AsString(part) >>> 0),
    );
    const beside = parts.length === 0 ? this.#noBuffers : this.#tupleOf(parts);
    this.#look();
    this.#numbers.set([number, bytes, beside], this.#arguments >>> 2);
    const answer = this.#made(api.PyObject_Vectorcall(this.#dispatch, this.#arguments, ARGUMENTS, 0));
    const wire = this.#wireOf(answer, cameIn);
    // What came in was there until now: nothing else can have been at its address.
    for (const object of [number, bytes, answer]) api.Py_DecRef(object);
    if (beside !== this.#noBuffers) api.Py_DecRef(beside);
    return wire;
  };

  #wireOf(answer: Address, cameIn: CameIn): Wire {
    const api = this.#api;
    const payload = api.PyTuple_GetItem(answer, 0);
    const given = api.PyTuple_GetItem(answer, 1);
    this.#look();
    const start = api.PyBytes_AsString(payload) >>> 0;
    return {
      payload: this.#bytes.slice(start, start + api.PyBytes_Size(payload)),
      buffers: Array.from({ length: api.PyList_Size(given) }, (_, index) =>
        this.#bufferOf(api.PyList_GetItem(given, index), cameIn),
      ),
    };
  }

  /** A copy of what an object has in its memory. */
  #bufferOf(object: Address, cameIn: CameIn): Uint8Array {
    const view = this.#view;
    if (this.#api.PyObject_GetBuffer(object, view, SIMPLE) !== 0) this.#fail();
    this.#look();
    const start = this.#numbers[(view + VIEW.start) >>> 2] ?? 0;
    const length = this.#numbers[(view + VIEW.length) >>> 2] ?? 0;
    const bytes = cameIn.copyOf(this.#bytes, start, length);
    this.#api.PyBuffer_Release(view);
    return bytes;
  }

  /** A new `bytes` object, written while nobody else knows it. */
  #bytesOf(content: Uint8Array): Address {
    const bytes = this.#made(this.#api.PyBytes_FromStringAndSize(0, content.length));
    const start = this.#api.PyBytes_AsString(bytes) >>> 0;
    this.#look();
    this.#bytes.set(content, start);
    return bytes;
  }

  /** A tuple, which takes over what is in it. */
  #tupleOf(items: readonly Address[]): Address {
    const tuple = this.#made(this.#api.PyTuple_New(items.length));
    items.forEach((item, index) => this.#api.PyTuple_SetItem(tuple, index, item));
    return tuple;
  }

  /** What a module has by this name. */
  #find(module: string, name: string): Address {
    const object = this.#made(this.#api.PyImport_ImportModule(this.#text(module)));
    return this.#made(this.#api.PyObject_GetAttrString(object, this.#text(name)));
  }

  /** Memory that stays. */
  #room(size: number): Address {
    const address = this.#api.malloc(size) >>> 0;
    if (address === 0) throw new Error("the interpreter has no memory left");
    return address;
  }

  /** Text that C takes, which stays where it is. */
  #text(text: string): Address {
    const bytes = new TextEncoder().encode(`${text}\0`);
    const address = this.#room(bytes.length);
    this.#look();
    this.#bytes.set(bytes, address);
    return address;
  }

  /** An object, unless there is none because an exception was raised. The guest lets none through. */
  #made(object: Address): Address {
    return object === 0 ? this.#fail() : object;
  }

  #fail(): never {
    const api = this.#api;
    const exception = api.PyErr_GetRaisedException();
    const text = exception === 0 ? 0 : api.PyObject_Str(exception);
    const start = text === 0 ? 0 : api.PyUnicode_AsUTF8(text) >>> 0;
    api.PyErr_Clear();
    this.#look();
    const said = start === 0 ? "" : new TextDecoder().decode(this.#bytes.slice(start, this.#bytes.indexOf(0, start)));
    throw new Error(`the guest has raised an exception: ${said}`);
  }

  /** Look at the memory that there is: when it grows, what looked at it before sees nothing. */
  #look(): void {
    const { buffer } = this.#api.memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#numbers = new Uint32Array(buffer);
  }
}
