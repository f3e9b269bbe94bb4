/**
 * The photos that are chosen and not yet sent.
 *
 * What belongs here: the list with its limits, and what it looks like. What does not: where photos
 * come from (intake.js).
 */

import { make, show } from "../review/elements.js";

const THUMBNAIL = 112;

export class ChosenPhotos {
  #list;
  #problem;
  #limits;
  #changed;
  #files = [];

  /**
   * @param {HTMLElement} list where they are shown.
   * @param {HTMLElement} problem where it is said what could not be taken.
   * @param {{photos: number, bytes: number}} limits
   * @param {(count: number) => void} changed called with how many there are.
   */
  constructor(list, problem, limits, changed) {
    this.#list = list;
    this.#problem = problem;
    this.#limits = limits;
    this.#changed = changed;
  }

  /** @returns {boolean} */
  get isEmpty() {
    return this.#files.length === 0;
  }

  /** @param {Iterable<File>} files */
  add(files) {
    this.complain("");
    for (const file of files) {
      if (this.#files.length >= this.#limits.photos) {
        this.complain(
          `${this.#limits.photos} photos at once are the most; process these, then the others.`,
        );
        break;
      }
      if (file.size > this.#limits.bytes) {
        const most = Math.floor(this.#limits.bytes / 1_000_000);
        this.complain(`${file.name} is larger than ${most} MB; save it smaller.`);
        continue;
      }
      this.#files.push(file);
      this.#list.append(this.#itemFor(file));
    }
    this.#update();
  }

  /** @returns {File[]} all of them; none is left. */
  takeAll() {
    const files = this.#files;
    this.#files = [];
    this.#list.replaceChildren();
    this.complain("");
    this.#update();
    return files;
  }

  /** @param {string} sentence an empty one takes the last one away. */
  complain(sentence) {
    this.#problem.textContent = sentence;
    show(this.#problem, sentence !== "");
  }

  #itemFor(file) {
    const name = file.name || "Pasted photo";
    const canvas = make("canvas", { width: THUMBNAIL, height: THUMBNAIL, "aria-hidden": "true" });
    const remove = make("button", {
      type: "button",
      className: "plain",
      textContent: "✕",
      "aria-label": `Remove ${name}`,
    });
    const item = make(
      "li",
      {},
      canvas,
      make(
        "span",
        {},
        make("span", { className: "chosen-name", textContent: name }),
        make("span", { className: "chosen-size", textContent: sizeOf(file) }),
      ),
      remove,
    );
    remove.addEventListener("click", () => {
      const neighbour = item.nextElementSibling ?? item.previousElementSibling;
      this.#files = this.#files.filter((each) => each !== file);
      item.remove();
      this.#update();
      (neighbour?.querySelector("button") ?? document.getElementById("photos")).focus();
    });
    drawThumbnail(canvas, file);
    return item;
  }

  #update() {
    show(this.#list, this.#files.length > 0);
    this.#changed(this.#files.length);
  }
}

/** Draw the middle of a photo; what the browser cannot read stays blank, the server may. */
async function drawThumbnail(canvas, file) {
  try {
    const picture = await createImageBitmap(file);
    const side = Math.min(picture.width, picture.height);
    const left = (picture.width - side) / 2;
    const top = (picture.height - side) / 2;
    const context = canvas.getContext("2d");
    context.drawImage(picture, left, top, side, side, 0, 0, THUMBNAIL, THUMBNAIL);
    picture.close();
  } catch {
    canvas.dataset.blank = "";
  }
}

function sizeOf(file) {
  return file.size < 1_000_000
    ? `${Math.max(1, Math.round(file.size / 1000))} kB`
    : `${(file.size / 1_000_000).toFixed(1)} MB`;
}
