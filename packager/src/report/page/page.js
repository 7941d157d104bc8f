// What is chosen and shown, and drawing all of it again when that changes.
const choices = { show: "kept", by: "source" };
let focus = {};
let query = "";
let chosen;
let hits; // the things that match the query, and the modules around them

const byId = (id) => document.getElementById(id);

// What the focus holds, before the query and the choices are applied.
function scope() {
  if (focus.module !== undefined) return definitionsOf(focus.module);
  const isInside = (thing) => focus.package === undefined || thing.name === focus.package || thing.name.startsWith(`${focus.package}.`);
  if (query) return things.filter(isInside);
  return metafile.modules.map((_, number) => moduleThing(number)).filter(isInside);
}

function draw(limit = PAGE) {
  const words = query.toLowerCase().replace(":", ".").split(/\s+/).filter(Boolean);
  const matches = (thing) => words.every((word) => thing.search.includes(word));
  const inScope = scope();
  const rows = inScope.filter((thing) => isShown(thing, choices) && matches(thing));
  hits = undefined;
  if (query) {
    hits = new Set();
    for (const thing of rows) { hits.add(thing); hits.add(moduleThing(thing.module)); }
  }
  drawTrail();
  byId("list-title").textContent = query ? "Found" : focus.module !== undefined ? "Definitions" : "Modules";
  drawTable(rows, { chosen, limit, again: draw });
  byId("status").textContent = rows.length || !query ? howMany(rows) : `Nothing here has “${query}” in its name.`;
  drawBoxes();
}

function howMany(rows) {
  const modules = rows.filter((thing) => thing.kind === "module");
  const ofEngine = modules.filter((thing) => thing.state === "engine").length;
  const numbers = [[modules.length - ofEngine, "module"], [rows.length - modules.length, "definition"], [ofEngine, "module"]];
  const words = numbers.map(([number, thing]) => (number ? count(number, thing) : ""));
  if (ofEngine) words[2] += " that are there already";
  return words.filter(Boolean).join(", ") || "Nothing";
}

function drawBoxes() {
  const map = byId("map");
  const tree = treeOf(focus, choices);
  if (tree.children.length) drawMap(map, tree, { isHit: (thing) => !hits || hits.has(thing), chosen, zoom });
  else map.replaceChildren(make("p", { className: "empty" }, choices.show === "removed" ? "Nothing was removed here." : "Nothing here has a size."));
}

function drawTrail() {
  const steps = [["All modules", {}]];
  const name = focus.module !== undefined ? moduleThing(focus.module).name : focus.package;
  const top = name?.split(".", 1)[0];
  if (top !== undefined && (focus.package !== undefined || name !== top)) steps.push([top, { package: top }]);
  if (focus.module !== undefined) steps.push([name, focus]);
  const parts = steps.flatMap(([label, place], index) => {
    const isLast = index === steps.length - 1;
    const part = isLast
      ? make("strong", { "aria-current": "location" }, label)
      : make("button", { type: "button", className: "link", onclick: () => zoom(place) }, label);
    return index ? [make("span", {}, " › "), part] : [part];
  });
  byId("trail").replaceChildren(...parts);
}

// Go to a place in the map and the table; `undefined` is one step out.
function zoom(place) {
  const wasInMap = byId("map").contains(document.activeElement);
  if (place) focus = place;
  else {
    const name = focus.module !== undefined ? moduleThing(focus.module).name : "";
    focus = name.includes(".") ? { package: name.split(".", 1)[0] } : {};
  }
  draw();
  if (wasInMap) byId("map").querySelector("[tabindex='0']")?.focus();
}

function choose(thing, { reveal = false, from } = {}) {
  chosen = thing;
  drawDetails(byId("details"), thing, zoom);
  history.replaceState(null, "", `#${encodeURIComponent(thing.name)}`);
  for (const box of document.querySelectorAll(".box.chosen")) box.classList.remove("chosen");
  from?.classList.add("chosen");
  for (const row of document.querySelectorAll("#table tr.chosen")) row.classList.remove("chosen");
  if (reveal) {
    drawBoxes();
    byId("details").focus({ preventScroll: true });
  }
  byId("details").scrollIntoView({ block: "nearest" });
}

function chooseFromAddress() {
  let name;
  try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
  const thing = byName.get(name);
  if (thing && thing !== chosen) choose(thing);
}

function drawLegend() {
  const entries = hasDefinitions
    ? [["kept", "definition in the bundle"], ["loaded", "module imported at packing"], ["carried", "module carried as code"], ["whole", "kept whole"], ["removed", "removed"]]
    : [["loaded", "imported at packing"], ["carried", "carried as code"], ["removed", "removed"]];
  byId("legend").replaceChildren(...entries.map(([name, words]) => make("li", {}, make("i", { className: name }), words)));
}

function start() {
  drawHeader();
  drawRest();
  if (!metafile.modules.length) {
    byId("rest").prepend(make("p", { className: "empty" }, "This pipeline has no Python nodes, so there are no modules in its bundle."));
    return;
  }
  byId("main").hidden = false;
  drawLegend();
  drawDetails(byId("details"), undefined, zoom);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("controls").addEventListener("change", (event) => {
    const { name, value } = event.target;
    if (name === "show" || name === "by") { choices[name] = value; draw(); }
  });
  let timer;
  byId("query").addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => { query = event.target.value.trim(); draw(); }, 120);
  });
  addEventListener("hashchange", chooseFromAddress);
  draw();
  chooseFromAddress();
  let width = byId("map").clientWidth;
  new ResizeObserver(() => {
    if (byId("map").clientWidth !== width) { width = byId("map").clientWidth; drawBoxes(); }
  }).observe(byId("map"));
}

start();
