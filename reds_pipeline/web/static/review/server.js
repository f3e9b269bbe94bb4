/**
 * What the page asks of the server.
 *
 * What belongs here: one function a request, and errors that carry the server's own sentence. What
 * does not: when to ask again (outbox.js).
 */

const TIMEOUT_MS = 30_000;

/** Answers after which the same request may succeed: signed out, slow, too often. */
const PASSING = [401, 408, 429];

/** An answer that will not change by asking again; `message` is the server's sentence. */
export class Refused extends Error {}

/** No answer, or none that counts: asking again later may help. */
export class Unreachable extends Error {}

/** @returns {Promise<object>} the gallery, see the module review_routes.py of the server. */
export async function fetchGallery() {
  return request("/review/api/gallery", { headers: { Accept: "application/json" } });
}

/**
 * Record decisions; sending a batch twice records it once.
 *
 * @param {string} batch
 * @param {{id: string, verdict: string, label: string}[]} decisions
 * @returns {Promise<{progress: {decided: number, total: number}}>}
 */
export async function sendDecisions(batch, decisions) {
  return request("/review/api/decisions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ batch, decisions }),
  });
}

/** @returns {Promise<{changed: {id: string, decision: string, label: string}[]}>} */
export async function undoLast() {
  return request("/review/api/undo", { method: "POST" });
}

/** @param {File} file @returns {Promise<{sentence: string}>} */
export async function importDecisions(file) {
  const form = new FormData();
  form.set("file", file);
  return request("/review/api/import", { method: "POST", body: form });
}

/** @param {string} id @param {number} side @returns {string} */
export function thumbnailAddress(id, side) {
  return `/review/thumbnails/${id}?side=${side}`;
}

/** @param {string} id @returns {string} */
export function pictureAddress(id) {
  return `/review/pictures/${id}`;
}

async function request(address, options) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = { ...options.headers, ...ofThisSession() };
  let response;
  try {
    response = await fetch(address, { ...options, headers, signal });
  } catch {
    throw new Unreachable("The server does not answer.");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) {
    return answer;
  }
  const sentence = answer?.sentence ?? `The server answered with error ${response.status}.`;
  const mayChange = response.ok || response.status >= 500 || PASSING.includes(response.status);
  throw mayChange ? new Unreachable(sentence) : new Refused(sentence);
}

/** @returns {object} what proves that this page was served to whoever is signed in, if anybody. */
function ofThisSession() {
  const token = document.querySelector('meta[name="form-token"]')?.content;
  return token ? { "X-Form-Token": token } : {};
}
