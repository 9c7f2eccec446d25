// The receipts, newest first: filtered by the address, paged as far as one scrolls, new ones as they are made.

import { get } from "./api.js";
import { el, fill } from "./dom.js";
import { ago, duration, moment, number, size } from "./format.js";
import { has, nameOf, t } from "./language.js";
import { change, FILTERS, filterOnly, state } from "./state.js";
import { trouble, verdict } from "./words.js";

const PAGE = 50;
const MANY = 200; // a page, where more came at once than one page shows
const MOST_AT_ONCE = 600; // beyond that the list is offered anew
const LOOK_EVERY = 3000;
const COLUMNS = ["recorded", "file", "verdict", "format", "records", "size", "latency"];
const NUMBERS = new Set(["records", "size", "latency"]);

export class List {
  constructor(root, { onArrival }) {
    this.onArrival = onArrival;
    this.body = el("tbody");
    this.status = el("p", { class: "state", role: "status", "aria-live": "polite" });
    this.end = el("div", { class: "end" });
    this.table = el("table", { class: "list" });
    this.root = root;
    this.shown = new Map();
    this.timer = null;
    new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.more()).observe(this.end);
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    this.body.addEventListener("keydown", (event) => this.walk(event));
  }

  /** Draws everything anew, in the page's language. */
  draw() {
    fill(this.table, el("caption", { class: "unseen" }, t("list.title")), el("thead", {}, el("tr", {},
      COLUMNS.map((name) => el("th", { scope: "col", class: NUMBERS.has(name) ? "number" : "" }, t(`column.${name}`))))), this.body);
    fill(this.root, el("div", { class: "scroll" }, this.table), this.status, this.end);
    return this.load();
  }

  /** Loads the first page of what the address asks for. */
  async load() {
    this.asked?.abort();
    this.asked = new AbortController();
    clearTimeout(this.timer);
    this.shown.clear();
    this.cursor = null;
    this.isDone = this.isLoading = this.hasGap = false;
    fill(this.body);
    await this.more();
    this.schedule();
  }

  async more() {
    if (this.isLoading || this.isDone || !this.asked) return;
    this.isLoading = true;
    const asked = this.asked;
    this.say(t("list.loading"));
    try {
      const page = await get("receipts", { ...state().filters, limit: PAGE, cursor: this.cursor }, { signal: asked.signal });
      if (asked !== this.asked) return;
      this.body.append(...page.receipts.filter((receipt) => this.note(receipt)).map((receipt) => this.row(receipt)));
      this.cursor = page.cursor;
      this.isDone = !page.cursor;
      this.isLoading = false;
      this.sayWhatIsThere();
      if (!this.isDone && this.isEndSeen()) await this.more();
    } catch (problem) {
      this.isLoading = asked !== this.asked && this.isLoading;
      this.fail(problem);
    }
  }

  isEndSeen() {
    return this.end.getBoundingClientRect().top < innerHeight + 200;
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), LOOK_EVERY);
  }

  /** Looks for what is new. */
  async look() {
    if (document.hidden || !this.asked) return;
    const asked = this.asked;
    try {
      const arrived = await this.arrived(asked);
      if (asked !== this.asked) return;
      const fresh = arrived.filter((receipt) => this.note(receipt));
      this.body.prepend(...fresh.map((receipt) => this.row(receipt, { isNew: true })));
      if (fresh.length) {
        this.onArrival(fresh);
        this.sayWhatIsThere();
      }
      this.root.classList.remove("broken");
    } catch (problem) {
      this.fail(problem);
    }
    if (asked === this.asked) this.schedule();
  }

  /** The newest receipts, up to one that is on the page: the API's pages as long as all on them is new. */
  async arrived(asked) {
    const found = [];
    let [cursor, limit] = [null, PAGE];
    while (found.length < MOST_AT_ONCE) {
      const page = await get("receipts", { ...state().filters, limit, cursor }, { signal: asked.signal });
      found.push(...page.receipts);
      const isAllNew = page.receipts.length > 0 && !page.receipts.some((receipt) => this.shown.has(receipt.id));
      if (!isAllNew || !page.cursor) return found;
      [cursor, limit] = [page.cursor, MANY];
    }
    this.hasGap = true;
    return found;
  }

  /** Whether a receipt is not on the page yet. A mark that has become a receipt takes the mark's place. */
  note(receipt) {
    const known = this.shown.get(receipt.id);
    this.shown.set(receipt.id, receipt.status);
    if (known === undefined) return true;
    if (known === receipt.status) return false;
    this.body.querySelector(`[data-id="${CSS.escape(receipt.id)}"]`)?.remove();
    return true;
  }

  row(receipt, { isNew = false } = {}) {
    const open = () => change({ receipt: receipt.id });
    const when = receipt.finished_at ?? receipt.started_at ?? receipt.uploaded_at;
    const cells = {
      recorded: el("time", { datetime: when, title: moment(when) }, ago(when)),
      file: el("button", { type: "button", class: "file-name", onclick: open, dir: "auto", title: receipt.key },
        el("span", { class: "long" }, receipt.key)),
      verdict: [verdict(receipt), receipt.headline ? el("div", { class: "quiet" }, headline(receipt.headline)) : null],
      format: receipt.format ?? "",
      records: receipt.records === undefined || receipt.records === null ? "" : number(receipt.records),
      size: receipt.size === undefined || receipt.size === null ? "" : size(receipt.size),
      latency: receipt.kind === "upload" && receipt.finished_at ? duration(Date.parse(receipt.finished_at) - Date.parse(receipt.uploaded_at)) : "",
    };
    return el("tr", { "data-id": receipt.id, class: isNew ? "new" : "", onclick: (event) => event.target.closest("button") || open() },
      COLUMNS.map((name) => el("td", { class: `col-${name}${NUMBERS.has(name) ? " number optional" : ""}` }, cells[name])));
  }

  /** Arrow keys walk along the files' names. */
  walk(event) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const next = step && event.target.closest("tr")?.[step];
    if (!next) return;
    event.preventDefault();
    next.querySelector(".file-name").focus();
  }

  sayWhatIsThere() {
    if (this.hasGap) this.say(t("list.many"), " ", el("button", { type: "button", onclick: () => this.load() }, t("list.newest")));
    else if (this.shown.size) this.say(this.isDone ? t("list.end", { count: this.shown.size, number: number(this.shown.size) }) : "");
    else if (Object.keys(state().filters).length) this.say(t("list.nothing"), el("button", { type: "button", onclick: () => filterOnly({}) }, t("filter.clear")));
    else this.say(t("list.empty"));
  }

  fail(problem) {
    if (problem.name === "AbortError") return;
    this.root.classList.add("broken");
    this.say(trouble(problem), " ", el("button", { type: "button", onclick: () => this.load() }, t("error.retry")));
  }

  say(...words) {
    fill(this.status, ...words);
  }
}

/** The first finding in one line, as lists have it: "missing-cells: row 4, line 5". */
function headline(text) {
  const [code, places] = text.split(": ");
  const name = nameOf(code);
  const said = (places ?? "").split(", ").filter(Boolean).map((part) => {
    const [word, at] = part.split(" ");
    return has(`place.${word}`) ? t(`place.${word}`, { at: number(Number(at)) }) : part;
  });
  return said.length ? `${name}: ${said.join(", ")}` : name;
}

/** The form above the list. */
export class Filters {
  constructor(root) {
    this.root = root;
  }

  draw() {
    const { filters } = state();
    const given = FILTERS.filter((name) => filters[name] && !["status", "search", "source"].includes(name));
    fill(this.root,
      this.select("status", ["", "succeeded", "failed", "inspecting"], filters.status),
      this.text("source", filters.source),
      this.text("search", filters.search, "search"),
      given.map((name) => el("button", { type: "button", "aria-label": t("filter.remove", { name: t(`filter.${name}`) }), onclick: () => change({ [name]: null }) },
        `${t(`filter.${name}`)}: ${shortened(filters[name])} ×`)),
      Object.keys(filters).length ? el("button", { type: "button", class: "plain", onclick: () => filterOnly({}) }, t("filter.clear")) : null);
  }

  select(name, values, chosen) {
    const options = values.map((value) => el("option", { value, selected: value === (chosen ?? "") }, t(value ? `verdict.${value}` : "filter.any")));
    return el("label", {}, t(`filter.${name}`), el("select", { name, onchange: (event) => change({ [name]: event.target.value }) }, options));
  }

  text(name, value, type = "text") {
    const input = el("input", { name, type, value: value ?? "", dir: "auto", placeholder: t(`filter.${name}.hint`) });
    input.addEventListener("change", () => change({ [name]: input.value.trim() }));
    return el("label", { class: name === "search" ? "grow" : "" }, t(`filter.${name}`), input);
  }
}

function shortened(text) {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
