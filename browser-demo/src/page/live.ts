/** Live sound: a tone or the microphone, through a pipeline, drawn as it comes out. */
import { asAudio, audio, isRecord, PipelineError, type Runtime, type Session, type Value } from "../runtime/index.ts";
import capture from "./capture.ts?worker&url";
import { element, make } from "./dom.ts";
import { exampleBundle } from "./example-bundles.ts";

const RATE = 16_000;
/** How much of the sound is drawn, in samples. */
const DRAWN = RATE / 2;
const FLOOR = -60;

/** The example whose Python node finds speech. */
const DETECTOR = "voice-activity";
/** How many of the things that were heard are shown. */
const SHOWN = 5;

/** Rust nodes, and behind them, if wanted, one in Python. */
function manifest(hasDetector: boolean): string {
  const detector = [
    { id: "chunks", node_type: "AudioChunkNode", params: { duration_ms: 20 } },
    { id: "voice", node_type: "VoiceActivityNode", params: { hangover_ms: 50 } },
  ];
  const toDetector = [
    { from: "resample", to: "chunks" },
    { from: "chunks", to: "voice" },
  ];
  return JSON.stringify({
    version: "v1",
    metadata: { name: "live" },
    nodes: [
      { id: "resample", node_type: "AudioResampleNode", params: { sample_rate: RATE, quality: "low" } },
      { id: "wave", node_type: "PassThrough" },
      { id: "level", node_type: "AudioLevelNode", params: { digits: 1 } },
      ...(hasDetector ? detector : []),
    ],
    connections: [
      { from: "resample", to: "wave" },
      { from: "resample", to: "level" },
      ...(hasDetector ? toDetector : []),
    ],
  });
}

/** What is running. */
interface Source {
  readonly context: AudioContext;
  readonly session: Session;
  readonly oscillator?: OscillatorNode;
  readonly stream?: MediaStream;
}

export class Live {
  readonly #runtime: Runtime;
  readonly #tone = element("tone", HTMLButtonElement);
  readonly #microphone = element("microphone", HTMLButtonElement);
  readonly #quiet = element("quiet", HTMLButtonElement);
  readonly #pitch = element("pitch", HTMLInputElement);
  readonly #detector = element("detector", HTMLInputElement);
  readonly #heard = element("heard", HTMLOListElement);
  readonly #status = element("live-status", HTMLParagraphElement);
  readonly #canvas = element("wave", HTMLCanvasElement);
  readonly #recent = new Float32Array(DRAWN);
  #source: Source | undefined;
  #packets = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    for (const control of [this.#tone, this.#microphone, this.#detector]) control.disabled = false;
    this.#tone.addEventListener("click", () => void this.#start(false));
    this.#microphone.addEventListener("click", () => void this.#start(true));
    this.#quiet.addEventListener("click", () => void this.stop());
    this.#pitch.addEventListener("input", () => {
      const frequency = this.#pitch.valueAsNumber;
      element("pitch-text", HTMLOutputElement).value = `${frequency} Hz`;
      this.#source?.oscillator?.frequency.setTargetAtTime(frequency, this.#source.context.currentTime, 0.01);
    });
    this.#draw();
  }

  async #start(isMicrophone: boolean): Promise<void> {
    await this.stop();
    for (const button of [this.#tone, this.#microphone]) button.disabled = true;
    this.#status.textContent = isMicrophone ? "Waiting for the microphone …" : "Starting …";
    try {
      const stream = isMicrophone ? await navigator.mediaDevices.getUserMedia({ audio: true }) : undefined;
      const context = new AudioContext();
      await context.audioWorklet.addModule(capture);
      await context.resume();
      const hasDetector = this.#detector.checked;
      const content = manifest(hasDetector);
      const bundle = hasDetector ? await exampleBundle(DETECTOR) : undefined;
      const pipeline = await this.#runtime.load({
        content,
        file: "live.json",
        ...(bundle && { bundle: bundle.bytes }),
      });
      const session = await pipeline.session();
      pipeline.unload();
      const heard = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
      let frames = 0;
      heard.port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
        const timestampUs = Math.round((1_000_000 * frames) / context.sampleRate);
        frames += data.length;
        // Sound does not wait: what finds no room is refused by a session that is over, and told there.
        session.send([{ value: audio(data, context.sampleRate), timestampUs }]).catch(() => undefined);
      };
      const oscillator = stream ? undefined : this.#oscillator(context, heard);
      if (stream) context.createMediaStreamSource(stream).connect(heard);
      this.#source = { context, session, ...(oscillator && { oscillator }), ...(stream && { stream }) };
      this.#quiet.disabled = false;
      this.#quiet.focus();
      this.#packets = 0;
      this.#heard.replaceChildren();
      void this.#receive(session, `${isMicrophone ? "Microphone" : "Tone"}, ${context.sampleRate} Hz to ${RATE} Hz`);
    } catch (error) {
      this.#status.textContent = isMicrophone
        ? `The microphone cannot be used: ${PipelineError.of(error, "load").message}. A tone needs none.`
        : `The sound cannot be started: ${PipelineError.of(error, "load").message}.`;
      for (const button of [this.#tone, this.#microphone]) button.disabled = false;
    }
  }

  /** A tone whose loudness swells, so that there is something to see, out of silence, so that there is something to find. */
  #oscillator(context: AudioContext, heard: AudioNode): OscillatorNode {
    const oscillator = new OscillatorNode(context, { frequency: this.#pitch.valueAsNumber });
    const swell = new OscillatorNode(context, { frequency: 0.7 });
    const depth = new GainNode(context, { gain: 0.5 });
    // Twice the same: the square stays near silence for a moment.
    const gains = [new GainNode(context, { gain: 0.5 }), new GainNode(context, { gain: 0.5 })] as const;
    swell.connect(depth);
    for (const { gain } of gains) depth.connect(gain);
    oscillator.connect(gains[0]).connect(gains[1]).connect(heard);
    oscillator.start();
    swell.start();
    return oscillator;
  }

  async #receive(session: Session, what: string): Promise<void> {
    try {
      for await (const { node, value } of session) {
        // What still comes after the end is not what is heard now.
        if (this.#source?.session !== session) continue;
        if (node === "wave") this.#wave(value, what);
        else if (node === "level") this.#level(value);
        else this.#found(value);
      }
    } catch (error) {
      this.#status.textContent = PipelineError.of(error, "stopped").report();
      await this.stop();
    }
  }

  #wave(value: Value, what: string): void {
    const samples = asAudio(value)?.samples;
    if (samples === undefined) return;
    this.#packets += 1;
    this.#status.textContent = `${what}: ${this.#packets} packets.`;
    const recent = samples.subarray(-DRAWN);
    this.#recent.copyWithin(0, recent.length);
    this.#recent.set(recent, DRAWN - recent.length);
    requestAnimationFrame(() => {
      this.#draw();
    });
  }

  #level(value: Value): void {
    if (!isRecord(value)) return;
    const levels = value as Readonly<Record<string, Value>>;
    for (const [name, field] of [
      ["rms", "rms_dbfs"],
      ["peak", "peak_dbfs"],
    ] as const) {
      const level = levels[field];
      const isLevel = typeof level === "number";
      element(name, HTMLMeterElement).value = isLevel ? level : FLOOR;
      element(`${name}-text`, HTMLOutputElement).value = isLevel ? `${level.toFixed(1)} dB` : "silence";
    }
  }

  /** Something that the detector has heard, from its beginning to its end. */
  #found(value: Value): void {
    if (!isRecord(value)) return;
    const { start_ms: start, end_ms: end, level_dbfs: level } = value as Readonly<Record<string, Value>>;
    const seconds = (milliseconds: Value | undefined) => (Number(milliseconds) / 1000).toFixed(2);
    this.#heard.prepend(make("li", {}, `${seconds(start)} s to ${seconds(end)} s, ${Number(level)} dB`));
    while (this.#heard.children.length > SHOWN) this.#heard.lastElementChild?.remove();
  }

  #draw(): void {
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    const { width, height } = this.#canvas;
    const { color } = getComputedStyle(this.#canvas);
    context.clearRect(0, 0, width, height);
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.beginPath();
    // The lowest and the highest sample of each column.
    const perColumn = DRAWN / width;
    for (let x = 0; x < width; x += 1) {
      const column = this.#recent.subarray(Math.floor(x * perColumn), Math.floor((x + 1) * perColumn));
      const [low, high] = [Math.min(...column), Math.max(...column)];
      context.moveTo(x, height / 2 - (high * height) / 2 - 0.5);
      context.lineTo(x, height / 2 - (low * height) / 2 + 0.5);
    }
    context.stroke();
  }

  /** Be quiet, and let the microphone go. */
  async stop(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    for (const button of [this.#tone, this.#microphone]) button.disabled = false;
    this.#quiet.disabled = true;
    if (source === undefined) return;
    for (const track of source.stream?.getTracks() ?? []) track.stop();
    await source.context.close();
    source.session.close();
    this.#status.textContent = `Stopped after ${this.#packets} packets.`;
  }
}
