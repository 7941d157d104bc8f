// Words and elements.
const UNITS = ["B", "kB", "MB", "GB"];
function bytes(number) {
  let unit = 0;
  let value = number;
  while (value >= 1000 && unit < UNITS.length - 1) { value /= 1000; unit += 1; }
  return unit === 0 ? `${number} B` : `${value.toFixed(2)} ${UNITS[unit]}`;
}
const count = (number, thing) => `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
// How a row of the comparison changed, in a few words.
const changeWords = ({ how, before, after, note }) =>
  how === "came" ? "new" : how === "altered" ? (note ?? "altered").replace("->", "→") : signed(after - before);
const signed = (change, show = bytes) => (change === 0 ? "=" : (change > 0 ? "+" : "−") + show(Math.abs(change)));

const ORIGINS = { node: "of the nodes", package: "of the packer", stdlib: "standard library", engine: "engine", pyodide: "comes with Pyodide" };
const STATES = {
  loaded: "in the bundle, imported when it was packed", carried: "in the bundle, carried as code", kept: "in the bundle",
  removed: "removed", engine: "used; there already",
};
const STATE_WORDS = { loaded: "loaded", carried: "carried", kept: "kept", removed: "removed", engine: "engine" };

// An element with properties and children; text children are never read as markup.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null));
  return element;
}

function goto(thing, text = thing.name) {
  return make("button", { type: "button", className: "link name", onclick: () => choose(thing, { reveal: true }) }, text);
}

function placeOf(thing, line = thing.line) {
  const { file, origin } = moduleOf(thing);
  if (!file) return origin === "engine" ? "written in C" : "";
  return line ? `${file}:${line}` : file;
}

// Why a thing is in, in the words of `rm-pack why`.
function sentence(thing, because) {
  const name = goto(thing);
  if (because === "interpreter") return ["the interpreter needs ", name];
  if (because.node !== undefined) return ["node type ", make("code", {}, because.node), thing.kind === "module" ? " is in " : " is ", name];
  if (because.setting !== undefined) return [make("code", {}, because.setting), " under [tool.rm-pack] names ", name];
  if (because.trace !== undefined) return [name, " ran while the pipeline was traced"];
  const { from, line = 0, kind, when = "always" } = because.link;
  const source = thingAt(from);
  const place = placeOf(source, line);
  return [goto(source), place ? ` (${place})` : "", ` ${phrases.kinds[kind]} `, name, phrases.when[when]];
}
