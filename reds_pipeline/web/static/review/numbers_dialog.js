/**
 * Discarding by a typed list of numbers, the way of the source report (R-SCR-9).
 *
 * What belongs here: the dialog, which says what it understood while one types. What does not:
 * reading the list (numbers.js).
 */

import { find, write } from "./elements.js";
import { picturesByNumber } from "./numbers.js";
import { pictureCount } from "./wording.js";

/**
 * @param {{shown: () => object[], select: (ids: string[]) => void,
 *   discard: (ids: string[]) => void}} page
 */
export function connectNumbersDialog(page) {
  const dialog = find("numbers");
  const input = find("numbers-text");
  const understood = () => picturesByNumber(input.value, page.shown());
  const draw = () => {
    const { ids, absent, unreadable } = understood();
    write(find("numbers-understood"), numbersSentence(ids.length, absent, unreadable));
    find("numbers-select").disabled = ids.length === 0;
    find("numbers-discard").disabled = ids.length === 0;
  };
  input.addEventListener("input", draw);
  find("numbers-open").addEventListener("click", () => {
    input.value = "";
    draw();
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    const { ids } = understood();
    if (dialog.returnValue === "select") {
      page.select(ids);
    } else if (dialog.returnValue === "discard") {
      page.discard(ids);
    }
    dialog.returnValue = "";
  });
}

/**
 * What was understood of a typed list.
 *
 * @param {number} count pictures found.
 * @param {number[]} absent numbers that are not shown.
 * @param {string[]} unreadable words that are no numbers.
 * @returns {string}
 */
export function numbersSentence(count, absent, unreadable) {
  const parts = [`${pictureCount(count)}.`];
  if (absent.length > 0) {
    parts.push(`Not shown now, so left alone: ${listed(absent)}.`);
  }
  if (unreadable.length > 0) {
    parts.push(`Not understood: ${listed(unreadable)}.`);
  }
  return parts.join(" ");
}

function listed(items) {
  const few = items.slice(0, 5).join(", ");
  return items.length > 5 ? `${few} and ${items.length - 5} more` : few;
}
