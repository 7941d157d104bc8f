// What stands around the map and the table: who the bundle is, its nodes, opaque places, notes, and the comparison.
function drawHeader() {
  const { bundle, totals, content } = metafile;
  document.getElementById("identity").textContent =
    `for ${bundle.target}${bundle.engine ? `, Python ${bundle.engine.python}` : ""} · content ${content}`;
  document.getElementById("packer").textContent = bundle.packer;
  const tile = (name, value, small) => make("div", {}, make("dt", {}, name), make("dd", {}, value, make("small", {}, small)));
  const share = (part, all) => (all ? `${((100 * part) / all).toFixed(1)} %` : "0 %");
  const { source, code, modules, definitions } = totals;
  const tiles = [
    tile("Modules", modules.kept.toLocaleString("en"), `${modules.removed.toLocaleString("en")} removed`),
    tile("Source kept", bytes(source.kept), `${share(source.kept, source.before)} of ${bytes(source.before)}`),
    tile("Code", bytes(code), "before compression"),
  ];
  if (hasDefinitions) {
    tiles.splice(1, 0, tile("Definitions", definitions.kept.toLocaleString("en"), `${definitions.removed.toLocaleString("en")} removed`));
  }
  const layer = bundle.entries["layer.zst"];
  if (layer) tiles.push(tile("Layer", bytes(layer.size), "of memory"));
  document.getElementById("totals").replaceChildren(...tiles);
}

function block(title, ...children) {
  return make("section", {}, make("h2", {}, title), children);
}

function grid(titles, rows, numbers = []) {
  const classOf = (index) => (numbers.includes(index) ? "number" : "");
  return make("div", { className: "scroll" }, make("table", {},
    make("thead", {}, make("tr", {}, titles.map((title, index) => make("th", { scope: "col", className: classOf(index) }, title)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell, index) => make("td", { className: classOf(index) }, cell)))))));
}

function drawRest() {
  const { bundle, opaque, notes } = metafile;
  const parts = [];
  if (difference) parts.push(comparison());
  parts.push(block("Nodes", grid(["Node", "Type", "Runs as"], bundle.manifest.nodes.map((node) => {
    const python = bundle.nodes[node.node_type];
    const thing = python && (byName.get(`${python.module}.${python.class}`) ?? byName.get(python.module));
    return [node.id, node.node_type, python ? ["Python, ", thing ? goto(thing, `${python.module}:${python.class}`) : `${python.module}:${python.class}`] : "Rust"];
  }))));
  const whole = metafile.modules.map((module, number) => [module, moduleThing(number)]).filter(([module]) => module.whole);
  if (whole.length) {
    parts.push(block(`Modules kept whole (${whole.length})`, grid(["Module", "Line", "Because it"], whole.map(([module, thing]) =>
      [goto(thing), module.whole.line ? `${module.file}:${module.whole.line}` : module.file, module.whole.reason]))));
  }
  if (opaque.length) {
    parts.push(block(`What reading the code cannot tell (${opaque.length})`, grid(["Module", "Line", "What it does"], opaque.map(({ module, file, line, what }) => {
      const thing = byName.get(module);
      return [thing ? goto(thing) : module, `${file}:${line}`, what];
    }))));
  }
  if (notes.length) parts.push(block("Notes", make("ul", {}, notes.map((note) => make("li", {}, note)))));
  document.getElementById("rest").replaceChildren(...parts);
}

function comparison() {
  const { content, facts, totals, entries, nodes, connections, modules, definitions } = difference;
  if (content.before === content.after) return block("Compared with the previous bundle", make("p", {}, "No difference: it is the same bundle."));
  const isCount = (name) => name === "modules" || name === "definitions";
  const show = (name) => (isCount(name) ? (number) => number.toLocaleString("en") : bytes);
  const parts = [make("p", { className: "soft name" }, `from ${content.before}`)];
  const sums = Object.entries(totals).map(([name, { before, after }]) =>
    [name, show(name)(before), show(name)(after), signed(after - before, show(name))]);
  parts.push(grid(["", "Before", "After", "Change"], sums, [1, 2, 3]));
  const list = (title, rows) => rows.length && parts.push(make("h3", {}, title), make("ul", {}, rows.map((row) => make("li", {}, row))));
  list("What it is", Object.entries(facts).map(([name, { before, after }]) => `${name}: ${before ?? "none"} → ${after ?? "none"}`));
  list("Nodes", nodes.map(({ id, how, fields }) => [
    make("code", {}, id), how === "altered" ? ": " : ` ${how}`,
    Object.entries(fields).map(([name, { before, after }]) => `${name} ${before ?? "none"} → ${after ?? "none"}`).join(", "),
  ]));
  list("Connections", connections.map(({ name, how }) => [make("code", {}, name), ` ${how}`]));
  const sized = (title, rows) => {
    if (!rows?.length) return;
    const cells = ({ name, how, before, after, note }) => {
      const thing = byName.get(name);
      return [thing ? goto(thing) : make("span", { className: "name" }, name), note ? `${how}, ${note.replace("->", "→")}` : how, bytes(before), bytes(after),
        make("span", { className: toneOf({ before, after }) }, signed(after - before))];
    };
    const table = make("div", {});
    const draw = (limit) => {
      table.replaceChildren(grid(["Name", "How", "Before", "After", "Change"], rows.slice(0, limit).map(cells), [2, 3, 4]));
      if (rows.length > limit) {
        table.append(make("button", { type: "button", className: "plain", onclick: () => draw(limit + PAGE) }, `Show more of ${rows.length.toLocaleString("en")}`));
      }
    };
    draw(25);
    parts.push(make("h3", {}, title), table);
  };
  sized("Entries of the archive", entries);
  sized("Modules, by code", modules);
  sized("Definitions, by source", definitions);
  return block("Compared with the previous bundle", parts);
}
