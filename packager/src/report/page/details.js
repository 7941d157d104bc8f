// What is known about the thing that was chosen.
const MOST_FOLLOWERS = 40;

function drawDetails(panel, thing, zoom) {
  if (!thing) {
    panel.replaceChildren(
      make("h2", { id: "details-title" }, "Why is it there?"),
      make("p", { className: "soft" }, "Choose a module or a definition, in the map or in the table, to see how the nodes lead to it."),
    );
    return;
  }
  const module = moduleOf(thing);
  const parts = [make("h2", { id: "details-title", className: "name" }, thing.name)];
  const place = placeOf(thing);
  const origin = ORIGINS[module.origin];
  parts.push(make("p", { className: "soft" }, [thing.kind, origin, place].filter(Boolean).join(" · ")));
  const facts = [["State", STATES[thing.state]], ["Source", bytes(thing.before)]];
  if (thing.kind === "module") {
    if (module.source.kept !== module.source.before) facts.push(["Kept", bytes(thing.kept)]);
    facts.push(["Code", bytes(thing.code)]);
    const inside = definitionsOf(thing.module);
    if (inside.length) facts.push(["Definitions", `${inside.filter((one) => one.because).length} of ${inside.length} kept`]);
  } else {
    const { line, end_line: end } = module.definitions[thing.definition];
    facts.push(["Lines", line === end ? `${line}` : `${line} to ${end}`]);
  }
  const row = changeOf.get(thing.name);
  if (row) facts.push(["Change", changeWords(row)]);
  parts.push(make("dl", {}, facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
  if (thing.kind === "module" && module.whole) {
    const { line, reason } = module.whole;
    parts.push(make("p", { className: "warn" }, `Kept whole: ${reason}${line ? ` in line ${line}` : ""}.`));
  }
  if (thing.kind === "module" && definitionsOf(thing.module).length) {
    parts.push(make("button", { type: "button", className: "plain", onclick: () => zoom({ module: thing.module }) }, "Show its definitions"));
  } else if (thing.kind !== "module") {
    parts.push(make("p", {}, "In ", goto(moduleThing(thing.module))));
  }
  parts.push(...(thing.because ? kept(thing) : removed(thing, module)));
  panel.replaceChildren(...parts);
  panel.scrollTop = 0;
}

function kept(thing) {
  const parts = [make("h3", {}, thing.state === "engine" ? "Why it is used" : "Why it is in the bundle")];
  parts.push(make("ol", {}, chainTo(thing).map((step) => make("li", {}, sentence(step, step.because)))));
  const followers = broughtIn(thing);
  if (followers.length) {
    parts.push(make("h3", {}, `What it brings in (${followers.length.toLocaleString("en")})`));
    parts.push(make("ul", {}, followers.slice(0, MOST_FOLLOWERS).map((other) => make("li", {}, goto(other)))));
    if (followers.length > MOST_FOLLOWERS) parts.push(make("p", { className: "soft" }, `and ${followers.length - MOST_FOLLOWERS} more`));
  }
  return parts;
}

function removed(thing, module) {
  const heading = make("h3", {}, "Why it was removed");
  if (module.refused) {
    return [heading, make("p", {}, sentence(moduleThing(thing.module), module.refused), ", but it is certain to raise ImportError on the target.")];
  }
  const reason = thing.kind !== "module" && !module.because
    ? ["Its module was removed: nothing that is in the bundle imports it."]
    : [thing.kind === "module" ? "Nothing that is in the bundle imports it." : "Nothing that is in the bundle reaches it."];
  const key = thing.kind === "module" ? "include" : "keep";
  return [
    heading, make("p", {}, reason),
    make("p", {}, "To bring it back, in ", make("code", {}, "pyproject.toml"), ":"),
    make("pre", {}, `[tool.rm-pack]\n${key} = ["${thing.name}"]`),
  ];
}
