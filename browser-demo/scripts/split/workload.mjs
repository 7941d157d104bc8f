// What the executor's core does without the rest of it: manifests in JSON, and nodes that compute with numbers of ordinary size or
// pass on what they get. What else ran once would be in the core as well, whether or not most pages need it.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const calculator = readFileSync(resolve(import.meta.dirname, "../../../bundles/calculator/pipeline.json"), "utf8");
const echo = { version: "v1", metadata: { name: "echo" }, nodes: [{ id: "echo", node_type: "Echo" }], connections: [] };
const plain = [null, true, 5, -2.5, "text", [1, 2], { a: { b: "c" } }];

/** `runtime` is one of the package's. */
export async function workload(runtime) {
  await expect(runtime, calculator, [5, 7, 3, 0.25], [20, 24, 16, 10.5]);
  await expect(runtime, JSON.stringify(echo), plain, plain);
}

async function expect(runtime, manifest, items, wanted) {
  const pipeline = await runtime.load({ content: manifest, file: "manifest.json" });
  const outputs = [];
  for await (const { value } of pipeline.run(items.map((value) => ({ value })))) outputs.push(value);
  pipeline.unload();
  if (JSON.stringify(outputs) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(items)} became ${outputs}`);
}
