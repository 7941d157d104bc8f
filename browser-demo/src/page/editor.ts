/** The manifest's editor: what is wrong is told while one types, at its place. */
import type { Checked, PythonClass, Runtime, Trouble } from "../runtime/index.ts";
import { debounce, element, make } from "./dom.ts";

/** A manifest in the editor, and what was found out about it. */
export class Editor {
  readonly #text = element("manifest", HTMLTextAreaElement);
  readonly #gutter = element("gutter", HTMLPreElement);
  readonly #troubles = element("troubles", HTMLDivElement);
  readonly #runtime: Runtime;
  #file = "manifest.json";
  #checks = 0;
  /** The Python nodes that the manifest may name. */
  classes: ReadonlyMap<string, PythonClass> = new Map();
  /** Called after each check; `undefined` while the text is not a manifest. */
  onChecked: ((checked: Checked) => void) | undefined;
  /** Called when somebody has typed. */
  onEdited: (() => void) | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    const check = debounce(120, () => void this.#check());
    this.#text.addEventListener("input", () => {
      // Whatever it was called, the format is now what it looks like.
      this.#file = "manifest";
      this.onEdited?.();
      check();
    });
    this.#text.addEventListener("scroll", () => {
      this.#gutter.scrollTop = this.#text.scrollTop;
    });
  }

  get text(): string {
    return this.#text.value;
  }

  get file(): string {
    return this.#file;
  }

  show(text: string, file: string): Promise<void> {
    this.#text.value = text;
    this.#file = file;
    return this.#check();
  }

  async #check(): Promise<void> {
    const number = ++this.#checks;
    const checked = await this.#runtime.check(this.text, this.#file, this.classes);
    // Somebody went on typing meanwhile.
    if (number !== this.#checks) return;
    this.#mark(checked.troubles);
    this.onChecked?.(checked);
  }

  #mark(troubles: readonly Trouble[]): void {
    const wrong = new Set(troubles.map(({ line }) => line));
    const lines = this.text.split("\n").map((_, index) => {
      const number = String(index + 1).padStart(3);
      return wrong.has(index + 1) ? make("span", { class: "wrong" }, `${number}\n`) : `${number}\n`;
    });
    this.#gutter.replaceChildren(...lines);
    this.#gutter.scrollTop = this.#text.scrollTop;
    this.#text.setAttribute("aria-invalid", String(troubles.length > 0));
    if (troubles.length === 0) {
      this.#troubles.replaceChildren(make("p", { class: "fine" }, "This manifest can run."));
      return;
    }
    const items = troubles.map((trouble) => {
      const button = make("button", { type: "button", class: "link" }, placeOf(trouble));
      button.addEventListener("click", () => {
        this.#goTo(trouble);
      });
      return make("li", {}, button, ` ${trouble.message}`);
    });
    this.#troubles.replaceChildren(make("ul", { class: "troubles" }, ...items));
  }

  /** Puts the caret where something is wrong. */
  #goTo({ line = 1, column = 1 }: Trouble): void {
    const before = this.text.split("\n").slice(0, line - 1);
    const at = before.reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
    this.#text.focus();
    this.#text.setSelectionRange(at, at);
    const height = this.#text.scrollHeight / Math.max(1, this.text.split("\n").length);
    this.#text.scrollTop = Math.max(0, (line - 4) * height);
  }
}

function placeOf({ line, column, place }: Trouble): string {
  const at = line === undefined ? "" : `line ${line}${column === undefined ? "" : `, column ${column}`}`;
  return [at, place].filter((part) => part !== "").join(": ") || "somewhere";
}
