/**
 * The bar with what can be done to the selected pictures.
 *
 * What belongs here: its buttons and its count. What does not: the selection (selection.js) and
 * the decisions (review.js).
 */

import { fillSelect, find, show, write } from "./elements.js";

/**
 * @param {{decide: (verdict: string, label?: string) => void, invert: () => void,
 *   selectAll: () => void, clear: () => void}} page
 */
export function connectBulkBar(page) {
  find("bulk-keep").addEventListener("click", () => page.decide("keep"));
  find("bulk-discard").addEventListener("click", () => page.decide("discard"));
  find("bulk-restore").addEventListener("click", () => page.decide("undecided"));
  find("bulk-invert").addEventListener("click", page.invert);
  find("bulk-all").addEventListener("click", page.selectAll);
  find("bulk-clear").addEventListener("click", page.clear);
  find("bulk-label-apply").addEventListener("click", () => {
    const { value } = find("bulk-label");
    if (value !== "") {
      page.decide("label", value);
    }
  });
}

/** @param {string[]} classes in the order of their number keys. */
export function fillLabels(classes) {
  const options = classes.map((name, index) => [name, index < 9 ? `${index + 1} ${name}` : name]);
  fillSelect(find("bulk-label"), [["", "class …"], ...options], "");
}

/**
 * @param {object[]} selected
 */
export function drawBulkBar(selected) {
  show(find("bulk"), selected.length > 0);
  document.body.classList.toggle("selecting", selected.length > 0);
  write(find("bulk-count"), `${selected.length.toLocaleString("en")} selected`);
  show(
    find("bulk-restore"),
    selected.some((picture) => picture.decision !== ""),
  );
  const discarded = selected.length > 0 && selected.every((one) => one.decision === "discard");
  write(find("bulk-restore"), discarded ? "Restore" : "Take back");
}
