// How receipts are told in words: verdicts, places, errors.

import { el } from "./dom.js";
import { number } from "./format.js";
import { has, t } from "./language.js";

const SIGNS = { succeeded: "✓", failed: "✗", inspecting: "…" };

/** The status with its sign; a failure that is not the file's says whose it is. */
export function verdict(receipt) {
  const status = receipt.status ?? receipt.kind;
  const kind = status === "failed" ? receipt.cause ?? "content" : status;
  const name = status === "failed" && kind !== "content" ? `verdict.${kind}` : `verdict.${status}`;
  return el("span", { class: `verdict ${kind}` }, `${SIGNS[status] ?? "·"} `, has(name) ? t(name) : status);
}

/** Where a finding is: row, line, column, field. */
export function place(finding) {
  const parts = ["row", "line", "column"].filter((name) => finding[name] !== undefined && finding[name] !== null)
    .map((name) => t(`place.${name}`, { at: number(finding[name]) }));
  if (finding.field) parts.push(t("place.field", { name: finding.field }));
  return parts.join(" · ");
}

/** What a problem means for a person, and whether a new token would help. */
export function trouble(problem) {
  if (problem.status === 0) return t(navigator.onLine ? "error.unreachable" : "error.offline");
  if (problem.status === 401) return t("error.token");
  if (problem.status === 403) return t("error.scope");
  if (problem.status === 404) return t("error.missing");
  if (problem.status === 429 || problem.status >= 500) return t("error.server");
  return problem.message;
}
