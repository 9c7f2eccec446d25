// Numbers, sizes and times as the reader's language writes them.

let locale = "en";

/** From now on, in this language (a BCP 47 tag). */
export function speak(tag) {
  locale = tag;
}

export function number(value, options = {}) {
  return new Intl.NumberFormat(locale, options).format(value);
}

/** A number that is written out, with all of its digits. */
export function decimal(text) {
  return /^-?\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? number(text, { maximumFractionDigits: 20 }) : text;
}

/** The same with as many digits as tell something. */
export function rounded(text) {
  return /^-?\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? number(text, { maximumSignificantDigits: 7 }) : text;
}

/** A date without a time (ISO 8601), which is the same day everywhere. */
export function day(iso) {
  const date = new Date(`${iso}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? iso : new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }).format(date);
}

export function compact(value) {
  return value < 10_000 ? number(value) : number(value, { notation: "compact", maximumFractionDigits: 1 });
}

export function percent(share) {
  return number(share, { style: "percent", maximumFractionDigits: share > 0 && share < 0.1 ? 1 : 0 });
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** A number of bytes, in units of 1000. */
export function size(bytes) {
  const step = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const digits = step === 0 ? 0 : 1;
  return number(bytes / 1000 ** step, {
    style: "unit", unit: UNITS[step], unitDisplay: step === 0 ? "long" : "short", maximumFractionDigits: digits,
  });
}

/** A span of milliseconds. */
export function duration(milliseconds) {
  const unit = milliseconds < 1000 ? "millisecond" : milliseconds < 120_000 ? "second" : "minute";
  const length = { millisecond: 1, second: 1000, minute: 60_000 }[unit];
  const digits = unit === "second" ? 1 : 0;
  return number(milliseconds / length, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits });
}

/** A moment (ISO 8601) in the reader's time zone. */
export function moment(iso, style = { dateStyle: "medium", timeStyle: "medium" }) {
  return new Intl.DateTimeFormat(locale, style).format(new Date(iso));
}

const AGO = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** How long ago a moment is, in words. */
export function ago(iso, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  const [unit, length] = AGO.find(([, each]) => seconds >= each) ?? AGO[3];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-Math.floor(seconds / length), unit);
}
