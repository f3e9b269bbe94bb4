/**
 * The grid: only the rows near the window exist, however many pictures there are.
 *
 * What belongs here: measuring, making and removing rows, scrolling to a picture, focus. What does
 * not: arithmetic (layout.js), a cell's inside (cell.js), what keys and clicks do (review.js).
 *
 * The grid follows the WAI-ARIA pattern of that name: one stop of the Tab key, arrows inside, and
 * row and column numbers that tell how much there is beyond the rows that exist.
 */

import { Cell } from "./cell.js";
import { make } from "./elements.js";
import { columnsFor, layOut, positionBelow, REPORT_COLUMNS, rowAt } from "./layout.js";
import { pictureCount } from "./wording.js";

/** Rows are made this many window heights before they come into view. */
const MARGIN_WINDOWS = 0.75;
/** A row that is scrolled by faster than this asks for no thumbnails. */
const SETTLE_MS = 60;
/** Below this width in pixels a cell has room for its number only. */
const SMALL_CELL = 120;
const NOTHING = { columns: 1, rowHeight: 1, headingHeight: 1, grouped: false };

export class Grid {
  #element;
  #look;
  #obscured;
  #shown = [];
  #how = { side: 0, five: false, grouped: false };
  #layout = layOut([], NOTHING);
  #laidOut = [];
  #rows = new Map();
  #spareCells = [];
  #current = 0;
  #cellWidth = 0;
  #measuredWidth = 0;
  #top = 0;
  #frame = null;

  /**
   * @param {HTMLElement} element
   * @param {{isSelected: (id: string) => boolean, isVeiled: (picture: object) => boolean}} look
   *   what a cell shows beyond its picture.
   * @param {() => {top: number, bottom: number}} obscured pixels of the window that bars cover.
   */
  constructor(element, look, obscured) {
    this.#element = element;
    this.#look = look;
    this.#obscured = obscured;
    addEventListener("scroll", () => this.#schedule(), { passive: true });
    element.addEventListener("focusin", (event) => this.#follow(event));
    // Whatever changes the page's height above the grid, or the grid's width, moves the rows.
    const observer = new ResizeObserver(() => this.#measureAgain());
    observer.observe(document.body);
    observer.observe(element);
  }

  /** @returns {object | undefined} the picture on which keys act. */
  get current() {
    return this.#shown[this.#current];
  }

  /** @returns {number} its position among those shown. */
  get position() {
    return this.#current;
  }

  /**
   * Show other pictures, or the same ones otherwise.
   *
   * @param {object[]} pictures in their order.
   * @param {{side: number, five: boolean, grouped: boolean}} how
   * @param {{fromStart?: boolean}} options `fromStart` goes back to the first picture.
   */
  display(pictures, how, { fromStart = false } = {}) {
    const currentId = this.current?.id;
    this.#shown = pictures;
    this.#how = how;
    const position = pictures.findIndex(({ id }) => id === currentId);
    this.#current = fromStart ? 0 : Math.max(0, position);
    this.#element.classList.toggle("five", how.five);
    this.#arrange(fromStart);
  }

  /** Bring the cells that exist up to date. */
  refresh() {
    for (const [index, row] of this.#rows) {
      this.#updateRow(index, row);
    }
  }

  /**
   * Move to a picture.
   *
   * @param {number} position
   * @param {{focus?: boolean, scroll?: boolean}} options whether the keyboard and the window go
   *   there too.
   */
  moveTo(position, { focus = true, scroll = true } = {}) {
    if (this.#shown.length === 0) {
      return;
    }
    this.#current = Math.min(Math.max(0, position), this.#shown.length - 1);
    if (scroll) {
      this.reveal();
    }
    this.#draw();
    this.refresh();
    if (focus) {
      this.focus();
    }
  }

  /** Scroll so that the picture on which keys act is in view, if it is not. */
  reveal() {
    if (this.#shown.length > 0) {
      this.#scrollTo(this.#layout.rows[this.#layout.rowOf[this.#current]]);
    }
  }

  /** @param {string} where see `MOVES` in keyboard.js. @returns {number} the position there. */
  neighbour(where) {
    const last = this.#shown.length - 1;
    if (last < 0) {
      return 0;
    }
    const rowHeight = this.#layout.rows[this.#layout.rowOf[this.#current]].height;
    const page = Math.max(1, Math.floor(innerHeight / rowHeight) - 1);
    const below = (steps) => positionBelow(this.#layout, this.#current, steps);
    const targets = {
      left: this.#current - 1,
      right: this.#current + 1,
      up: below(-1),
      down: below(1),
      "page-up": below(-page),
      "page-down": below(page),
      first: 0,
      last,
    };
    return Math.min(Math.max(0, targets[where]), last);
  }

  /** Put the keyboard into the grid. */
  focus() {
    this.#element.querySelector('[role="gridcell"][tabindex="0"]')?.focus({ preventScroll: true });
  }

  /** Screen readers and clicks put the focus on a cell without asking for a move. */
  #follow(event) {
    const id = event.target.closest("[role=gridcell]")?.dataset.id;
    if (id !== undefined && id !== this.current?.id) {
      this.#current = this.#shown.findIndex((picture) => picture.id === id);
      this.refresh();
    }
  }

  #arrange(fromStart) {
    const focused = this.#element.contains(document.activeElement);
    // What is at the top of the view stays there when the size changes.
    const anchor = fromStart ? null : this.#firstVisible();
    for (const [index, row] of this.#rows) {
      this.#removeRow(index, row);
    }
    const measures = this.#measure();
    this.#layout = layOut(this.#shown, measures);
    this.#laidOut = this.#shown;
    this.#element.style.height = `${this.#layout.height}px`;
    this.#element.setAttribute("aria-rowcount", String(this.#layout.rows.length));
    this.#element.setAttribute("aria-colcount", String(measures.columns));
    this.#scrollBack(anchor, fromStart);
    this.#draw({ atOnce: true });
    if (focused) {
      this.focus();
    }
  }

  #firstVisible() {
    const offset = scrollY + this.#obscured().top - this.#top;
    if (offset <= 0 || this.#layout.rows.length === 0) {
      return null;
    }
    const row = this.#layout.rows[rowAt(this.#layout.rows, offset)];
    return { id: this.#laidOut[row.first].id, distance: this.#top + row.top - scrollY };
  }

  #scrollBack(anchor, fromStart) {
    if (fromStart) {
      const start = Math.max(0, this.#top - this.#obscured().top - 8);
      scrollTo({ top: Math.min(scrollY, start), behavior: "instant" });
      return;
    }
    const position = this.#shown.findIndex(({ id }) => id === anchor?.id);
    if (position >= 0) {
      const row = this.#layout.rows[this.#layout.rowOf[position]];
      scrollTo({ top: this.#top + row.top - anchor.distance, behavior: "instant" });
    }
  }

  #measureAgain() {
    this.#top = this.#element.getBoundingClientRect().top + scrollY;
    if (this.#element.clientWidth !== this.#measuredWidth && this.#shown.length > 0) {
      this.#arrange(false);
    } else {
      this.#schedule();
    }
  }

  #measure() {
    const { side, five, grouped } = this.#how;
    const width = this.#element.clientWidth;
    const gap = parseFloat(getComputedStyle(this.#element).getPropertyValue("--gap"));
    const columns = five ? REPORT_COLUMNS : columnsFor(width, side, gap);
    this.#measuredWidth = width;
    this.#cellWidth = (width - gap * (columns - 1)) / columns;
    this.#element.classList.toggle("small", this.#cellWidth < SMALL_CELL);
    this.#element.style.setProperty("--columns", String(columns));
    this.#element.style.setProperty("--cell-width", `${this.#cellWidth}px`);
    const [cellHeight, headingHeight] = this.#probe();
    this.#top = this.#element.getBoundingClientRect().top + scrollY;
    return { columns, rowHeight: cellHeight + gap, headingHeight: headingHeight + gap, grouped };
  }

  /** The heights that the browser gives a cell and a heading at this width and text size. */
  #probe() {
    if (this.#shown.length === 0) {
      return [1, 1];
    }
    const row = make("div", { className: "row probe", "aria-hidden": "true" });
    this.#element.append(row);
    const cell = this.#cell();
    cell.update(
      { ...this.#shown[0], decision: "keep", keeper: true },
      { column: 1, selected: false, current: false, veiled: false, grouped: this.#how.grouped },
    );
    row.append(cell.element);
    const cellHeight = row.getBoundingClientRect().height;
    this.#release(cell);
    row.append(heading(this.#shown.length));
    const headingHeight = row.getBoundingClientRect().height;
    row.remove();
    return [Math.ceil(cellHeight), Math.ceil(headingHeight)];
  }

  #schedule() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#draw();
    });
  }

  #draw({ atOnce = false } = {}) {
    const { rows, rowOf } = this.#layout;
    if (rows.length === 0) {
      return;
    }
    const margin = innerHeight * MARGIN_WINDOWS;
    const first = rowAt(rows, scrollY - this.#top - margin);
    const last = rowAt(rows, scrollY - this.#top + innerHeight + margin);
    // The row with the keyboard in it stays: removing it would throw the focus out of the grid.
    const held = rowOf[this.#current];
    for (const [index, row] of this.#rows) {
      if ((index < first || index > last) && index !== held) {
        this.#removeRow(index, row);
      }
    }
    for (let index = first; index <= last; index += 1) {
      this.#makeRow(index, atOnce);
    }
    this.#makeRow(held, atOnce);
  }

  #makeRow(index, atOnce) {
    if (this.#rows.has(index)) {
      return;
    }
    const place = this.#layout.rows[index];
    const element = make("div", { className: "row", role: "row", "aria-rowindex": index + 1 });
    element.style.transform = `translateY(${place.top}px)`;
    const row = { element, cells: [], timer: null };
    if (place.heading) {
      element.append(heading(place.last - place.first));
    } else {
      for (let position = place.first; position < place.last; position += 1) {
        row.cells.push(this.#cell());
      }
      element.append(...row.cells.map((cell) => cell.element));
    }
    this.#rows.set(index, row);
    this.#updateRow(index, row);
    this.#insertInOrder(index, element);
    const load = () => row.cells.forEach((cell) => cell.load(this.#cellWidth));
    if (atOnce) {
      load();
    } else {
      row.timer = setTimeout(load, SETTLE_MS);
    }
  }

  /** Screen readers read the elements in their order, whichever way they were scrolled to. */
  #insertInOrder(index, element) {
    let next = null;
    let nextIndex = Infinity;
    for (const [other, row] of this.#rows) {
      if (other > index && other < nextIndex) {
        nextIndex = other;
        next = row.element;
      }
    }
    this.#element.insertBefore(element, next);
  }

  #updateRow(index, row) {
    const { first } = this.#layout.rows[index];
    row.cells.forEach((cell, column) => {
      const picture = this.#shown[first + column];
      cell.update(picture, {
        column: column + 1,
        selected: this.#look.isSelected(picture.id),
        current: first + column === this.#current,
        veiled: this.#look.isVeiled(picture),
        grouped: this.#how.grouped,
      });
    });
  }

  #removeRow(index, row) {
    clearTimeout(row.timer);
    row.cells.forEach((cell) => this.#release(cell));
    row.element.remove();
    this.#rows.delete(index);
  }

  #cell() {
    return this.#spareCells.pop() ?? new Cell();
  }

  #release(cell) {
    cell.release();
    this.#spareCells.push(cell);
  }

  #scrollTo(row) {
    const { top, bottom } = this.#obscured();
    const start = this.#top + row.top;
    const end = start + row.height;
    if (start < scrollY + top || row.height > innerHeight - top - bottom) {
      scrollTo({ top: start - top - 8, behavior: "instant" });
    } else if (end > scrollY + innerHeight - bottom) {
      scrollTo({ top: end - innerHeight + bottom, behavior: "instant" });
    }
  }
}

function heading(count) {
  const text = `${pictureCount(count)} that look the same`;
  return make("div", { className: "group-heading", role: "gridcell" }, text);
}
