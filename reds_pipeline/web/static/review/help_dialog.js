/**
 * The help: which keys there are.
 *
 * What belongs here: the dialog, filled from the table of keys. What does not: that table
 * (keyboard.js).
 */

import { find, make } from "./elements.js";
import { KEY_HELP } from "./keyboard.js";

/** @param {string[]} classes in the order of their number keys. */
export function connectHelp(classes) {
  const rows = KEY_HELP.map(([keys, meaning]) =>
    make("tr", {}, make("th", { scope: "row" }, keys), make("td", {}, meaning)),
  );
  find("help-keys").replaceChildren(...rows);
  const numbered = classes.slice(0, 9).map((name, index) => `${index + 1} ${name}`);
  find("help-classes").textContent = `Classes: ${numbered.join(", ")}.`;
  find("help-open").addEventListener("click", openHelp);
}

export function openHelp() {
  find("help").showModal();
}
