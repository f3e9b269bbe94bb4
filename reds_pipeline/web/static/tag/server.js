/**
 * What the page asks of the server.
 *
 * What belongs here: one function a request; each answers with elements or a sentence, never with
 * an exception. What does not: what becomes of them.
 */

// Longer than the server waits for a photo that comes through a slow line.
const TIMEOUT_MS = 360_000;
const UNREACHABLE =
  "The server does not answer; see whether you are online, then try again.";
const UNREADABLE =
  "The file cannot be read any more; it was moved, changed or deleted, so choose it again.";
// Asking again later may help: too slow, too often, away.
const MAY_CHANGE = [408, 429, 502, 503, 504];

/**
 * Have a photo tagged.
 *
 * @param {FormData} body with one photo.
 * @returns {Promise<{card: HTMLElement | null, mayRetry: boolean, sentence: string}>} the card, or
 *   a sentence where the server sent none.
 */
export async function sendPhoto(body) {
  // Otherwise it would look as if the server were away.
  if (!(await isReadable(body.get("photos")))) {
    return { card: null, mayRetry: false, sentence: UNREADABLE };
  }
  const { html, sentence, status } = await post("/tag?fragment=1", body);
  const mayRetry = status === 0 || MAY_CHANGE.includes(status);
  return { card: html?.querySelector(".card") ?? null, mayRetry, sentence };
}

/**
 * Ask for a part of a card.
 *
 * @param {string} address
 * @param {FormData} body with the photo once more, because the server has not kept it.
 * @returns {Promise<{html: DocumentFragment | null, sentence: string}>}
 */
export async function askForPart(address, body) {
  if (!(await isReadable(body.get("photos")))) {
    return { html: null, sentence: UNREADABLE };
  }
  return post(address, body);
}

/**
 * Send what a person says about the tags of a photo.
 *
 * @param {URLSearchParams} body
 * @returns {Promise<{sentence: string, isDone: boolean}>}
 */
export async function sendFeedback(body) {
  const { sentence, status } = await post("/feedback", body, "application/json");
  return { sentence, isDone: status >= 200 && status < 300 };
}

async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function post(address, body, accept = "application/json, text/html") {
  let response;
  let text;
  try {
    response = await fetch(address, {
      method: "POST",
      body,
      headers: { Accept: accept },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch {
    return { html: null, sentence: UNREACHABLE, status: 0 };
  }
  if (response.headers.get("Content-Type")?.startsWith("text/html")) {
    const template = document.createElement("template");
    template.innerHTML = text;
    return { html: template.content, sentence: "", status: response.status };
  }
  return { html: null, sentence: sentenceIn(text, response.status), status: response.status };
}

function sentenceIn(text, status) {
  try {
    return JSON.parse(text).sentence ?? `The server answered with error ${status}.`;
  } catch {
    return `The server answered with error ${status}; try again in a while.`;
  }
}
