// Which functions of the executor run when it does what `workload.mjs` does.
import binaryen from "binaryen";
import { createServer } from "vite";
import { resolve } from "node:path";
import { functionsOf, open } from "./split.mjs";
import { workload } from "./workload.mjs";

/** Gives the names of the functions. */
export async function functionsThatRun(bytes) {
  const { instrumented, names } = instrument(bytes);
  const ran = new Set();
  const rest = {
    fetch: () => Promise.resolve(),
    importsFor: () => ({ profile: { ran: (number) => ran.add(names[number]) } }),
  };
  const root = resolve(import.meta.dirname, "../..");
  const server = await createServer({
    configFile: false,
    root,
    appType: "custom",
    server: { middlewareMode: true, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const { LocalRuntime } = await server.ssrLoadModule("/src/runtime/pipeline.ts");
    await workload(await LocalRuntime.of({ core: await WebAssembly.compile(instrumented), rest }));
  } finally {
    await server.close();
  }
  return ran;
}

/** A module whose functions say that they run. */
function instrument(bytes) {
  const module = open(bytes);
  const own = functionsOf(module).filter((info) => info.module === "");
  module.addFunctionImport("ran", "profile", "ran", binaryen.createType([binaryen.i32]), binaryen.none);
  own.forEach(({ name, body }, number) => {
    const says = module.call("ran", [module.i32.const(number)], binaryen.none);
    const both = module.block(null, [says, body], binaryen.getExpressionType(body));
    binaryen.Function.setBody(module.getFunction(name), both);
  });
  if (module.validate() === 0) throw new Error("the instrumented executor is not valid");
  return { instrumented: module.emitBinary(), names: own.map(({ name }) => name) };
}
