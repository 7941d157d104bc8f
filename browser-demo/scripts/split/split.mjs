// Splits a module of WebAssembly in two: a core with the functions that are named and the data that they can reach, and the rest,
// which is instantiated over the core's memory and table when the core first calls a function of it.
//
// The core imports the functions of the rest that it mentions from `rest`, and exports what the rest needs of it. Names are short,
// and mean the same in both; that of the table says of which module the two are parts, so that parts of two do not fit together.
// What `src/runtime/code.ts` gives for the core's imports instantiates the rest.
import { createHash } from "node:crypto";
import binaryen from "binaryen";
import { readLinked, withoutLinking } from "./linked.mjs";

/** What rustc makes use of for this target. */
const { BulkMemory, BulkMemoryOpt, CallIndirectOverlong, Multivalue } = binaryen.Features;
const { MutableGlobals, NontrappingFPToInt, ReferenceTypes, SignExt } = binaryen.Features;
const FEATURES =
  BulkMemory |
  BulkMemoryOpt |
  CallIndirectOverlong |
  Multivalue |
  MutableGlobals |
  NontrappingFPToInt |
  ReferenceTypes |
  SignExt;

export function open(bytes) {
  const module = binaryen.readBinary(withoutLinking(bytes));
  module.setFeatures(FEATURES);
  return module;
}

/** All functions by their index: name, type, body, and where they are imported from, if they are. */
export function functionsOf(module) {
  return Array.from({ length: module.getNumFunctions() }, (_, index) => {
    return binaryen.getFunctionInfo(module.getFunctionByIndex(index));
  });
}

function exportsOf(module) {
  return Array.from({ length: module.getNumExports() }, (_, index) => {
    return binaryen.getExportInfo(module.getExportByIndex(index));
  });
}

const isImported = ({ module }) => module !== "";

/** `isCore` tells of the name of a function whether it is in the core. Gives `{ core, rest }`. */
export function split(bytes, isCore) {
  const [core, rest] = [open(bytes), open(bytes)];
  const functions = functionsOf(core);
  const own = functions.filter((info) => !isImported(info));
  // What the module exports is the core's to export, its memory included.
  for (const { name } of exportsOf(rest)) rest.removeExport(name);
  const short = new Map(own.map(({ name }, number) => [name, number.toString(36)]));
  for (const { name, params, results } of own) {
    const [owner, other, from] = isCore(name) ? [core, rest, "core"] : [rest, core, "rest"];
    owner.addFunctionExport(name, short.get(name));
    other.removeFunction(name);
    other.addFunctionImport(name, from, short.get(name), params, results);
  }
  const table = `table-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
  splitTable(core, rest, table);
  splitData(bytes, core, rest, functions, isCore);
  shareGlobals(core, rest);
  const wanted = exportsOf(open(bytes)).map(({ name }) => name);
  const parts = { core: core.emitBinary(), rest: rest.emitBinary() };
  // Each keeps what the other calls, which is less when the other has lost what nobody calls.
  for (let size = Infinity; size > parts.core.length + parts.rest.length;) {
    size = parts.core.length + parts.rest.length;
    parts.core = pruned(parts.core, [...wanted, ...imported(parts.rest, "core")]);
    parts.rest = pruned(parts.rest, imported(parts.core, "rest"));
  }
  for (const [name, part] of Object.entries(parts)) {
    if (!WebAssembly.validate(part)) throw new Error(`the ${name} is not a valid module`);
  }
  return parts;
}

/** The names of what a module imports from another. */
function imported(bytes, from) {
  return WebAssembly.Module.imports(new WebAssembly.Module(bytes)).flatMap(({ module, name }) =>
    module === from ? [name] : [],
  );
}

/** A module without what none of these exports needs. */
function pruned(bytes, exports) {
  const module = open(bytes);
  for (const { name } of exportsOf(module)) if (!exports.includes(name)) module.removeExport(name);
  module.runPasses(["remove-unused-module-elements"]);
  return module.emitBinary();
}

/** The core's table has what stands for functions of the rest; the rest puts its own into their places. */
function splitTable(core, rest, exportedAs) {
  const [table] = Array.from({ length: core.getNumTables() }, (_, index) => {
    return binaryen.getTableInfo(core.getTableByIndex(index));
  });
  core.addTableExport(table.name, exportedAs);
  const segments = Array.from({ length: rest.getNumElementSegments() }, (_, index) => {
    return binaryen.getElementSegmentInfo(rest.getElementSegmentByIndex(index));
  });
  const own = new Set(
    functionsOf(rest)
      .filter((info) => !isImported(info))
      .map(({ name }) => name),
  );
  for (const { name, offset, data } of segments) {
    const start = binaryen.getExpressionInfo(offset).value;
    rest.removeElementSegment(name);
    for (const [from, names] of runs(data, (name) => own.has(name))) {
      rest.addActiveElementSegment(table.name, `${name}-${from}`, names, rest.i32.const(start + from));
    }
  }
  rest.addTableImport(table.name, "core", exportedAs);
}

/** The longest stretches of a list whose items all pass, each with its place. */
function runs(list, passes) {
  const found = [];
  list.forEach((item, index) => {
    if (!passes(item)) return;
    const last = found.at(-1);
    if (last !== undefined && last[0] + last[1].length === index) last[1].push(item);
    else found.push([index, [item]]);
  });
  return found;
}

/** The core keeps what its functions can reach; what only the rest reaches comes with it. */
function splitData(bytes, core, rest, functions, isCore) {
  const { pieces, mentions } = readLinked(bytes);
  if (functions.length - mentions.size !== functions.filter(isImported).length)
    throw new Error("functions are missing");
  const reached = new Set();
  const reach = (piece) => {
    if (reached.has(piece)) return;
    reached.add(piece);
    piece.holds.forEach(reach);
  };
  functions.forEach((info, index) => {
    if (!isImported(info) && isCore(info.name)) mentions.get(index).forEach(reach);
  });
  const memory = core.getMemoryInfo("0");
  const segments = Array.from({ length: core.getNumDataSegments() }, (_, index) => {
    const { offset, data } = core.getDataSegmentInfo(core.getDataSegmentByIndex(index));
    return { offset, data: new Uint8Array(data) };
  });
  const parts = segments.map(({ offset, data }, number) => {
    const isOfRest = new Uint8Array(data.length);
    // What is written to is never moved.
    if (number > 0) return { offset, data, isOfRest };
    const mark = (of, value) => {
      for (const { start, end } of of) isOfRest.fill(value, Math.max(0, start - offset), Math.max(0, end - offset));
    };
    mark(pieces, 1);
    mark(reached, 0);
    return { offset, data, isOfRest };
  });
  const kept = (isWanted) => {
    return parts.flatMap(({ offset, data, isOfRest }) => {
      const places = Array.from(data.keys());
      return runs(places, (at) => isOfRest[at] === isWanted).map(([from, { length }]) => {
        return { offset: offset + from, data: data.slice(from, from + length) };
      });
    });
  };
  [core, rest].forEach((module, isWanted) => {
    const segments = kept(isWanted).map(({ offset, data }) => {
      return { offset: module.i32.const(offset), data, passive: false };
    });
    module.setMemory(memory.initial, memory.max ?? -1, null, segments);
  });
  rest.addMemoryImport("0", "core", "memory");
}

function shareGlobals(core, rest) {
  for (let index = 0; index < core.getNumGlobals(); index += 1) {
    const { name, type, mutable } = binaryen.getGlobalInfo(core.getGlobalByIndex(index));
    if (!mutable) continue;
    core.addGlobalExport(name, `global-${index}`);
    rest.addGlobalImport(name, "core", `global-${index}`, type, mutable);
  }
}
