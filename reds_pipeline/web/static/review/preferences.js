/**
 * What a person has set the page to, remembered in their browser.
 *
 * What belongs here: size, columns, and whether letters are commands. What does not: filters,
 * which stand in the address, and decisions, which the server keeps.
 */

const KEY = "reds.review.preferences";

/** How the page is for somebody who comes for the first time. */
export const DEFAULT_PREFERENCES = Object.freeze({ side: 180, five: false, letters: true });

/** @returns {typeof DEFAULT_PREFERENCES} */
export function loadPreferences() {
  try {
    return { ...DEFAULT_PREFERENCES, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    // Storage may be forbidden or spoilt; the page works without it.
    return { ...DEFAULT_PREFERENCES };
  }
}

/** @param {typeof DEFAULT_PREFERENCES} preferences */
export function savePreferences(preferences) {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // As above: then they last as long as the page is open.
  }
}
