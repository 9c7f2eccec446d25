// At a glance: what happened in the period, in figures and pictures that filter the list.

import { get } from "./api.js";
import { ranking, stacked, line } from "./charts.js";
import { el, fill, svg } from "./dom.js";
import { ago, compact, duration, moment, number, percent, size } from "./format.js";
import { nameOf, t } from "./language.js";
import { change, filterOnly, state } from "./state.js";
import { trouble } from "./words.js";

export const PERIODS = { "24h": ["hour", 24], "7d": ["day", 7], "30d": ["day", 30] };
const KINDS = ["succeeded", "content", "unavailable", "system"];
const HOUR = 3_600_000;
const LOOK_EVERY = 15_000;

export class Overview {
  constructor(tiles, charts, last) {
    this.tiles = tiles;
    this.last = last;
    this.charts = charts;
    this.timer = null;
  }

  async draw() {
    clearTimeout(this.timer);
    const { period } = state();
    const [by, count] = PERIODS[period] ?? PERIODS["24h"];
    const since = beginning(by, count);
    const asked = (this.asked = Symbol("asked"));
    try {
      const [summary, verification] = await Promise.all([
        get("summary", { by, from: since.toISOString(), utc_offset_minutes: String(-new Date().getTimezoneOffset()) }),
        get("verification").catch(() => null)]);
      if (asked !== this.asked) return;
      this.show(summary, verification, { by });
    } catch (problem) {
      fill(this.tiles, el("p", { class: "alert", role: "alert" }, trouble(problem)));
      fill(this.charts, this.last);
    }
    this.timer = setTimeout(() => document.hidden || this.draw(), LOOK_EVERY);
  }

  /** Soon, because something has arrived. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), 400);
  }

  show(summary, verification, period) {
    const latencies = new Map(summary.newest.groups.map((group) => [Date.parse(group.at), group.latency_ms]));
    const slots = summary.groups.map((group) => slotOf({ ...group, latency_ms: latencies.get(Date.parse(group.at)) }, period));
    fill(this.tiles, tiles(summary, verification));
    fill(this.charts, outcomes(slots, period), volume(slots, period), codes(summary), sources(summary), latency(slots, period), this.last);
  }
}

function beginning(by, count) {
  const now = new Date();
  if (by === "hour") return new Date(Math.floor(now / HOUR) * HOUR - (count - 1) * HOUR);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - (count - 1));
}

/** An hour or a day with its beginning and end. */
function slotOf(group, { by }) {
  const start = new Date(group.at);
  const end = by === "hour" ? new Date(start.getTime() + HOUR) : new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1);
  return { ...group, start, end };
}

function tiles(summary, verification) {
  const { total, newest } = summary;
  const { failed } = total;
  return [
    tile("uploads", number(total.uploads)),
    tile("failed", total.uploads ? percent(failed / total.uploads) : "–", { note: t("tile.failed.note", { count: failed, number: number(failed) }), kind: failed ? "failed" : "", onChoose: () => filterOnly({ status: "failed" }) }),
    tile("volume", size(total.bytes), { note: t("count.records", { count: total.records, number: compact(total.records) }) }),
    tile("latency", newest.latency_ms ? duration(newest.latency_ms.median) : "–", { note: newest.latency_ms ? t("tile.latency.note", { worst: duration(newest.latency_ms.max) }) : null }),
    unfinished(verification),
    sealed(verification)];
}

function tile(name, figure, { note, kind = "", onChoose } = {}) {
  const content = [el("span", { class: "quiet" }, t(`tile.${name}`)), el("span", { class: `figure ${kind}` }, figure), note ? el("span", { class: "quiet" }, note) : null];
  return onChoose ? el("button", { type: "button", class: "card tile", onclick: onChoose }, content) : el("div", { class: "card tile" }, content);
}

function unfinished(verification) {
  if (!verification) return tile("unfinished", "–");
  const { due, more_due: isMore } = verification;
  return tile("unfinished", `${number(due)}${isMore ? "+" : ""}`, { note: t("tile.unfinished.note"), kind: due ? "failed" : "" });
}

function sealed(verification) {
  if (!verification) return tile("sealed", "–", { note: t("tile.sealed.unknown") });
  const last = verification.last_seal;
  return tile("sealed", last ? ago(last.sealed_at) : t("tile.sealed.none"), { note: last ? t(`anchor.${verification.anchor?.split(":")[0] ?? "none"}`) : t("tile.sealed.soon") });
}

function named(slot, { by }) {
  const short = by === "hour" ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" };
  return { label: moment(slot.start, by === "hour" ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium" }), short: moment(slot.start, short), name: slot };
}

function during(slot) {
  filterOnly({ from: slot.start.toISOString(), to: slot.end.toISOString() });
}

function outcomes(slots, period) {
  const rows = slots.map((slot) => ({ ...named(slot, period), parts: KINDS.map((kind) => {
    const value = kind === "succeeded" ? slot.succeeded : slot[`failed_${kind}`];
    return { kind, value, text: `${number(value)} ${t(`kind.${kind}`)}` };
  }) }));
  const picture = stacked({ title: t("chart.outcomes"), rows, axis: wholes, onChoose: during });
  picture.append(el("ul", { class: "legend" }, KINDS.map((kind) => el("li", {}, svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("rect", { width: 10, height: 10, rx: 2, class: `fill-${kind}` })), t(`kind.${kind}`)))));
  return picture;
}

function wholes(value) {
  return Number.isInteger(value) ? compact(value) : "";
}

function volume(slots, period) {
  const rows = slots.map((slot) => ({ ...named(slot, period), parts: [{ kind: "plain", value: slot.bytes, text: size(slot.bytes) }] }));
  return stacked({ title: t("chart.volume"), rows, axis: (value) => size(value), onChoose: during });
}

function latency(slots, period) {
  const rows = slots.map((slot) => ({ ...named(slot, period), value: slot.latency_ms?.median ?? null, text: slot.latency_ms ? duration(slot.latency_ms.median) : "–" }));
  return line({ title: t("chart.latency"), rows, axis: (value) => duration(value), onChoose: during });
}

function codes(summary) {
  const rows = summary.newest.first_findings.map(({ code, receipts }) => ({ name: code, label: nameOf(code), value: receipts, text: number(receipts), kind: "content" }));
  return ranking({ title: t("chart.codes"), rows, onChoose: (finding) => change({ finding }), empty: t("chart.codes.none") });
}

function sources(summary) {
  const rows = summary.sources.map((one) => ({ name: one.source, label: one.source === "/" ? t("source.none") : one.source,
    value: one.uploads ? one.failed / one.uploads : 0, text: `${percent(one.uploads ? one.failed / one.uploads : 0)} · ${number(one.uploads)}`, kind: "content" }));
  return ranking({ title: t("chart.sources"), rows, onChoose: (source) => change({ source }), empty: t("chart.nothing") });
}
