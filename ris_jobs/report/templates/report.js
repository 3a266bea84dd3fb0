"use strict";
const tools = document.querySelector(".tools");
const search = tools.elements.text;
const matches = document.getElementById("matches");
const groups = [...matches.querySelectorAll(".group")].map((node, place) => ({
  node, place, family: node.dataset.family ?? "", pairs: [],
}));
const groupOf = new Map(groups.map(group => [group.node, group]));
const lists = new Map();
const pairs = [...document.querySelectorAll(".pair")].map((node, place) => {
  const group = groupOf.get(node.closest(".group"));
  const pair = {
    node, place, group, list: node.parentNode,
    relation: node.dataset.relation,
    probability: Number(node.dataset.probability),
    seen: Number(node.dataset.seen),
    fresh: "new" in node.dataset,
  };
  if (group) group.pairs.push(pair);
  if (!lists.has(pair.list)) lists.set(pair.list, []);
  lists.get(pair.list).push(pair);
  return pair;
});
const rows = [...document.querySelectorAll("#known tbody tr, #quarantine tbody tr")];

// ── filter ──────────────────────────────────────────────────────────────────────────────────

// Read when first needed: the text of thousands of cards is not wanted before someone types.
const texts = new Map();
function text(node) {
  if (!texts.has(node)) {
    const parts = node.matches("tr") ? [node] : node.querySelectorAll(".sides .name");
    texts.set(node, [...parts].map(part => `${part.textContent}\n${part.title ?? ""}`).join("\n").toLowerCase());
  }
  return texts.get(node);
}

const relations = () => [...tools.querySelectorAll("[name=relation]")];
const keep = (node, kept) => node.classList.toggle("out", !kept);

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = new Set(relations().filter(box => box.checked).map(box => box.value));
  const fresh = tools.elements.new.checked;
  const family = tools.elements.family.value;
  const fits = node => words.every(word => text(node).includes(word));
  let shown = 0;
  for (const pair of pairs) {
    pair.kept = (!wanted.size || wanted.has(pair.relation)) && (!fresh || pair.fresh)
      && (!family || pair.group?.family === family) && fits(pair.node);
    keep(pair.node, pair.kept);
    shown += pair.kept;
  }
  for (const group of groups) keep(group.node, group.pairs.some(pair => pair.kept));
  for (const row of rows) keep(row, !family && fits(row));
  document.getElementById("none").hidden = !groups.length || groups.some(group => group.pairs.some(pair => pair.kept));
  tools.elements.family.hidden = !family;
  tools.elements.family.textContent = `family ${family}`;
  tools.querySelector("output").value =
    shown === pairs.length ? `${shown.toLocaleString("en")} pairs`
      : `${shown.toLocaleString("en")} of ${pairs.length.toLocaleString("en")} pairs`;
}

// ── sort ────────────────────────────────────────────────────────────────────────────────────

const best = group => Math.max(...group.pairs.map(pair => pair.probability));
const worst = group => Math.min(...group.pairs.map(pair => pair.probability));
const newest = group => Math.max(...group.pairs.map(pair => pair.seen));
const title = node => node.querySelector(".name")?.textContent ?? "";
const byName = new Intl.Collator("en", { numeric: true }).compare;
const asFound = (a, b) => a.place - b.place;
const orders = {
  found: [() => 0, () => 0],
  surest: [(a, b) => best(b) - best(a), (a, b) => b.probability - a.probability],
  doubtful: [(a, b) => worst(a) - worst(b), (a, b) => a.probability - b.probability],
  newest: [(a, b) => newest(b) - newest(a), (a, b) => b.seen - a.seen],
  source: [(a, b) => byName(title(a.node), title(b.node)), (a, b) => byName(title(a.node), title(b.node))],
  largest: [(a, b) => b.pairs.length - a.pairs.length, () => 0],
};
let order = "found";
function sort() {
  if (order === tools.elements.sort.value) return;
  order = tools.elements.sort.value;
  const [ofGroups, ofPairs] = orders[order];
  const familiesFirst = (a, b) => !a.family - !b.family || ofGroups(a, b);
  for (const [list, listed] of lists) arrange(list, listed, ofPairs);
  arrange(matches, groups, familiesFirst);
}

// What stands in its place already is not moved: moving pictures is what takes long.
function arrange(parent, items, compare) {
  const sorted = [...items].sort((a, b) => compare(a, b) || asFound(a, b));
  if (sorted.every((item, place) => item === items[place])) return;
  parent.prepend(...sorted.map(item => item.node));
  items.splice(0, items.length, ...sorted);
}

// ── what is asked for stands in the fragment, as in #relation=crop&new=1 ───────────────────────

function write() {
  const asked = new URLSearchParams();
  if (search.value) asked.set("text", search.value);
  for (const box of relations()) if (box.checked) asked.append("relation", box.value);
  if (tools.elements.new.checked) asked.set("new", "1");
  if (tools.elements.family.value) asked.set("family", tools.elements.family.value);
  if (order !== "found") asked.set("sort", order);
  history.replaceState(null, "", `#${asked}`);
}

function read(asked) {
  search.value = asked.get("text") ?? "";
  const wanted = asked.getAll("relation");
  for (const box of relations()) box.checked = wanted.includes(box.value);
  tools.elements.new.checked = asked.has("new");
  tools.elements.family.value = asked.get("family") ?? "";
  const wish = asked.get("sort");
  tools.elements.sort.value = Object.hasOwn(orders, wish) ? wish : "found";
  sort();
  filter();
}

function follow() {
  const place = location.hash.slice(1);
  if (!place || place.includes("=")) {
    read(new URLSearchParams(place));
    if (place) matches.scrollIntoView();
  } else if (document.getElementById(place)?.closest(".out")) {
    read(new URLSearchParams());
    document.getElementById(place).scrollIntoView();
  }
}

// ── one picture laid on the other ───────────────────────────────────────────────────────────

async function loaded(figure) {
  const drawn = figure.querySelector("image, use");
  const href = drawn.getAttribute("href");
  const image = new Image();
  image.src = href.startsWith("#") ? document.getElementById(href.slice(1)).getAttribute("href") : href;
  await image.decode();
  return image;
}

async function lay(pair, view) {
  const [source, derived] = await Promise.all([...pair.querySelectorAll("figure")].map(loaded));
  const [inner, outer] = pair.dataset.inner === "derived" ? [derived, source] : [source, derived];
  const size = 480 / Math.max(outer.width, outer.height);
  const canvas = Object.assign(document.createElement("canvas"), {
    width: Math.round(outer.width * size), height: Math.round(outer.height * size),
  });
  const { width, height } = canvas;
  canvas.setAttribute("role", "img");
  const ink = canvas.getContext("2d");
  const [a, b, c, d, e, f] = pair.dataset.placement.split(" ").map(Number);
  const onto = [a * width, b * height, c * width, d * height, e * width, f * height];
  ink.drawImage(outer, 0, 0, width, height);
  if (view === "overlay") {
    canvas.setAttribute("aria-label", "both pictures on each other, half of each");
    ink.globalAlpha = 0.5;
  } else {
    canvas.setAttribute("aria-label", "where the pictures differ, four times as bright");
    ink.globalCompositeOperation = "difference";
  }
  ink.save();
  ink.setTransform(...onto);
  ink.drawImage(inner, 0, 0, 1, 1);
  ink.restore();
  if (view === "difference") {
    ink.globalCompositeOperation = "lighter";
    for (let doubled = 0; doubled < 2; doubled++) ink.drawImage(canvas, 0, 0);
    // Around the inner picture there is nothing to compare.
    ink.globalCompositeOperation = "destination-in";
    ink.setTransform(...onto);
    ink.fillRect(0, 0, 1, 1);
  }
  return canvas;
}

async function look(pair, button) {
  for (const other of button.parentNode.children) other.ariaPressed = String(other === button);
  const canvas = button.value === "sides" ? null : await lay(pair, button.value);
  if (button.ariaPressed !== "true") return;
  pair.querySelector("canvas")?.remove();
  if (canvas) pair.querySelector(".sides").prepend(canvas);
  pair.classList.toggle("laid", canvas !== null);
}

const views = document.getElementById("views").content;
for (const { node } of pairs) {
  if (node.dataset.inner) node.querySelector("details").before(views.cloneNode(true));
}

// ── what people do ──────────────────────────────────────────────────────────────────────────

let waiting = 0;
const ask = () => { filter(); write(); };
search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 120); });
tools.addEventListener("change", () => { sort(); ask(); });
tools.addEventListener("submit", event => event.preventDefault());
tools.elements.family.addEventListener("click", event => {
  event.target.value = "";
  ask();
  search.focus();
});
document.addEventListener("click", event => {
  const button = event.target.closest(".views button");
  if (button) look(button.closest(".pair"), button);
});
document.addEventListener("keydown", event => {
  if (event.key !== "/" || event.target.matches("input, select") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  search.focus();
});
addEventListener("hashchange", follow);
tools.hidden = false;
filter();
if (location.hash) follow();
