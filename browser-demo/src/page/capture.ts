/** In the audio thread: hands on what it hears, in blocks of about 20 ms. */

// What this scope has is not in the libraries of TypeScript.
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Capture extends AudioWorkletProcessor {
  readonly #block = new Float32Array(Math.round(sampleRate / 50));
  #filled = 0;

  process(inputs: readonly (readonly Float32Array[])[]): boolean {
    let rest = inputs[0]?.[0];
    while (rest !== undefined && rest.length > 0) {
      const part = rest.subarray(0, this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === this.#block.length) {
        this.port.postMessage(this.#block.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
