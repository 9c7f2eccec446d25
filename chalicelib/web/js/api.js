// The API as the page uses it. Every failure is a Problem with a sentence for a person.

const KEPT = "recibo-token";

/** The event by which the page learns that its token is no longer good. */
export const DENIED = "recibo-denied";

/** What went wrong: an HTTP status (0 when no answer came) and the API's own words (RFC 9457), if it had any. */
export class Problem extends Error {
  constructor(status, { title = "", detail = "" } = {}) {
    super(detail || title || `HTTP ${status}`);
    this.status = status;
  }
}

/** Takes a token out of the address, so that it is in no history and no referrer, into the session's storage. */
export function takeToken() {
  const url = new URL(location.href);
  const given = url.searchParams.get("token");
  if (given) {
    sessionStorage.setItem(KEPT, given);
    url.searchParams.delete("token");
    history.replaceState(null, "", url);
  }
}

export function keepToken(token) {
  sessionStorage.setItem(KEPT, token);
}

export function hasToken() {
  return sessionStorage.getItem(KEPT) !== null;
}

const answers = new Map();
const REMEMBERED = 50;

/** GET; what has not changed since it was last asked for is not sent again. */
export async function get(path, parameters = {}, { signal } = {}) {
  const url = address(path, parameters);
  const known = answers.get(url);
  const response = await ask(url, { signal, headers: known ? { "If-None-Match": known.etag } : {} });
  if (response.status === 304 && known) return known.body;
  const body = await bodyOf(response);
  const etag = response.headers.get("ETag");
  if (etag) remember(url, { etag, body });
  return body;
}

/** POST of a JSON value. */
export async function post(path, value = {}) {
  const options = { method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } };
  return bodyOf(await ask(address(path), options));
}

function remember(url, answer) {
  answers.delete(url);
  answers.set(url, answer);
  if (answers.size > REMEMBERED) answers.delete(answers.keys().next().value);
}

function address(path, parameters = {}) {
  const url = new URL(`api/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  return url.href;
}

async function ask(url, { headers = {}, ...options }) {
  const token = sessionStorage.getItem(KEPT);
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};
  try {
    return await fetch(url, { cache: "no-store", ...options, headers: { ...headers, ...authorization } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0);
  }
}

async function bodyOf(response) {
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) dispatchEvent(new Event(DENIED));
  if (!response.ok) throw new Problem(response.status, body);
  return body;
}

/** Sends a file with the form that the API made for it; `onProgress` gets the share that was sent. */
export function send(form, file, onProgress) {
  return new Promise((resolve, reject) => {
    const data = new FormData();
    for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
    data.append("file", file);
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () =>
      request.status < 300 ? resolve() : reject(new Problem(request.status, s3Error(request.responseText))));
    request.addEventListener("error", () => reject(new Problem(0)));
    request.open("POST", form.url);
    request.send(data);
  });
}

/** S3 answers in XML; of that only the code is used. */
function s3Error(text) {
  const code = /<Code>(\w+)<\/Code>/.exec(text ?? "");
  return { title: code ? code[1] : "" };
}
