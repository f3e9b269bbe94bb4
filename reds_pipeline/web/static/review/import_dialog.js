/**
 * Bringing in decisions that were made elsewhere.
 *
 * What belongs here: the dialog and its answer. What does not: reading the file, which the server
 * does.
 */

import { find, write } from "./elements.js";
import { importDecisions } from "./server.js";

/** @param {() => Promise<void>} afterwards called when decisions have come in. */
export function connectImport(afterwards) {
  const dialog = find("import");
  const input = find("import-file");
  const answer = find("import-answer");
  find("import-open").addEventListener("click", () => {
    input.value = "";
    write(answer, "");
    dialog.showModal();
  });
  find("import-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (input.files.length === 0) {
      write(answer, "Choose a file first.");
      return;
    }
    const button = find("import-send");
    button.disabled = true;
    write(answer, "Reading the file …");
    try {
      const { sentence } = await importDecisions(input.files[0]);
      await afterwards();
      write(answer, sentence);
    } catch (error) {
      write(answer, `Nothing was imported. ${error.message}`);
    }
    button.disabled = false;
  });
  find("import-close").addEventListener("click", () => dialog.close());
}
