/**
 * Telling everybody what has just happened, on screen and in a screen reader.
 *
 * What belongs here: the one message of the page. What does not: lasting states (save_state.js,
 * progress.js).
 */

import { find, make } from "./elements.js";

const VISIBLE_MS = 8000;
let timer = null;

/**
 * Announce a sentence; the next one takes its place.
 *
 * @param {string} sentence
 */
export function announce(sentence) {
  const region = find("announcement");
  // A new element each time: the same sentence twice in a row is to be read twice.
  region.replaceChildren(make("p", { textContent: sentence }));
  clearTimeout(timer);
  timer = setTimeout(() => region.replaceChildren(), VISIBLE_MS);
}
