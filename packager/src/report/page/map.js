// The map: a squarified treemap of buttons, two levels deep.
const HEADER = 17;
const SMALLEST = 90; // square pixels; what is smaller is put together
const MOST = 1500;

// Rectangles for sizes that are sorted, the largest first: rows along the shorter side, each as square as it gets.
function squarify(sizes, x, y, width, height) {
  const rectangles = [];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const scale = total > 0 ? (width * height) / total : 0;
  let start = 0;
  while (start < sizes.length) {
    const side = Math.max(Math.min(width, height), 1e-6);
    const worst = (row, least, most) => Math.max((side * side * most) / (row * row), (row * row) / (side * side * least));
    let end = start + 1;
    let row = sizes[start] * scale;
    while (end < sizes.length) {
      const next = row + sizes[end] * scale;
      if (worst(next, sizes[end] * scale, sizes[start] * scale) > worst(row, sizes[end - 1] * scale, sizes[start] * scale)) break;
      row = next;
      end += 1;
    }
    const depth = row / side;
    let along = 0;
    for (let index = start; index < end; index += 1) {
      const length = (sizes[index] * scale) / Math.max(depth, 1e-6);
      rectangles.push(width >= height
        ? { x, y: y + along, width: depth, height: length }
        : { x: x + along, y, width: length, height: depth });
      along += length;
    }
    if (width >= height) { x += depth; width -= depth; } else { y += depth; height -= depth; }
    start = end;
  }
  return rectangles;
}

// Sorts, and puts together what would be too small to see.
function visible(children, area, most) {
  const sorted = [...children].sort((a, b) => b.size - a.size || (a.label < b.label ? -1 : 1));
  const total = sorted.reduce((sum, child) => sum + child.size, 0);
  let end = sorted.length;
  while (end > 1 && (end > most || (sorted[end - 1].size / total) * area < SMALLEST)) end -= 1;
  // One that is left over is as good as its name.
  if (sorted.length - end < 2) return sorted;
  const rest = sorted.slice(end);
  sorted.length = end;
  sorted.push({ label: `${rest.length.toLocaleString("en")} smaller`, size: rest.reduce((sum, child) => sum + child.size, 0), others: rest });
  return sorted;
}

// A group that is drawn as one box has the colour of its largest part.
function colourOf(child) {
  if (child.others || child.isRest) return "rest";
  if (child.package !== undefined) return colourOf(child.children.reduce((most, other) => (other.size > most.size ? other : most)));
  return child.thing.whole ? "whole" : child.thing.state;
}

function leavesBelow(child) {
  if (child.thing) return [child.thing];
  return (child.others ?? child.children).flatMap(leavesBelow);
}

// Inside a package its name goes without saying.
const shorten = (label, group) => (label.startsWith(`${group}.`) ? label.slice(group.length) : label);

function drawMap(map, tree, { isHit, chosen, zoom }) {
  const boxes = [];
  const { clientWidth: width, clientHeight: height } = map;
  const box = (child, rectangle, isGroup) => {
    // A package without room for its modules has no module of its own to stand for.
    const thing = child.package === undefined ? child.thing : undefined;
    const state = isGroup ? "group" : colourOf(child);
    const size = bytes(child.size);
    const words = child.others ? "" : thing ? `, ${thing.kind}, ${thing.whole ? "kept whole" : STATE_WORDS[thing.state]}` : ", package";
    const element = make("button", {
      type: "button", className: `box ${state}`, tabIndex: -1, title: `${child.label}\n${size}`, "aria-label": `${child.label}${words}, ${size}`,
    });
    Object.assign(element.style, {
      left: `${rectangle.x}px`, top: `${rectangle.y}px`, width: `${rectangle.width}px`, height: `${rectangle.height}px`,
    });
    if (rectangle.width > 34 && rectangle.height > 14) {
      element.append(make("span", {}, child.short ?? child.label));
      if (!isGroup && rectangle.height > 32) element.append(make("span", {}, size));
    }
    const hit = leavesBelow(child).some(isHit);
    element.classList.toggle("dim", !hit);
    if (thing && thing === chosen) element.classList.add("chosen");
    element.onclick = () => {
      if (child.package !== undefined) zoom({ package: child.package });
      else if (thing) choose(thing, { from: element });
      // What is put together at the top is modules of their own; inside a package the package shows more of them.
      else if (child.parent) zoom(child.parent);
      else document.getElementById("list").scrollIntoView();
    };
    if (thing?.kind === "module" && firstOf[thing.module + 1] - firstOf[thing.module] > 1) {
      element.ondblclick = () => zoom({ module: thing.module });
    }
    boxes.push({ element, rectangle });
  };
  const top = visible(tree.children, width * height, MOST / 3);
  const rectangles = squarify(top.map((child) => child.size), 0, 0, width, height);
  top.forEach((child, index) => {
    const rectangle = rectangles[index];
    const hasRoom = rectangle.width > 44 && rectangle.height > HEADER + 18;
    const isGroup = Boolean(child.children) && hasRoom && boxes.length < MOST;
    box(child, rectangle, isGroup);
    if (!isGroup) return;
    const inner = { x: rectangle.x + 2, y: rectangle.y + HEADER, width: rectangle.width - 4, height: rectangle.height - HEADER - 2 };
    const below = visible(child.children, inner.width * inner.height, MOST - boxes.length);
    const places = squarify(below.map((leaf) => leaf.size), inner.x, inner.y, inner.width, inner.height);
    const parent = child.package !== undefined ? { package: child.package } : child.thing && { module: child.thing.module };
    below.forEach((leaf, number) => box({ ...leaf, short: shorten(leaf.label, child.label), parent }, places[number], false));
  });
  map.replaceChildren(...boxes.map(({ element }) => element));
  const current = boxes.find(({ element }) => element.classList.contains("chosen")) ?? boxes[0];
  if (current) current.element.tabIndex = 0;
  map.onkeydown = (event) => moveInMap(event, boxes, zoom);
}

// Arrow keys go to the nearest box in their direction; one box at a time is in the tab order.
function moveInMap(event, boxes, zoom) {
  if (event.key === "Escape" || event.key === "Backspace") {
    event.preventDefault();
    zoom(undefined);
    return;
  }
  const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const at = boxes.find(({ element }) => element === document.activeElement);
  if (!direction || !at) return;
  event.preventDefault();
  const centre = ({ rectangle }) => [rectangle.x + rectangle.width / 2, rectangle.y + Math.min(rectangle.height / 2, 40)];
  const [x, y] = centre(at);
  let best;
  for (const other of boxes) {
    if (other === at) continue;
    const [otherX, otherY] = centre(other);
    const ahead = (otherX - x) * direction[0] + (otherY - y) * direction[1];
    const aside = Math.abs((otherX - x) * direction[1]) + Math.abs((otherY - y) * direction[0]);
    const distance = ahead + 2 * aside;
    if (ahead > 0.5 && (!best || distance < best.distance)) best = { other, distance };
  }
  if (!best) return;
  at.element.tabIndex = -1;
  best.other.element.tabIndex = 0;
  best.other.element.focus();
}
