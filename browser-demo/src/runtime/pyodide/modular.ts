/**
 * To be imported before Pyodide. It finds out whether this is a worker of the old kind by a call that throws in one of the new
 * kind, and V8 then reads a megabyte of script once more to say where that was. What is thrown here has no place.
 */
Object.defineProperty(self, "importScripts", {
  value: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- an `Error` is what is to be avoided
    throw "a module";
  },
  configurable: true,
});
