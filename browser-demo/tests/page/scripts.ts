/** What scripted interpreters do, by name: a test cannot hand a function to a page whose policy evaluates no text. */
import { asAudio, type Value } from "../../src/runtime/values.ts";
import type { Script } from "./guest.ts";

const atFour =
  (what: "raise" | "gone" | "hang"): Script =>
  (item) =>
    item === 4 ? what : [item];

/** What arrived of something large. */
function sizes(item: Value): Value {
  const [sound, bytes] = item as readonly [Value, Uint8Array];
  const { samples, sample_rate } = asAudio(sound) ?? { samples: [], sample_rate: 0 };
  return { sound: samples.length, last: samples.at(-1) ?? null, rate: sample_rate, bytes: bytes.length };
}

export const scripts: Readonly<Record<string, Script>> = {
  double: (item) => [item, item],
  raiseAtFour: atFour("raise"),
  goneAtFour: atFour("gone"),
  hangAtFour: atFour("hang"),
  sizes: (item) => [sizes(item), item],
};
