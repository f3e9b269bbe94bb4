/**
 * The ways in which photos come to the page.
 *
 * What belongs here: choosing, the camera, dropping and pasting. What does not: what becomes of
 * the photos (chosen_photos.js).
 */

import { find, show } from "../review/elements.js";

const NO_PICTURE = "There is no picture to paste; copy one first.";
const NOT_ALLOWED =
  "The browser did not let the page read the clipboard; press Ctrl and V instead.";

/** @param {import("./chosen_photos.js").ChosenPhotos} chosen */
export function connectIntake(chosen) {
  for (const id of ["photos", "camera"]) {
    const input = find(id);
    const take = () => {
      const files = [...input.files];
      // Emptied, so that choosing the same file again is a change, and nothing is sent twice.
      input.value = "";
      chosen.add(files);
    };
    input.addEventListener("change", take);
    // What the browser has brought back after a reload.
    if (input.files.length > 0) {
      take();
    }
  }
  connectDrop(chosen);
  connectPaste(chosen);
}

function connectDrop(chosen) {
  const area = find("drop");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  // On the whole page: a browser would leave it to show what was dropped beside the area.
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) {
      event.preventDefault();
      area.classList.add("over");
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) {
      area.classList.remove("over");
    }
  });
  document.addEventListener("drop", (event) => {
    if (carriesFiles(event)) {
      event.preventDefault();
      area.classList.remove("over");
      chosen.add(event.dataTransfer.files);
      find("process").focus();
    }
  });
}

function connectPaste(chosen) {
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    // Text goes where the cursor is.
    if (files.length > 0) {
      event.preventDefault();
      chosen.add(files);
      find("process").focus();
    }
  });
  const button = find("paste");
  show(button, navigator.clipboard?.read !== undefined);
  button.addEventListener("click", async () => {
    try {
      const files = await filesOf(await navigator.clipboard.read());
      if (files.length > 0) {
        chosen.add(files);
      } else {
        chosen.complain(NO_PICTURE);
      }
    } catch (error) {
      chosen.complain(error.name === "NotAllowedError" ? NOT_ALLOWED : NO_PICTURE);
    }
  });
}

async function filesOf(items) {
  const files = [];
  for (const item of items) {
    const type = item.types.find((each) => each.startsWith("image/"));
    if (type !== undefined) {
      files.push(new File([await item.getType(type)], "Pasted photo", { type }));
    }
  }
  return files;
}
