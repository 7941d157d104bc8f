// Splits a module of WebAssembly in two: a core with the functions that are named and the data that they can reach, and the rest,
// which is instantiated over the core's memory and table when the core first calls a function of it.
//
// Functions have numbers, in both parts the same. The rest exports those of its functions that the core mentions by their numbers
// in base 36, and imports others from the core under such names. The core imports one function for each signature instead, which
// takes the number of the one that is meant behind the arguments: hundreds of functions of JavaScript would take longer to make
// than all else of an instance. What `src/runtime/code.ts` gives for them instantiates the rest. The name of the table says of
// which module the two are parts, so that parts of two do not fit together.
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
  const standIn = standIns(core);
  own.forEach((info, number) => {
    const { name, params, results } = info;
    const [owner, other] = isCore(name) ? [core, rest] : [rest, core];
    owner.addFunctionExport(name, number.toString(36));
    other.removeFunction(name);
    if (owner === rest) standIn(info, number);
    else rest.addFunctionImport(name, "core", number.toString(36), params, results);
  });
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
    parts.rest = pruned(parts.rest, stoodFor(parts.core));
  }
  for (const [name, part] of Object.entries(parts)) {
    if (!WebAssembly.validate(part)) throw new Error(`the ${name} is not a valid module`);
  }
  return parts;
}

/** Makes functions of the core that stand for functions of the rest: they pass on their arguments, and its number. */
function standIns(core) {
  const signatures = new Map();
  return ({ name, params, results }, number) => {
    const signature = `${params}>${results}`;
    const types = binaryen.expandType(params);
    const short = signatures.get(signature) ?? signatures.size.toString(36);
    if (!signatures.has(signature)) {
      signatures.set(signature, short);
      core.addFunctionImport(`rest.${short}`, "rest", short, binaryen.createType([...types, binaryen.i32]), results);
    }
    const values = types.map((type, index) => core.local.get(index, type));
    const passedOn = core.call(`rest.${short}`, [...values, core.i32.const(number)], results);
    core.addFunction(name, params, results, [], passedOn);
  };
}

/** The functions of the rest that a core still has stand-ins for, as the rest exports them. */
function stoodFor(bytes) {
  const core = open(bytes);
  const functions = functionsOf(core);
  const passingOn = new Set(functions.filter(({ module }) => module === "rest").map(({ name }) => name));
  return functions
    .filter((info) => !isImported(info))
    .flatMap(({ body }) => {
      const { id, target, operands } = binaryen.getExpressionInfo(body);
      if (id !== binaryen.CallId || !passingOn.has(target)) return [];
      return [binaryen.getExpressionInfo(operands.at(-1)).value.toString(36)];
    });
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
