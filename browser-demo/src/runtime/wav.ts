/** WAV files as items: packets of 20 ms with the times of their first samples, as `rm-pack run --input` reads them. */
import { PipelineError } from "./errors.ts";
import { audio, type Item } from "./values.ts";

const PACKETS_PER_SECOND = 50;
const INTEGER = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

interface Format {
  readonly encoding: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
}

/** The packets of a WAV file, cut when they are asked for. Throws an `item` error for a file that is none. */
export function* readWav(content: Uint8Array | ArrayBuffer, file = "the sound"): Generator<Item, void, undefined> {
  const isKnown = content instanceof Uint8Array || (content as unknown) instanceof ArrayBuffer;
  if (!isKnown) throw refused(file, "it is given as neither a `Uint8Array` nor an `ArrayBuffer`");
  const bytes = content instanceof Uint8Array ? content : new Uint8Array(content);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") throw refused(file, "it does not begin as one");
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const [chunk, size, body] = [name(at), view.getUint32(at + 4, true), at + 8];
    if (chunk === "fmt ") {
      if (size < 16 || body + size > bytes.length) throw refused(file, "its format is cut off");
      const tag = view.getUint16(body, true);
      format = {
        encoding: tag === EXTENSIBLE && size >= 26 ? view.getUint16(body + 24, true) : tag,
        channels: view.getUint16(body + 2, true),
        sampleRate: view.getUint32(body + 4, true),
        bits: view.getUint16(body + 14, true),
      };
    } else if (chunk === "data") {
      if (format === undefined) throw refused(file, "its samples come before their format");
      yield* packets(view, body, Math.min(size, bytes.length - body), format, file);
      return;
    }
    at = body + size + (size % 2);
  }
  throw refused(file, "it has no samples");
}

function* packets(
  view: DataView,
  begin: number,
  length: number,
  format: Format,
  file: string,
): Generator<Item, void, undefined> {
  const { channels, sampleRate, bits } = format;
  const read = reader(view, format, file);
  if (channels === 0 || sampleRate === 0) throw refused(file, "it has no channels, or no sample rate");
  const width = bits / 8;
  const frames = Math.floor(length / (width * channels));
  const step = Math.ceil(sampleRate / PACKETS_PER_SECOND);
  for (let first = 0; first < frames; first += step) {
    const count = Math.min(step, frames - first) * channels;
    const start = begin + first * channels * width;
    const samples = Float32Array.from({ length: count }, (_, index) => read(start + index * width));
    yield { value: audio(samples, sampleRate, channels), timestampUs: Math.floor((first * 1e6) / sampleRate) };
  }
}

/** Reads a sample, full scale ±1. */
function reader(view: DataView, { encoding, bits }: Format, file: string): (at: number) => number {
  if (encoding === FLOAT && bits === 32) return (at) => view.getFloat32(at, true);
  if (encoding === INTEGER) {
    switch (bits) {
      case 8:
        return (at) => (view.getUint8(at) - 128) / 128;
      case 16:
        return (at) => view.getInt16(at, true) / 0x8000;
      case 24:
        return (at) => (view.getInt16(at + 1, true) * 256 + view.getUint8(at)) / 0x80_0000;
      case 32:
        return (at) => view.getInt32(at, true) / 0x8000_0000;
    }
  }
  const what = encoding === INTEGER ? `integers of ${bits} bits` : `the encoding ${encoding} in ${bits} bits`;
  throw refused(file, `it has ${what}; integers of 8, 16, 24 and 32 bits and 32-bit floats can be read`);
}

function refused(file: string, problem: string): PipelineError {
  return new PipelineError("item", `\`${file}\` cannot be read as a WAV file: ${problem}`);
}
