
"use strict";
const tools = document.querySelector(".tools");
const search = tools.elements.text;
const matches = document.getElementById("matches");
const groups = [...matches.querySelectorAll(".group")].map((node, place) => ({
  node, place, family: "family" in node.dataset, pairs: [],
}));
const groupOf = new Map(groups.map(group => [group.node, group]));
const pairs = [...document.querySelectorAll(".pair")].map((node, place) => {
  const group = groupOf.get(node.closest(".group"));
  const pair = {
    node, place, group, list: node.parentNode,
    relation: node.dataset.relation,
    probability: Number(node.dataset.probability),
    fresh: "new" in node.dataset,
  };
  if (group) group.pairs.push(pair);
  return pair;
});
const rows = [...document.querySelectorAll("#known tbody tr, #quarantine tbody tr")];

// Read when first needed: the text of thousands of cards is not wanted before someone types.
const texts = new Map();
function text(node) {
  if (!texts.has(node)) {
    const parts = node.matches("tr") ? [node] : node.querySelectorAll(".sides .name, dd.uri");
    texts.set(node, [...parts].map(part => part.textContent).join("\n").toLowerCase());
  }
  return texts.get(node);
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = new Set([...tools.querySelectorAll("[name=relation]:checked")].map(box => box.value));
  const fresh = tools.elements.new.checked;
  const fits = node => words.every(word => text(node).includes(word));
  let shown = 0;
  for (const pair of pairs) {
    const keep = (!wanted.size || wanted.has(pair.relation)) && (!fresh || pair.fresh) && fits(pair.node);
    pair.node.hidden = !keep;
    shown += keep;
  }
  for (const group of groups) group.node.hidden = group.pairs.every(pair => pair.node.hidden);
  for (const row of rows) row.hidden = !fits(row);
  document.getElementById("none").hidden = !groups.length || groups.some(group => !group.node.hidden);
  tools.querySelector("output").value =
    shown === pairs.length ? `${shown.toLocaleString("en")} pairs`
      : `${shown.toLocaleString("en")} of ${pairs.length.toLocaleString("en")} pairs`;
}

const best = group => Math.max(...group.pairs.map(pair => pair.probability));
const worst = group => Math.min(...group.pairs.map(pair => pair.probability));
const orders = {
  found: [(a, b) => a.place - b.place, (a, b) => a.place - b.place],
  surest: [(a, b) => best(b) - best(a), (a, b) => b.probability - a.probability],
  doubtful: [(a, b) => worst(a) - worst(b), (a, b) => a.probability - b.probability],
  largest: [(a, b) => b.pairs.length - a.pairs.length, (a, b) => a.place - b.place],
};
function sort() {
  const [ofGroups, ofPairs] = orders[tools.elements.sort.value];
  for (const pair of [...pairs].sort(ofPairs)) pair.list.append(pair.node);
  const none = document.getElementById("none");
  const familiesFirst = (a, b) => b.family - a.family || ofGroups(a, b);
  for (const group of [...groups].sort(familiesFirst)) matches.insertBefore(group.node, none);
}

let waiting = 0;
search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
tools.addEventListener("change", event => (event.target.name === "sort" ? sort() : filter()));
tools.addEventListener("submit", event => event.preventDefault());
document.addEventListener("keydown", event => {
  if (event.key !== "/" || event.target.matches("input, select") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  search.focus();
});
tools.hidden = false;
filter();
