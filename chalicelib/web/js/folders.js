// Folders, as a person thinks of sources: one level at a time; the one that is open filters the list.

import { get } from "./api.js";
import { el, fill } from "./dom.js";
import { t } from "./language.js";
import { change, state } from "./state.js";
import { trouble } from "./words.js";

export class Folders {
  constructor() {
    this.root = el("section", { class: "card", "aria-labelledby": "folders-title" });
    this.prefix = null;
  }

  async draw() {
    const prefix = state().filters.prefix ?? "";
    this.prefix = prefix;
    const body = el("div", { role: "status" });
    fill(this.root, el("h2", { id: "folders-title", class: "caption" }, t("folders.title")), crumbs(prefix), body);
    try {
      const { folders } = await get("folders", { prefix });
      if (this.prefix === prefix) fill(body, this.list(folders, prefix));
    } catch (problem) {
      fill(body, el("p", { class: "quiet" }, trouble(problem)));
    }
  }

  list(folders, prefix) {
    if (!folders.length) return el("p", { class: "quiet" }, t("folders.none"));
    return el("ul", { class: "folders" }, folders.map((folder) => el("li", {},
      el("button", { type: "button", dir: "auto", onclick: () => change({ prefix: folder }) }, folder.slice(prefix.length)))));
  }
}

function crumbs(prefix) {
  const steps = prefix.split("/").slice(0, -1);
  const links = steps.map((step, index) => crumb(`${step}/`, `${steps.slice(0, index + 1).join("/")}/`));
  return el("nav", { class: "crumbs", "aria-label": t("folders.title") }, crumb(t("folders.all"), null), links);
}

function crumb(words, prefix) {
  return el("button", { type: "button", class: "plain", dir: "auto", onclick: () => change({ prefix }) }, words);
}
