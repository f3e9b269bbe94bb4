/**
 * The ways in which photos come to the page.
 *
 * What belongs here: choosing, the camera, dropping and pasting. What does not: what becomes of
 * the photos (chosen_photos.js).
 */

import { find, show } from "../review/elements.js";

const NO_PICTURE = "There is no picture to paste; copy one first.";
const FOLDER = "That is a folder; open it and drop the photos in it.";
const LINK = "That is a link, and REDS fetches nothing; save the photo first, then choose the file.";
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
  const carries = (event, type) => event.dataTransfer?.types.includes(type) ?? false;
  const carriesPhotos = (event) => !isOwn && carries(event, "Files");
  // A browser would leave the page, and the answers on it, to follow a link.
  const carriesLink = (event) => !isOwn && carries(event, "text/uri-list");
  // The small copies on the cards can be dragged as well, and are no new photos.
  let isOwn = false;
  document.addEventListener("dragstart", () => {
    isOwn = true;
  });
  document.addEventListener("dragend", () => {
    isOwn = false;
  });
  // On the whole page: a browser would leave it to show what was dropped beside the area.
  document.addEventListener("dragover", (event) => {
    if (carriesPhotos(event) || carriesLink(event)) {
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
    area.classList.remove("over");
    if (carriesPhotos(event)) {
      event.preventDefault();
      const { files, holdsFolder } = filesIn(event.dataTransfer);
      chosen.add(files);
      if (holdsFolder) {
        chosen.complain(FOLDER);
      }
      find("process").focus();
    } else if (carriesLink(event)) {
      event.preventDefault();
      chosen.complain(LINK);
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

/** A folder looks like a file that nobody can read. */
function filesIn(dataTransfer) {
  const items = [...dataTransfer.items].filter((item) => item.kind === "file");
  const isFolder = (item) => item.webkitGetAsEntry?.()?.isDirectory ?? false;
  const files = items.filter((item) => !isFolder(item)).map((item) => item.getAsFile());
  return { files, holdsFolder: files.length < items.length };
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
