/**
 * Whether what has been decided is safe with the server.
 *
 * What belongs here: the words about it, "Try now", and the warning before the page closes. What
 * does not: sending (outbox.js).
 */

import { find, show, write } from "./elements.js";

/** @param {import("./outbox.js").Outbox} outbox */
export function watchSaving(outbox) {
  const draw = () => {
    const { waiting, trouble } = outbox;
    const failing = waiting > 0 && trouble !== "";
    find("save-state").dataset.state = failing ? "failing" : waiting > 0 ? "saving" : "saved";
    write(find("save-words"), waiting > 0 ? (failing ? "Not saved" : "Saving …") : "All saved");
    if (!failing && find("save-trouble").contains(document.activeElement)) {
      // The button that was pressed goes away; whoever pressed it must not start from the top.
      find("undo").focus();
    }
    show(find("save-trouble"), failing);
    if (failing) {
      const count = waiting === 1 ? "1 decision is" : `${waiting.toLocaleString("en")} decisions are`;
      write(
        find("save-trouble-words"),
        `${count} not saved yet. ${trouble} They are kept in this browser and sent again by ` +
          "themselves; you can go on.",
      );
    }
  };
  outbox.addEventListener("change", draw);
  find("save-now").addEventListener("click", () => outbox.flush());
  addEventListener("online", () => outbox.flush());
  addEventListener("beforeunload", (event) => {
    if (outbox.waiting > 0) {
      event.preventDefault();
    }
  });
  draw();
}
