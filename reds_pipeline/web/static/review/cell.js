/**
 * One picture in the grid.
 *
 * What belongs here: the elements of a cell and how they are brought up to date. Cells are used
 * again for other pictures, so `update` sets everything. What does not: where cells stand and what
 * a click does (grid.js, commands.js).
 */

import { make, show, write } from "./elements.js";
import { thumbnailAddress } from "./server.js";
import { alternativeText, verdictMark } from "./wording.js";

/** Above this width in pixels of the screen the small thumbnail would look soft. */
const SMALL_THUMBNAIL = 256;
const LARGE_THUMBNAIL = 512;

export class Cell {
  constructor() {
    this.picture = null;
    this.image = make("img", { draggable: false, decoding: "async" });
    this.image.addEventListener("error", () => this.element.classList.add("missing"));
    this.image.addEventListener("load", () => this.element.classList.remove("missing"));
    // Reached by Space, B and Enter from the cell itself: the grid is one stop of the Tab key.
    this.check = make("input", { type: "checkbox", tabIndex: -1, className: "pick" });
    this.unveil = make("button", { type: "button", tabIndex: -1, className: "unveil" }, "Show");
    this.open = make("button", { type: "button", tabIndex: -1, className: "open" }, "⤢");
    this.only = make("button", { type: "button", tabIndex: -1, className: "only" });
    this.only.textContent = "Keep this, discard the rest";
    this.number = make("span", { className: "number" });
    this.classLabel = make("span", { className: "class-name" });
    this.mark = make("span", { className: "mark" });
    this.keeper = make("span", { className: "keeper-why" });
    const frame = make("div", { className: "frame" }, this.image, this.unveil, this.open);
    frame.append(make("label", { className: "pick-area" }, this.check));
    const title = make("p", { className: "title" }, this.number, " ", this.classLabel);
    this.element = make("div", { className: "cell", role: "gridcell", tabIndex: -1 }, frame);
    this.element.append(title, make("p", { className: "marks" }, this.mark), this.keeper, this.only);
  }

  /**
   * Show a picture.
   *
   * @param {object} picture
   * @param {{column: number, selected: boolean, current: boolean, veiled: boolean,
   *   grouped: boolean}} how `current` is where the keys act; `column` counts from 1.
   */
  update(picture, { column, selected, current, veiled, grouped }) {
    const other = this.picture !== picture;
    this.picture = picture;
    const { element } = this;
    element.dataset.id = picture.id;
    element.dataset.decision = picture.decision || "none";
    element.dataset.state = picture.state;
    element.tabIndex = current ? 0 : -1;
    element.setAttribute("aria-selected", String(selected));
    element.setAttribute("aria-colindex", String(column));
    element.classList.toggle("veiled", veiled);
    const suggested = grouped && picture.keeper && picture.decision !== "discard";
    element.classList.toggle("keeper", suggested);
    if (other) {
      // Before the next picture has arrived the last one must not stand under its name.
      this.image.removeAttribute("src");
      element.classList.remove("missing");
      element.title = picture.why;
    }
    const description = alternativeText(picture, veiled);
    this.image.alt = description;
    this.check.checked = selected;
    this.check.setAttribute("aria-label", `Select picture ${picture.number}`);
    this.open.setAttribute("aria-label", `Open picture ${picture.number}`);
    this.unveil.setAttribute("aria-label", `Show picture ${picture.number}`);
    show(this.unveil, veiled);
    write(this.number, String(picture.number));
    const size = `${picture.width} × ${picture.height}`;
    // Beside its copies a picture's size is what people compare first.
    write(this.classLabel, grouped ? `${picture.class} · ${size}` : picture.class);
    const mark = verdictMark(picture);
    write(this.mark, mark.text);
    this.mark.dataset.kind = mark.kind;
    // Without it a cell would be called by all the buttons in it.
    const name = [`${picture.number} ${picture.class}`, mark.text, description];
    element.setAttribute("aria-label", name.filter(Boolean).join(", "));
    show(this.keeper, grouped);
    write(this.keeper, suggested ? `suggested: ${picture.keeper_why || "best copy"}` : "");
    show(this.only, grouped);
    this.only.setAttribute("aria-label", `Keep picture ${picture.number}, discard the rest`);
  }

  /** Fetch the thumbnail. @param {number} width of the cell in pixels of the page. */
  load(width) {
    if (this.picture === null || this.image.hasAttribute("src")) {
      return;
    }
    const needed = width * devicePixelRatio;
    const side = needed > SMALL_THUMBNAIL * 1.25 ? LARGE_THUMBNAIL : SMALL_THUMBNAIL;
    this.image.src = thumbnailAddress(this.picture.id, side);
  }

  /** Stop fetching, and let go of the picture. */
  release() {
    this.image.removeAttribute("src");
    this.picture = null;
    this.element.remove();
  }
}
