// Small pictures in SVG. Each has a title and a table for those who do not see it, and each part of it is a button.

import { el, fill, svg } from "./dom.js";
import { t } from "./language.js";

const WIDTH = 400;
const HEIGHT = 150;
const LEFT = 56;
const BOTTOM = 18;
const TOP = 8;

/**
 * Bars over time, stacked. `rows` are {label, name, parts: [{kind, value, text}]}; `onChoose` gets a row's name.
 */
export function stacked({ title, rows, axis, onChoose }) {
  const most = Math.max(1, ...rows.map((row) => sum(row.parts)));
  const step = (WIDTH - LEFT) / Math.max(1, rows.length);
  const width = Math.max(1, Math.min(24, step * 0.72));
  const bars = rows.map((row, index) => column(row, LEFT + index * step + (step - width) / 2, width, most, onChoose));
  return figure(title, svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "group", "aria-label": title },
    grid(most, axis), bars, labels(rows, step)), rows);
}

/** A line of values over time; where a value is null there is a gap. `rows` are {label, name, value, text}. */
export function line({ title, rows, axis, onChoose }) {
  const values = rows.map((row) => row.value ?? 0);
  const most = Math.max(1, ...values);
  const step = (WIDTH - LEFT) / Math.max(1, rows.length);
  const points = rows.map((row, index) => ({ row, x: LEFT + (index + 0.5) * step, y: height(row.value ?? 0, most) }));
  const known = points.filter((point) => point.row.value !== null && point.row.value !== undefined);
  const path = known.map((point, index) => `${index ? "L" : "M"}${round(point.x)} ${round(point.y)}`).join("");
  return figure(title, svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "group", "aria-label": title },
    grid(most, axis), svg("path", { d: path, class: "line" }),
    known.map((point) => dot(point, onChoose)), labels(rows, step)),
    rows.map((row) => ({ label: row.label, parts: [{ text: row.text }] })));
}

/** Bars side by side with their names. `rows` are {label, name, value, text, kind}. */
export function ranking({ title, rows, onChoose, empty }) {
  const most = Math.max(1e-9, ...rows.map((row) => row.value));
  const items = rows.map((row) => el("li", {},
    el("button", { type: "button", class: "rank", onclick: () => onChoose(row.name) },
      el("span", { class: "rank-name", dir: "auto", title: row.label }, row.label),
      bar(row.value / most, row.kind),
      el("span", { class: "rank-value" }, row.text))));
  return el("figure", { class: "card" }, el("figcaption", {}, title),
    rows.length ? el("ul", { class: "ranking" }, items) : el("p", { class: "quiet" }, empty));
}

/** A bar of that share of its width. */
export function bar(share, kind = "plain") {
  const width = Math.max(0, Math.min(1, share)) * 100;
  return svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" },
    svg("rect", { width: 100, height: 8, rx: 2, class: "bar-back" }),
    svg("rect", { width: round(width), height: 8, rx: 2, class: `fill-${kind}` }));
}

/** A bar made of parts side by side: {kind, value}. */
export function parts(values) {
  const total = Math.max(1, sum(values));
  let x = 0;
  return svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" },
    values.map(({ kind, value }) => {
      const width = (value / total) * 100;
      x += width;
      return svg("rect", { x: round(x - width), width: round(width), height: 8, class: `fill-${kind}` });
    }));
}

/** From least to greatest, and where between them the mean is. */
export function spread(share) {
  const x = round(3 + Math.max(0, Math.min(1, share)) * 94);
  return svg("svg", { viewBox: "0 0 100 10", class: "spread", "aria-hidden": "true" },
    svg("line", { x1: 2, x2: 98, y1: 5, y2: 5, class: "grid" }), [2, 98].map((end) => svg("line", { x1: end, x2: end, y1: 1, y2: 9, class: "end-of" })),
    svg("circle", { cx: x, cy: 5, r: 3, class: "dot" }));
}

/** How values are spread: a bar for each of the counts, and what it says of itself. */
export function histogram(counts, { title, told }) {
  const most = Math.max(1, ...counts);
  const step = 120 / counts.length;
  return svg("svg", { viewBox: "0 0 120 32", preserveAspectRatio: "none", class: "histogram", role: "img", "aria-label": title },
    svg("title", {}, title),
    svg("line", { x1: 0, x2: 120, y1: 31.5, y2: 31.5, class: "grid" }),
    counts.map((count, index) => {
      const tall = count ? Math.max(1, (count / most) * 30) : 0;
      return svg("rect", { x: round(index * step + step * 0.08), y: round(31 - tall), width: round(step * 0.84), height: round(tall), class: "fill-plain" },
        svg("title", {}, told(count, index)));
    }));
}

function column(row, x, width, most, onChoose) {
  let y = HEIGHT - BOTTOM;
  const parts = row.parts.filter((part) => part.value > 0).map((part) => {
    const tall = Math.max(1.5, (part.value / most) * (HEIGHT - BOTTOM - TOP));
    y -= tall;
    return svg("rect", { x: round(x), y: round(y), width: round(width), height: round(tall), class: `fill-${part.kind}` });
  });
  const words = `${row.label}: ${row.parts.map((part) => part.text).join(", ")}`;
  const choose = () => onChoose?.(row.name);
  return svg("g", { class: "column", role: "button", tabindex: 0, "aria-label": words, onclick: choose, onkeydown: pressed(choose) },
    svg("title", {}, words),
    svg("rect", { x: round(x - 2), y: TOP, width: round(width + 4), height: HEIGHT - BOTTOM - TOP, class: "target" }), parts);
}

function dot({ row, x, y }, onChoose) {
  const choose = () => onChoose?.(row.name);
  const words = `${row.label}: ${row.text}`;
  return svg("g", { class: "column", role: "button", tabindex: 0, "aria-label": words, onclick: choose, onkeydown: pressed(choose) },
    svg("title", {}, words), svg("circle", { cx: round(x), cy: round(y), r: 9, class: "target" }),
    svg("circle", { cx: round(x), cy: round(y), r: 2.5, class: "dot" }));
}

function grid(most, axis) {
  return [0, 0.5, 1].map((share) => {
    const y = round(height(share * most, most));
    return [svg("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y, class: "grid" }),
      svg("text", { x: LEFT - 5, y: y + 3, class: "tick", "text-anchor": "end" }, axis(share * most))];
  });
}

function labels(rows, step) {
  const every = Math.ceil(rows.length / 5);
  return rows.map((row, index) => index % every ? null :
    svg("text", { x: round(LEFT + (index + 0.5) * step), y: HEIGHT - 4, class: "tick", "text-anchor": "middle" }, row.short ?? row.label));
}

function figure(title, picture, rows) {
  const table = el("table", {}, el("caption", {}, title),
    rows.map((row) => el("tr", {}, el("th", { scope: "row" }, row.label), row.parts.map((part) => el("td", {}, part.text)))));
  const details = el("details", { class: "as-table" }, el("summary", {}, t("chart.table")), el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }));
  details.addEventListener("toggle", () => fill(details.lastElementChild, details.open ? table : null));
  return el("figure", { class: "card" }, el("figcaption", {}, title), picture, details);
}

function pressed(choose) {
  return (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose();
  };
}

function height(value, most) {
  return HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP);
}

function sum(parts) {
  return parts.reduce((total, part) => total + part.value, 0);
}

function round(value) {
  return Math.round(value * 10) / 10;
}
