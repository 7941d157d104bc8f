// How deep a function can call itself here, for `stack.mjs`.
{
  let reached = 0;
  const call = () => {
    reached += 1;
    call();
  };
  try {
    call();
  } catch {
    // That was it.
  }
  globalThis.postMessage(reached);
}
