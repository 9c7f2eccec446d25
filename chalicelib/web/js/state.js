// What is shown lives in the address: it can be sent to somebody, and Back goes back.

export const FILTERS = ["status", "cause", "source", "from", "to", "format", "contract", "finding", "prefix", "search", "sha256"];

const listeners = new Set();

/** The filters and the open receipt, as the address says them. */
export function state() {
  const parameters = new URL(location.href).searchParams;
  const filters = Object.fromEntries(FILTERS.filter((name) => parameters.get(name)).map((name) => [name, parameters.get(name)]));
  return { filters, receipt: parameters.get("receipt"), period: parameters.get("period") ?? "24h" };
}

/** Changes some of it; null takes a value away. `replace` makes no step for Back. */
export function change(values, { replace = false } = {}) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  if (url.href === location.href) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  tell();
}

/** All filters but these are taken away. */
export function filterOnly(values) {
  change({ ...Object.fromEntries(FILTERS.map((name) => [name, null])), ...values });
}

export function onChange(listener) {
  listeners.add(listener);
}

function tell() {
  for (const listener of listeners) listener(state());
}

window.addEventListener("popstate", tell);
