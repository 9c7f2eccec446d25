// The page: who looks at what, in which language and light.

import { DENIED, hasToken, keepToken, takeToken } from "./api.js";
import { el, fill } from "./dom.js";
import { Folders } from "./folders.js";
import { language, LANGUAGES, preferred, t, use } from "./language.js";
import { Filters, List } from "./list.js";
import { Overview, PERIODS } from "./overview.js";
import { Sheet } from "./receipt.js";
import { change, onChange, state } from "./state.js";
import { Uploads } from "./upload.js";

const THEME = "recibo-theme";
const THEMES = ["auto", "light", "dark"];

const at = (id) => document.getElementById(id);

takeToken();
const folders = new Folders();
const overview = new Overview(at("tiles"), at("charts"), folders.root);
const list = new List(at("list"), { onArrival: () => overview.soon() });
const filters = new Filters(at("filters"));
const sheet = new Sheet(at("sheet"));
const uploads = new Uploads(at("drop"));
let shown = null;

function theme(name) {
  if (name === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = name;
  localStorage.setItem(THEME, name);
}

function chooser(id, label, options, chosen, choose) {
  const items = Object.entries(options).map(([value, words]) => el("option", { value, selected: value === chosen }, words));
  return el("label", {}, el("span", { class: "unseen" }, label), el("select", { id, onchange: (event) => choose(event.target.value) }, items));
}

function drawTop() {
  document.title = t("title");
  fill(at("heading"), el("span", { class: "name" }, "Recibo"), " ", el("span", { class: "quiet" }, t("tagline")));
  fill(at("skip"), t("skip"));
  fill(at("controls"),
    chooser("period", t("period"), Object.fromEntries(Object.keys(PERIODS).map((name) => [name, t(`period.${name}`)])), state().period, (period) => change({ period })),
    chooser("language", t("language"), LANGUAGES, language(), async (tag) => {
      await use(tag, { chosen: true });
      drawAll();
    }),
    chooser("theme", t("theme"), Object.fromEntries(THEMES.map((name) => [name, t(`theme.${name}`)])), localStorage.getItem(THEME) ?? "auto", theme));
}

/** Where a person without a token, or with one that is no longer good, gives one. */
function drawDoor() {
  const input = el("input", { type: "password", name: "token", autocomplete: "off", required: true, id: "token" });
  const enter = (event) => {
    event.preventDefault();
    keepToken(input.value.trim());
    drawAll();
  };
  fill(at("door"), el("form", { class: "filters", onsubmit: enter }, el("label", { class: "grow" }, t("door.label"), input), el("button", { class: "main" }, t("door.enter"))),
    el("p", { class: "quiet" }, t("door.hint")));
}

/** Opens the page, or closes it but for the door. */
function open(isOpen) {
  at("door").hidden = isOpen;
  for (const id of ["drop", "tiles", "charts", "receipts"]) at(id).hidden = !isOpen;
}

function drawAll() {
  drawTop();
  drawDoor();
  open(hasToken());
  if (!hasToken()) return;
  uploads.draw();
  filters.draw();
  list.draw();
  overview.draw();
  folders.draw();
  follow(state(), { anew: true });
}

function follow(now, { anew = false } = {}) {
  const asked = JSON.stringify(now.filters);
  if (!anew && asked !== shown?.asked) {
    filters.draw();
    list.load();
    if (now.filters.prefix !== shown?.prefix) folders.draw();
  }
  if (!anew && now.period !== shown?.period) overview.draw();
  if (anew || now.receipt !== shown?.receipt) sheet.show(now.receipt);
  shown = { asked, prefix: now.filters.prefix, period: now.period, receipt: now.receipt };
}

addEventListener(DENIED, () => {
  at("door").hidden = false;
});
addEventListener("offline", () => list.look());
addEventListener("online", () => list.load());
theme(localStorage.getItem(THEME) ?? "auto");
await use(preferred());
onChange((now) => follow(now));
drawAll();
