/**
 * What travels through a pipeline, as JavaScript sees it: the form that values have in JSON, with typed arrays in place
 * of base64. README.md, "Values", has the table.
 *
 * Whole numbers are `int`s, others `float`s; `{ $float: 5 }` is 5.0 where that matters. What comes out as 5.0 is the
 * number 5 here: where the difference matters, ask a session for text.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Audio
  | Video
  | Tensor
  | { readonly $float: number }
  | readonly Value[]
  | { readonly [key: string]: Value }
  /** A dictionary with keys other than text, or whose only key is text that begins with `$`. */
  | ReadonlyMap<Value, Value>;

/** Sound: 32-bit floats, interleaved, full scale ±1. */
export interface Audio {
  readonly $audio: { readonly sample_rate: number; readonly channels: number; readonly samples: Float32Array };
}

/** A picture. `format` is `rgb24`, `rgba32`, `gray8` or `yuv420p`. */
export interface Video {
  readonly $video: {
    readonly width: number;
    readonly height: number;
    readonly format: string;
    readonly data: Uint8Array;
  };
}

/** Numbers in dimensions, little-endian. `dtype` is `f32`, `f64`, `i8` to `u64`, or `bool`. */
export interface Tensor {
  readonly $tensor: { readonly shape: readonly number[]; readonly dtype: string; readonly data: Uint8Array };
}

/** An item for a pipeline: a value, or one with what is known about it. */
export interface Item {
  readonly value: Value;
  /** The session that it belongs to, where one stream carries several. */
  readonly session?: string;
  /** When it belongs, in microseconds on the stream's own clock. */
  readonly timestampUs?: number;
}

/** Something that a pipeline gave. */
export interface Output {
  /** The id of the node that it comes from. */
  readonly node: string;
  /** The named output that it left on, if any. */
  readonly output?: string;
  /** What it is; JSON text, as `rm-pack run` prints it, if the session was asked for text. */
  readonly value: Value;
  readonly session?: string;
  readonly timestampUs?: number;
  /** The number, from 0, of the item that it came from. */
  readonly sequence: number;
}

/** Sound from samples. */
export function audio(samples: Float32Array, sampleRate: number, channels = 1): Audio {
  return { $audio: { sample_rate: sampleRate, channels, samples } };
}

/** The sound in a value, if it is sound. */
export function asAudio(value: Value): Audio["$audio"] | undefined {
  return isRecord(value) && "$audio" in value ? (value as unknown as Audio).$audio : undefined;
}

/** Whether a value is an object with text keys: a dictionary, or one of the forms above. */
export function isRecord(value: Value): value is { readonly [key: string]: Value } {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Map)
  );
}
