// What the page works on: the metafile as a flat list of things, each a module or a definition, and as a tree for the map.
const { metafile, difference, phrases } = JSON.parse(document.getElementById("data").textContent);

// A thing's number is that of its module in `moduleThings`, plus that of its definition plus one.
const things = [];
const firstOf = [];

const stateOfModule = (module) =>
  !module.because ? "removed" : ["engine", "pyodide"].includes(module.origin) ? "engine" : module.loaded ? "loaded" : "carried";

metafile.modules.forEach((module, number) => {
  firstOf.push(things.length);
  things.push({
    name: module.name, kind: "module", state: stateOfModule(module), whole: Boolean(module.whole), module: number, definition: -1,
    before: module.source.before, kept: module.source.kept, code: module.code, line: 0, because: module.because,
  });
  (module.definitions ?? []).forEach((definition, index) => {
    things.push({
      name: `${module.name}.${definition.name}`, kind: definition.kind, state: definition.because ? "kept" : "removed",
      whole: false, module: number, definition: index, before: definition.bytes, kept: definition.because ? definition.bytes : 0,
      code: 0, line: definition.line, because: definition.because,
    });
  });
});
firstOf.push(things.length);
for (const thing of things) thing.search = thing.name.toLowerCase();

const moduleOf = (thing) => metafile.modules[thing.module];
const thingAt = ([module, definition]) => things[firstOf[module] + (definition === undefined ? 0 : definition + 1)];
const moduleThing = (number) => things[firstOf[number]];
const definitionsOf = (number) => things.slice(firstOf[number] + 1, firstOf[number + 1]);
const hasDefinitions = things.length > metafile.modules.length;

// The dotted name finds a thing; of several of one name the module, then what is in the bundle.
const byName = new Map();
for (const thing of things) {
  const known = byName.get(thing.name);
  if (!known || (known.kind !== "module" && !known.because && thing.because)) byName.set(thing.name, thing);
}

// The link among the reasons for a thing; none at a root. (The root "interpreter" is a string, and strings have a method `link`.)
const linkTo = ({ because }) => (typeof because === "object" ? because.link : undefined);

// What each thing leads to, made when it is first asked for.
let followers;
function broughtIn(thing) {
  if (!followers) {
    followers = new Map();
    for (const other of things) {
      const link = linkTo(other);
      if (!link) continue;
      const source = thingAt(link.from);
      if (followers.has(source)) followers.get(source).push(other);
      else followers.set(source, [other]);
    }
  }
  return followers.get(thing) ?? [];
}

// The links from a root to a thing, root first. The packer has checked that they end.
function chainTo(thing) {
  const chain = [];
  for (let at = thing; at?.because;) {
    chain.unshift(at);
    const link = linkTo(at);
    at = link && thingAt(link.from);
  }
  return chain;
}

// How large a thing is under the choices of the page; 0 if they hide it.
function sizeOf(thing, { show, by }) {
  if (thing.state === "engine") return 0;
  if (by === "code") return show === "removed" ? 0 : thing.code;
  if (show === "kept") return thing.kept;
  return show === "removed" ? thing.before - Math.min(thing.kept, thing.before) : thing.before;
}

const isShown = (thing, { show }) =>
  show === "both" || (show === "removed" ? thing.state === "removed" || thing.before > thing.kept : thing.state !== "removed");

// The map's tree below a place: `{label, thing, size, children}`, the largest first.
function treeOf(focus, choices) {
  if (focus.module !== undefined) return { label: moduleThing(focus.module).name, size: 0, children: leavesOf(focus.module, choices) };
  const packages = new Map();
  metafile.modules.forEach((module, number) => {
    const thing = moduleThing(number);
    const size = sizeOf(thing, choices);
    const top = module.name.split(".", 1)[0];
    if (size === 0 || (focus.package !== undefined && focus.package !== top)) return;
    if (!packages.has(top)) packages.set(top, { label: top, size: 0, children: [], package: top });
    const group = packages.get(top);
    group.children.push({ label: module.name, thing, size });
    group.size += size;
  });
  const groups = [...packages.values()];
  if (focus.package !== undefined) {
    const modules = groups[0]?.children ?? [];
    // A package with its definitions in sight, as long as that is not too much to draw.
    if (choices.by === "source") {
      for (const child of modules) {
        const leaves = leavesOf(child.thing.module, choices);
        if (leaves.length > 1) child.children = leaves;
      }
    }
    return { label: focus.package, size: 0, children: modules };
  }
  return { label: "", size: 0, children: groups.map((group) => (group.children.length === 1 ? group.children[0] : group)) };
}

function leavesOf(number, choices) {
  const thing = moduleThing(number);
  const whole = sizeOf(thing, choices);
  if (choices.by === "code") return whole ? [{ label: thing.name, thing, size: whole }] : [];
  const leaves = [];
  let sum = 0;
  for (const definition of definitionsOf(number)) {
    const size = sizeOf(definition, choices);
    sum += size;
    if (size) leaves.push({ label: metafile.modules[number].definitions[definition.definition].name, thing: definition, size });
  }
  if (whole > sum) leaves.push({ label: leaves.length ? "(rest of the module)" : thing.name, thing, size: whole - sum, isRest: leaves.length > 0 });
  return leaves;
}
