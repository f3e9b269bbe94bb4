/**
 * Cards that the server did not make: a photo that waits, and one that could not be sent.
 *
 * What belongs here: their elements. What does not: cards with tags (templates of the server).
 */

import { make } from "../review/elements.js";

/** @param {File} file @param {string} place @returns {HTMLElement} */
export function waitingCard(file, place) {
  const name = `Looking at ${file.name || "the photo"} …`;
  return make(
    "article",
    { className: "card panel" },
    ...placeOf(place),
    make(
      "div",
      { className: "working" },
      make("progress", { "aria-label": name }),
      make("span", { textContent: name }),
    ),
  );
}

/** @param {string} place @param {string} sentence @returns {HTMLElement} */
export function problemCard(place, sentence) {
  return make(
    "article",
    { className: "card panel failed" },
    ...placeOf(place),
    make("h2", { className: "card-title", textContent: "No tags", tabIndex: -1 }),
    make("p", { className: "problem", textContent: sentence }),
  );
}

function placeOf(place) {
  return place ? [make("p", { className: "place", textContent: place })] : [];
}
