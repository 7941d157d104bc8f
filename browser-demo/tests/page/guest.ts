/** A stand-in for a host of Python: interpreters that answer as the guest does, from a script in JavaScript. */
import { decode, encode, Tuple, type Argument, type Wire } from "../../src/runtime/marshal.ts";
import { Operation, PYTHON_PROTOCOL, type PythonHost, type PythonInstance } from "../../src/runtime/python.ts";
import type { Value } from "../../src/runtime/values.ts";

/** What the stand-in does with an item: give these, raise, never answer, or be gone. */
export type Script = (item: Value) => readonly Value[] | "raise" | "hang" | "gone";

/** What was asked of the stand-in, in order. */
export interface ScriptedHost extends PythonHost {
  readonly log: string[];
}

const NAMES = new Map<Operation, string>(
  Object.entries(Operation).map(([name, operation]) => [operation, name] as const),
);

/** A host whose nodes all follow a script. */
export function scriptedHost(script: Script, protocol: number = PYTHON_PROTOCOL): ScriptedHost {
  const log: string[] = [];
  let made = 0;
  return {
    log,
    protocol,
    instance(node) {
      const number = ++made;
      log.push(`make ${node} ${number}`);
      const instance: PythonInstance = {
        async call({ operation, wire }) {
          log.push(`${NAMES.get(operation) ?? "?"} ${number}`);
          return { answer: await answer(script, operation, wire), milliseconds: 1000 };
        },
        dispose() {
          log.push(`dispose ${number}`);
        },
      };
      return Promise.resolve(instance);
    },
    dispose() {
      log.push("dispose all");
    },
  };
}

async function answer(script: Script, operation: Operation, request: Wire): Promise<Wire> {
  if (operation !== Operation.Process) return done([]);
  // The node, the item, its session, its time and its number.
  const [, item = null] = decode(request) as readonly Value[];
  const outputs = script(item);
  switch (outputs) {
    case "raise": {
      const frames = [["node.py", 7, "Case.process"]];
      return encode(new Tuple([1, { type: "ValueError", message: "no", frames }]));
    }
    case "hang":
      return new Promise(() => undefined);
    case "gone":
      throw new Error("the worker has stopped");
    default:
      return done(outputs);
  }
}

function done(outputs: readonly Argument[]): Wire {
  return encode(new Tuple([0, outputs]));
}
