/** Files that are opened or dropped: bundles, manifests, items and sound. */
import { type Item, PipelineError, readWav } from "../runtime/index.ts";
import { element } from "./dom.ts";

/** What a file turned out to be. */
export type Opened =
  | { readonly kind: "bundle"; readonly file: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "manifest"; readonly file: string; readonly text: string }
  | { readonly kind: "items"; readonly file: string; readonly text: string }
  | { readonly kind: "sound"; readonly file: string; readonly items: readonly Item[] };

/** Take what is chosen or dropped anywhere on the page. */
export function takeFiles(open: (opened: Opened) => void, refuse: (error: PipelineError) => void): void {
  const take = (file: File | null | undefined) => {
    if (file)
      void read(file).then(open, (error: unknown) => {
        refuse(PipelineError.of(error, "load"));
      });
  };
  const input = element("file", HTMLInputElement);
  input.addEventListener("change", () => {
    take(input.files?.[0]);
    input.value = "";
  });
  const hint = element("drop", HTMLParagraphElement);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    hint.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) hint.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    hint.hidden = true;
    take(event.dataTransfer?.files[0]);
  });
}

async function read(file: File): Promise<Opened> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { name } = file;
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    return { kind: "bundle", file: name, bytes };
  }
  if (/\.wav$/i.test(name)) return { kind: "sound", file: name, items: [...readWav(bytes, name)] };
  if (!/\.(json|jsonl|yaml|yml)$/i.test(name)) {
    throw new PipelineError("load", `\`${name}\` is neither a bundle, a manifest, items nor a WAV file`, {
      hint: "their names end in .rmpkg, .json, .yaml, .jsonl and .wav",
    });
  }
  const text = new TextDecoder().decode(bytes);
  return { kind: /\.jsonl$/i.test(name) ? "items" : "manifest", file: name, text };
}
