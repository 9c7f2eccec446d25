// What the page says, in English and in Brazilian Portuguese.

import { speak } from "./format.js";

export const LANGUAGES = { en: "English", "pt-BR": "Português" };
const CHOICE = "recibo-language";

let texts = {};
let findings = { codes: {}, values: {} };
let templates = {};
let current = "en";

/** The language that was chosen, else the first of the browser's that is known. */
export function preferred() {
  const chosen = localStorage.getItem(CHOICE);
  if (chosen in LANGUAGES) return chosen;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("pt")) &&
    !navigator.languages[0].toLowerCase().startsWith("en") ? "pt-BR" : "en";
}

export function language() {
  return current;
}

/** Loads a language and speaks it from now on; `chosen` by a person, it is remembered. */
export async function use(tag, { chosen = false } = {}) {
  const [words, catalogue, translated] = await Promise.all(
    [`i18n/${tag}.json`, "i18n/findings.json", tag === "en" ? null : `i18n/findings.${tag}.json`].map(load));
  texts = words;
  findings = translated ?? { codes: {}, values: {} };
  templates = catalogue;
  current = tag;
  document.documentElement.lang = tag;
  speak(tag);
  if (chosen) localStorage.setItem(CHOICE, tag);
}

async function load(path) {
  if (!path) return null;
  const answer = await fetch(new URL(`../${path}`, import.meta.url));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** The text of that name with its {places} filled; where it has plural forms, that of `values.count`. */
export function t(name, values = {}) {
  const text = texts[name] ?? name;
  const form = typeof text === "string" ? text : text[new Intl.PluralRules(current).select(values.count)] ?? text.other;
  return filled(form, values);
}

/** Whether there is a text of that name. */
export function has(name) {
  return name in texts;
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}

/** What a finding's code is called. */
export function nameOf(code) {
  return findings.codes[code]?.name ?? code;
}

/** A finding as a sentence and its remedy: the receipt's own words, said again in the page's language. */
export function sentence(finding) {
  const translated = findings.codes[finding.code];
  const values = translated && valuesIn(templates[finding.code], finding.message);
  if (!values) return { message: finding.message, fix: "" };
  const said = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, translatedValue(value)]));
  return { message: filled(translated.message, said), fix: translated.fix };
}

/** What the inspector's words say of a rule or a reason, where they are known. */
function translatedValue(value) {
  for (const [original, translated] of Object.entries(findings.values)) {
    const values = valuesIn(original, value, { whole: true });
    if (values) return filled(translated, values);
  }
  return value;
}

/** The values that were filled into a template's {places}; null if the text is not made of it. */
function valuesIn(template, text, { whole = false } = {}) {
  if (!template) return null;
  const seen = new Set();
  const source = template.split(/\{(\w+)[^}]*\}/).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    if (seen.has(part)) return `\\k<${part}>`;
    seen.add(part);
    return `(?<${part}>[^]*?)`;
  });
  const found = new RegExp(`^${source.join("")}${whole ? "" : "(?: [^]*)?"}$`).exec(text);
  return found ? { ...found.groups } : null;
}
