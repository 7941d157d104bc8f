/** Hands the package to the tests that drive this page. */
import * as runtime from "../../src/runtime/index.ts";
import { compileExecutor, Rest } from "../../src/runtime/code.ts";
import { openBundle } from "../../src/runtime/bundle.ts";
import { PROTOCOL } from "../../src/runtime/protocol.ts";
import { candidates, notForTheEngine, open, readIndex } from "../../src/runtime/folder.ts";
import { later } from "../../src/runtime/later.ts";
import { decode, encode, Tuple } from "../../src/runtime/marshal.ts";
import { Histogram } from "../../src/runtime/metrics.ts";
import { LocalRuntime } from "../../src/runtime/pipeline.ts";
import { loadEngine } from "../../src/runtime/web/engine.ts";
import { packedLayer, unpack } from "../../src/runtime/web/layer.ts";
import { Interpreter } from "../../src/runtime/web/interpreter.ts";
import { wasi } from "../../src/runtime/web/wasi.ts";

import { bundleOf, writeArchive } from "./bundles.ts";
import { scriptedHost } from "./guest.ts";
import { scripts } from "./scripts.ts";

const kit = {
  ...runtime,
  scriptedHost,
  scripts,
  bundleOf,
  compileExecutor,
  Rest,
  PROTOCOL,
  candidates,
  open,
  readIndex,
  notForTheEngine,
  openBundle,
  writeArchive,
  decode,
  encode,
  Tuple,
  Histogram,
  LocalRuntime,
  loadEngine,
  packedLayer,
  unpack,
  Interpreter,
  later,
  wasi,
};

/** What the tests find. */
export type Kit = typeof kit;

declare global {
  var kit: Kit;
}

globalThis.kit = kit;
