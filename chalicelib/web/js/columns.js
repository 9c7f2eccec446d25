// The columns of one receipt and what is known of their values, in small pictures. Numbers stand beside each.

import { bar, histogram, parts, spread } from "./charts.js";
import { el } from "./dom.js";
import { day, decimal, number, rounded } from "./format.js";
import { t } from "./language.js";

const ALL = 10_000; // a profile's share is of so many cells
const HEADS = ["number", "name", "type", "filled", "range", "distinct"];

/** The table of a receipt's columns; nothing, if it has none. */
export function columns(receipt) {
  if (!receipt.columns?.length) return null;
  const count = receipt.column_count ?? receipt.columns.length;
  const title = t("receipt.columns", { count, number: number(count) });
  const rows = receipt.columns.map((column, index) => el("tr", {},
    el("td", { class: "number" }, number(index + 1)), el("th", { scope: "row", dir: "auto" }, column.name), cells(column, receipt)));
  return [el("h3", {}, title), ofWhich(receipt),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
      el("table", { class: "columns" },
        el("thead", {}, el("tr", {}, HEADS.map((head) => el("th", { scope: "col" }, t(`profile.${head}`))))), el("tbody", {}, rows)))];
}

function ofWhich({ profiled_records: profiled, records }) {
  if (profiled === undefined || records === undefined || profiled >= records) return null;
  return el("p", { class: "quiet" }, t("profile.partial", { profiled: number(profiled), records: number(records) }));
}

/** Of cells, of JSON's values by their types, or of a schema: what is not known leaves its place empty. */
function cells(column, receipt) {
  const text = ofText(column, receipt.profiled_records);
  const json = column.types ? ofJson(column.types, receipt.records) : null;
  return [el("td", {}, typeName(column), (json ?? text).kinds), el("td", {}, filled(json ?? text)),
    el("td", { dir: "auto" }, range(column), length(column), common(column)), el("td", { class: "number" }, distinct(column, text))];
}

function ofText({ nulls, share }, records) {
  const kinds = share === undefined || share >= ALL ? null : kindsOf(share / ALL);
  return { kinds, records, values: records === undefined || nulls === undefined ? undefined : records - nulls };
}

function kindsOf(share) {
  return el("div", { class: "quiet" }, bar(share), t("profile.share", { share: portion(share) }));
}

/** Rounded down: what is not all of it never says 100 %. */
function portion(share) {
  return number(Math.floor(share * 1000 + 1e-6) / 1000, { style: "percent", maximumFractionDigits: 1 });
}

/** A record may lack the member, or have null for it: both are empty. */
function ofJson(types, records) {
  const counts = Object.entries(types).sort(([, one], [, other]) => other - one);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const words = counts.map(([type, count]) => `${type} ${number(count)}`).join(", ");
  const kinds = [parts(counts.map(([kind, value]) => ({ kind: `type-${kind}`, value }))), el("div", { class: "quiet" }, words)];
  return { kinds, records: records === undefined ? total : Math.max(records, total), values: total - (types.null ?? 0) };
}

function typeName({ type, format, physical_type: physical, logical_type: logical }) {
  return [type ?? logical ?? physical, format && format !== "default" ? format : null].filter(Boolean).join(" ");
}

function filled({ records, values }) {
  if (!records || values === undefined) return "";
  const share = values / records;
  const empty = records - values;
  return [bar(share), el("span", { class: "quiet" }, empty ? `${portion(share)} · ${t("profile.empty", { count: empty, number: number(empty) })}` : portion(share))];
}

function range({ type, minimum, mean, maximum, histogram: bins }) {
  if (minimum === undefined || maximum === undefined) return null;
  const [least, middle, greatest] = [minimum, mean, maximum].map((text) => (text === undefined ? null : Number(text)));
  return [bins ? spreadOf(bins) : middle !== null && greatest > least ? spread((middle - least) / (greatest - least)) : null,
    el("div", {}, minimum === maximum ? value(type, minimum) : `${value(type, minimum)} … ${value(type, maximum)}`),
    mean === undefined ? null : el("div", { class: "quiet" }, t("profile.mean", { mean: rounded(mean) }))];
}

/** A bar for each bin. Widths are numbers, or a unit of time. */
function spreadOf({ begin, width, counts }) {
  const isNumber = Number.isFinite(Number(width));
  const wide = isNumber ? decimal(width) : t(`profile.width.${width}`);
  const title = t("profile.spread", { count: counts.length, number: number(counts.length), width: wide, begin: isNumber ? decimal(begin) : begin });
  const at = (index) => (isNumber ? decimal(String(Number((Number(begin) + index * Number(width)).toPrecision(15)))) : momentOf(begin, width, index));
  return histogram(counts, { title, told: (count, index) => t("profile.bin", { begin: at(index), width: wide, number: number(count) }) });
}

/** Where a bin of hours, days, months or years begins, so many after the first. */
function momentOf(begin, width, index) {
  const years = { year: 1, decade: 10, century: 100 }[width];
  if (years) return String(Number(begin) + index * years).padStart(4, "0");
  if (width === "month") {
    const months = Number(begin.slice(0, 4)) * 12 + Number(begin.slice(5)) - 1 + index;
    return `${String(Math.floor(months / 12)).padStart(4, "0")}-${String((months % 12) + 1).padStart(2, "0")}`;
  }
  if (!begin.includes("-")) return `${String(Number(begin.slice(0, 2)) + index).padStart(2, "0")}:00`;
  const first = Date.parse(width === "day" ? `${begin}T00:00Z` : `${begin}Z`);
  const iso = new Date(first + index * (width === "day" ? 86_400_000 : 3_600_000)).toISOString();
  return width === "day" ? day(iso.slice(0, 10)) : iso.slice(0, 16).replace("T", " ");
}

function value(type, text) {
  if (type === "integer" || type === "number") return decimal(text);
  return type === "date" ? day(text) : text;
}

function length({ type, longest }) {
  if (type !== "string" || !longest) return null;
  return el("div", { class: "quiet" }, t("profile.longest", { count: longest, number: number(longest) }));
}

/** The values that are there most often, where a contract lets them be told. */
function common({ common: values }) {
  if (!values?.length) return null;
  const most = Math.max(...values.map((one) => one.count));
  return el("ul", { class: "common", "aria-label": t("profile.common") }, values.map((one) => el("li", {},
    el("span", { dir: "auto" }, one.value), bar(one.count / most), el("span", { class: "quiet" }, number(one.count)))));
}

function distinct({ distinct: count }, { values }) {
  if (count === undefined) return "";
  return [number(count), values ? bar(count / values) : null];
}
