/**
 * The controls above the grid: filters, order, size, switches.
 *
 * What belongs here: reading and drawing the controls. What does not: what filters mean
 * (filters.js) and what follows from a change (review.js).
 */

import { fillSelect, find, write } from "./elements.js";
import { reasonCounts } from "./filters.js";
import { reasonWords } from "./wording.js";

const FILTER_CONTROLS = ["class", "state", "reason", "decision", "suspicion", "sort", "view"];

export class Toolbar {
  #changed;

  /**
   * @param {{filters: (filters: object) => void, preferences: (preferences: object) => void,
   *   unveilAll: (on: boolean) => void}} changed what to call when a person changes something.
   */
  constructor(changed) {
    this.#changed = changed;
    for (const name of FILTER_CONTROLS) {
      find(`filter-${name}`).addEventListener("change", () => changed.filters(this.filters()));
    }
    find("side").addEventListener("input", () => changed.preferences(this.preferences()));
    find("five").addEventListener("change", () => changed.preferences(this.preferences()));
    find("letters").addEventListener("change", () => changed.preferences(this.preferences()));
    find("unveil-all").addEventListener("change", (event) =>
      changed.unveilAll(event.target.checked),
    );
    // On a phone the controls would fill the first screen; there one asks for them.
    find("controls").open = matchMedia("(min-width: 48rem) and (min-height: 30rem)").matches;
  }

  /** @returns {object} filters as they are set. */
  filters() {
    return Object.fromEntries(
      FILTER_CONTROLS.map((name) => [name, find(`filter-${name}`).value]),
    );
  }

  /** @returns {object} preferences as they are set. */
  preferences() {
    return {
      side: Number(find("side").value),
      five: find("five").checked,
      letters: find("letters").checked,
    };
  }

  /**
   * @param {object} filters
   * @param {import("./collection.js").Collection} collection
   */
  drawFilters(filters, collection) {
    const classes = collection.classes.map((name) => [name, name]);
    const reasons = reasonCounts(collection.pictures);
    fillSelect(find("filter-class"), [["", "all classes"], ...classes], filters.class);
    fillSelect(
      find("filter-reason"),
      [
        ["", "any"],
        ...reasons.map(([name, count]) => [name, `${reasonWords(name)} (${count})`]),
      ],
      filters.reason,
    );
    for (const name of ["state", "decision", "suspicion", "sort", "view"]) {
      find(`filter-${name}`).value = filters[name];
    }
    find("filter-decision").disabled = filters.state === "quarantine";
  }

  /** @param {object} preferences */
  drawPreferences({ side, five, letters }) {
    find("side").value = String(side);
    find("side").disabled = five;
    find("five").checked = five;
    find("letters").checked = letters;
  }

  /** @param {number} blurred how many of those shown are blurred until asked. */
  drawVeil(blurred) {
    write(find("unveil-all-words"), `Show the ${blurred.toLocaleString("en")} blurred`);
    find("unveil-all").disabled = blurred === 0;
  }
}
