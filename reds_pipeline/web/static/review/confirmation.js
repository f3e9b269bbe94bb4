/**
 * Asking before much is changed at once.
 *
 * What belongs here: the question. What does not: how many are much (review.js).
 */

import { find, write } from "./elements.js";

/**
 * Ask a question.
 *
 * @param {string} question such as "Discard 312 pictures?".
 * @param {string} consequence one sentence about what follows.
 * @param {string} action the words of the button that does it.
 * @returns {Promise<boolean>}
 */
export function confirmed(question, consequence, action) {
  const dialog = find("confirmation");
  write(find("confirmation-question"), question);
  write(find("confirmation-consequence"), consequence);
  write(find("confirmation-action"), action);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
