/**
 * Saying in a screen reader what has just happened where no focus is.
 *
 * What belongs here: the one message of the page. What does not: what is on screen anyway.
 */

import { find, make } from "../review/elements.js";

/** @param {string} sentence the next one takes its place. */
export function announce(sentence) {
  // A new element each time: the same sentence twice in a row is to be read twice.
  find("announcement").replaceChildren(make("p", { textContent: sentence }));
}
