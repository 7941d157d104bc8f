/** Timers for any time. */

/** In milliseconds: browsers take a longer delay for none at all. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Call back once, after so many milliseconds. What it gives stops that. */
export function later(callback: () => void, milliseconds: number, longest = LONGEST_DELAY): () => void {
  const due = performance.now() + milliseconds;
  let timer: ReturnType<typeof setTimeout>;
  const wait = (left: number) => {
    timer =
      left <= longest
        ? setTimeout(callback, left)
        : setTimeout(() => {
            wait(due - performance.now());
          }, longest);
  };
  wait(milliseconds);
  return () => {
    clearTimeout(timer);
  };
}
