// The table beside the map: sortable, a page of rows at a time.
const PAGE = 200;

const changeOf = new Map((difference?.modules ?? []).concat(difference?.definitions ?? []).map((row) => [row.name, row]));
// More bytes look like a loss, fewer like a gain.
const toneOf = ({ before, after }) => (after > before ? "went" : after < before ? "came" : "");
const change = (thing) => {
  const row = changeOf.get(thing.name);
  return row ? row.after - row.before : 0;
};

const COLUMNS = [
  { title: "Name", key: (thing) => thing.name, cell: (thing) => goto(thing) },
  { title: "Kind", key: (thing) => thing.kind, cell: (thing) => thing.kind, wide: true },
  { title: "From", key: (thing) => ORIGINS[moduleOf(thing).origin], cell: (thing) => ORIGINS[moduleOf(thing).origin], wide: true },
  { title: "State", key: (thing) => STATE_WORDS[thing.state], cell: (thing) => (thing.whole ? `${STATE_WORDS[thing.state]}, whole` : STATE_WORDS[thing.state]) },
  { title: "Source", key: (thing) => thing.before, cell: (thing) => bytes(thing.before), number: true },
  { title: "Kept", key: (thing) => thing.kept, cell: (thing) => bytes(thing.kept), number: true },
  { title: "Code", key: (thing) => thing.code, cell: (thing) => (thing.kind === "module" ? bytes(thing.code) : ""), number: true, wide: true },
];
if (difference) {
  COLUMNS.push({
    title: "Change", key: change, number: true, wide: true,
    cell: (thing) => {
      const row = changeOf.get(thing.name);
      if (!row) return "";
      return make("span", { className: toneOf(row) }, changeWords(row));
    },
  });
}

const sorting = { column: 5, descending: true };

function drawTable(rows, { chosen, limit, again }) {
  const head = make("tr", {}, COLUMNS.map((column, index) => make("th", {
    scope: "col", className: `${column.number ? "number" : ""} ${column.wide ? "wide" : ""}`,
    "aria-sort": sorting.column === index ? (sorting.descending ? "descending" : "ascending") : undefined,
  }, make("button", {
    type: "button",
    onclick: () => {
      sorting.descending = sorting.column === index ? !sorting.descending : Boolean(column.number);
      sorting.column = index;
      again(limit);
      document.querySelector(`#table th:nth-child(${index + 1}) button`).focus();
    },
  }, column.title))));
  document.querySelector("#table thead").replaceChildren(head);

  const { key } = COLUMNS[sorting.column];
  const sign = sorting.descending ? -1 : 1;
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const keyed = rows.map((thing) => [key(thing), thing]);
  keyed.sort(([a, first], [b, second]) => sign * order(a, b) || order(first.name, second.name));
  document.querySelector("#table tbody").replaceChildren(...keyed.slice(0, limit).map(([, thing]) => make("tr", {
    className: `${thing === chosen ? "chosen" : ""} ${thing.state === "removed" ? "gone" : ""}`,
  }, COLUMNS.map((column) => make("td", { className: `${column.number ? "number" : ""} ${column.wide ? "wide" : ""}` }, column.cell(thing))))));

  const more = document.getElementById("more");
  more.className = "plain";
  more.hidden = rows.length <= limit;
  more.textContent = `Show ${Math.min(PAGE, rows.length - limit)} more of ${(rows.length - limit).toLocaleString("en")}`;
  more.onclick = () => again(limit + PAGE);
}
