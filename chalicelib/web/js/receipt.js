// One receipt: verdict, findings as sentences, columns, history, identity and hashes, raw JSON.

import { get, post } from "./api.js";
import { columns } from "./columns.js";
import { el, fill } from "./dom.js";
import { ago, duration, moment, number, size } from "./format.js";
import { nameOf, sentence, t } from "./language.js";
import { change, filterOnly } from "./state.js";
import { place, trouble, verdict } from "./words.js";

const FACTS = ["format", "compression", "encoding", "newline", "delimiter", "header", "size", "unpacked_bytes", "lines", "records", "column_count", "elements", "root", "top_level"];
const SIZES = new Set(["size", "unpacked_bytes"]);
const PROOFS = ["bucket", "key", "version_id", "etag", "sequencer", "inspection", "sha256", "content_hash", "inspector", "request_id", "principal", "source_address", "declared_type"];
const TIMES = ["uploaded_at", "received_at", "finished_at"];

export class Sheet {
  constructor(dialog) {
    this.dialog = dialog;
    this.id = null;
    dialog.addEventListener("close", () => this.id && change({ receipt: null }));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** Shows the receipt of that id, or none. */
  async show(id) {
    this.id = id;
    if (!id) {
      this.dialog.close();
      return;
    }
    if (!this.dialog.open) this.dialog.showModal();
    this.put(el("p", { class: "state", role: "status" }, t("list.loading")));
    try {
      const { receipt } = await get(`receipts/${encodeURIComponent(id)}`);
      if (this.id === id) this.draw({ id, ...receipt });
    } catch (problem) {
      this.put(el("p", { class: "alert", role: "alert" }, trouble(problem)));
    }
  }

  put(...content) {
    const close = el("button", { type: "button", "aria-label": t("receipt.close"), onclick: () => this.dialog.close() }, "×");
    fill(this.dialog, el("div", { class: "sheet" }, el("div", { class: "sheet-head" }, el("h2", { id: "sheet-title", dir: "auto" }, this.title ?? t("receipt.title")), close), content));
  }

  draw(receipt) {
    this.title = receipt.key;
    const history = el("div");
    this.put(
      el("p", {}, verdict(receipt), " ", el("span", { class: "quiet" }, summary(receipt))),
      findings(receipt),
      columns(receipt),
      contract(receipt),
      members(receipt),
      el("h3", {}, t("receipt.history")), history,
      facts(receipt),
      proofs(receipt),
      this.actions(receipt),
      el("details", {}, el("summary", {}, t("receipt.raw")), el("pre", { tabindex: 0 }, JSON.stringify(content(receipt), null, 2))));
    this.title = null;
    this.tellHistory(receipt, history);
  }

  async tellHistory(receipt, root) {
    try {
      const { entries } = await get("history", { key: receipt.key });
      fill(root, el("ol", { class: "findings" }, entries.map((one) => el("li", {}, entry(one, receipt)))));
    } catch (problem) {
      fill(root, el("p", { class: "quiet" }, trouble(problem)));
    }
  }

  actions(receipt) {
    const told = el("span", { role: "status" });
    const text = () => JSON.stringify(content(receipt), null, 2);
    return el("div", { class: "actions" },
      receipt.kind === "upload" ? el("button", { type: "button", onclick: () => recheck(receipt, told) }, t("receipt.recheck")) : null,
      el("button", { type: "button", onclick: () => copy(text(), told) }, t("receipt.copy")),
      el("button", { type: "button", onclick: () => download(receipt, text()) }, t("receipt.download")),
      receipt.sha256 ? el("button", { type: "button", onclick: () => filterOnly({ sha256: receipt.sha256, receipt: null }) }, t("receipt.same")) : null,
      told);
  }
}

/** The receipt as the ledger has it, without the page's own name for it. */
function content({ id, ...receipt }) {
  return receipt;
}

function summary(receipt) {
  const parts = [receipt.format];
  const bytes = receipt.bytes ?? receipt.size;
  if (bytes !== undefined) parts.push(size(bytes));
  if (receipt.records !== undefined) parts.push(t("count.records", { count: receipt.records, number: number(receipt.records) }));
  if (receipt.latency_ms !== undefined) parts.push(t("receipt.after", { time: duration(receipt.latency_ms) }));
  return parts.filter(Boolean).join(" · ");
}

function findings(receipt) {
  const found = receipt.findings ?? [];
  if (!found.length) return receipt.status === "succeeded" ? el("p", {}, t("receipt.clean")) : null;
  const kept = {};
  for (const one of found) kept[one.code] = (kept[one.code] ?? 0) + 1;
  const more = Object.entries(receipt.finding_counts ?? {}).filter(([code, count]) => count > (kept[code] ?? 0));
  return [el("h3", {}, t("receipt.findings")),
    el("ul", { class: "findings" }, found.map(finding)),
    more.length ? el("p", { class: "quiet" }, t("receipt.more"), " ",
      more.map(([code, count]) => `${nameOf(code)}: ${number(count - (kept[code] ?? 0))}`).join(", ")) : null];
}

function finding(one) {
  const { message, fix } = sentence(one);
  return el("li", { class: `finding ${one.severity}` },
    el("div", {}, el("span", { class: "where", dir: "auto" }, place(one)), " ", el("span", { class: "quiet" }, `${t(`severity.${one.severity}`)} · ${one.code}`)),
    el("div", { dir: "auto" }, message), fix ? el("div", { class: "fix" }, fix) : null);
}

function contract(receipt) {
  if (!receipt.contract) return null;
  const broken = receipt.contract.broken_rules ?? [];
  return [el("h3", {}, t("receipt.contract", { name: receipt.contract.name })),
    broken.length ? el("ul", {}, broken.map((rule) => el("li", {}, `${nameOf(rule.code)}${rule.field ? ` (${rule.field})` : ""}: ${number(rule.count)}`))) : el("p", {}, t("receipt.kept"))];
}

function members(receipt) {
  if (!receipt.members?.length) return null;
  return [el("h3", {}, t("receipt.members", { count: receipt.member_count ?? receipt.members.length })),
    el("ul", {}, receipt.members.map((member) => el("li", { dir: "auto" }, `${member.name} · ${size(member.bytes)}`)))];
}

function entry(one, current) {
  const when = one.finished_at ?? one.uploaded_at ?? one.started_at;
  const words = [verdict(one), " ", el("time", { datetime: when, class: "quiet", title: moment(when) }, ago(when))];
  return one.id === current.id ? [words, " ", el("strong", {}, t("receipt.this"))]
    : [words, " ", el("button", { type: "button", class: "plain", onclick: () => change({ receipt: one.id }) }, t("upload.open"))];
}

function facts(receipt) {
  const known = FACTS.filter((name) => receipt[name] !== undefined && receipt[name] !== null && receipt[name] !== "");
  return [el("h3", {}, t("receipt.facts")), terms(known.map((name) => [t(`fact.${name}`), value(name, receipt[name])]))];
}

function value(name, found) {
  if (SIZES.has(name)) return `${size(found)} (${number(found)})`;
  if (typeof found === "number") return number(found);
  if (typeof found === "boolean") return t(found ? "yes" : "no");
  return found === "\t" ? "⇥" : found;
}

function proofs(receipt) {
  const times = TIMES.filter((name) => receipt[name]).map((name) => [t(`fact.${name}`), moment(receipt[name])]);
  const known = PROOFS.filter((name) => receipt[name] !== undefined && receipt[name] !== null);
  const metadata = Object.entries(receipt.metadata ?? {}).map(([name, text]) => [`x-amz-meta-${name}`, text]);
  return [el("h3", {}, t("receipt.identity")),
    terms([...times, ...[...known.map((name) => [t(`fact.${name}`), receipt[name]]), ...metadata].map(([name, text]) => [name, el("span", { class: "mono", dir: "auto" }, String(text))])])];
}

function terms(pairs) {
  return el("dl", {}, pairs.map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]));
}

async function recheck(receipt, told) {
  fill(told, t("list.loading"));
  try {
    await post(`receipts/${encodeURIComponent(receipt.id)}/recheck`);
    fill(told, t("receipt.rechecking"));
  } catch (problem) {
    fill(told, trouble(problem));
  }
}

async function copy(text, told) {
  await navigator.clipboard.writeText(text);
  fill(told, t("receipt.copied"));
}

function download(receipt, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  el("a", { href: url, download: `${receipt.key.split("/").at(-1)}.receipt.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
