// Files dropped on the page: upload → inspection → receipt, several at once, each with its own line.

import { get, post, send } from "./api.js";
import { el, fill } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./language.js";
import { change } from "./state.js";
import { trouble, verdict } from "./words.js";

const ASK_EVERY = 700;
const PATIENCE = 15 * 60 * 1000;
const AT_ONCE = 3;

export class Uploads {
  constructor(root) {
    this.root = root;
    this.lines = el("ul", { class: "uploads", "aria-live": "polite" });
    this.waiting = [];
    this.running = 0;
    this.listen();
  }

  draw() {
    const input = el("input", { type: "file", multiple: true, class: "unseen", id: "choose", onchange: () => this.take(input) });
    fill(this.root, el("strong", {}, t("upload.drop")), el("span", { class: "quiet" }, t("upload.or")),
      el("button", { type: "button", onclick: () => input.click() }, t("upload.choose")),
      el("label", { for: "choose", class: "unseen" }, t("upload.choose")), input, this.lines);
  }

  take(input) {
    this.add(input.files);
    input.value = "";
  }

  listen() {
    const over = (isOver) => this.root.classList.toggle("over", isOver);
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget || over(false));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      this.add(event.dataTransfer.files);
    });
  }

  add(files) {
    this.waiting.push(...[...files].map((file) => new Line(file, this.lines)));
    this.next();
  }

  next() {
    while (this.running < AT_ONCE && this.waiting.length) {
      this.running += 1;
      this.waiting.shift().run().finally(() => {
        this.running -= 1;
        this.next();
      });
    }
  }
}

class Line {
  constructor(file, lines) {
    this.file = file;
    this.progress = el("progress", { max: 1, value: 0, "aria-label": file.name });
    this.words = el("span", {}, t("upload.waiting"));
    lines.prepend(el("li", {}, el("span", { dir: "auto" }, file.name), this.progress, this.words));
  }

  async run() {
    try {
      const { key } = await this.upload();
      await this.await(key);
    } catch (problem) {
      this.progress.hidden = true;
      fill(this.words, el("span", { class: "verdict content" }, trouble(problem)));
    }
  }

  async upload() {
    const form = await post("uploads", { name: this.file.name, size: this.file.size, content_type: this.file.type || undefined });
    await send(form, this.file, (share) => {
      this.progress.value = share;
      fill(this.words, percent(share));
    });
    return form;
  }

  /** Asks for the key's history until its receipt is there; the key is this upload's alone. */
  async await(key) {
    this.progress.removeAttribute("value");
    fill(this.words, t("upload.inspecting"));
    const until = Date.now() + PATIENCE;
    while (Date.now() < until) {
      const { entries } = await get("history", { key });
      const receipt = entries.find((one) => one.status === "succeeded" || one.status === "failed");
      if (receipt) return this.finish(receipt);
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
    }
    return fill(this.words, t("upload.late"));
  }

  finish(receipt) {
    this.progress.hidden = true;
    fill(this.words, verdict(receipt), " ",
      el("button", { type: "button", class: "plain", onclick: () => change({ receipt: receipt.id }) }, t("upload.open")));
  }
}
