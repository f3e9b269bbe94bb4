/**
 * Which pictures are selected.
 *
 * What belongs here: toggling, ranges, all, none, the rest; by id, so that a selection outlives
 * another order or filter. What does not: where it shows (grid.js, bulk_bar.js).
 */

export class Selection {
  #ids = new Set();
  // A range grows and shrinks from its anchor, on top of what was selected before it began.
  #anchor = null;
  #before = new Set();

  /** @returns {number} */
  get size() {
    return this.#ids.size;
  }

  /** @param {string} id @returns {boolean} */
  has(id) {
    return this.#ids.has(id);
  }

  /** @returns {string[]} */
  ids() {
    return [...this.#ids];
  }

  /** Select one picture more, or one less; ranges begin there from now on. @param {string} id */
  toggle(id) {
    if (!this.#ids.delete(id)) {
      this.#ids.add(id);
    }
    this.beginRange(id);
  }

  /** Say where the next range begins. @param {string} id */
  beginRange(id) {
    this.#anchor = id;
    this.#before = new Set(this.#ids);
  }

  /**
   * Stretch the range from its beginning to a picture.
   *
   * @param {string} id where it ends.
   * @param {{id: string}[]} shown in their order.
   */
  extendTo(id, shown) {
    const end = shown.findIndex((picture) => picture.id === id);
    const anchored = shown.findIndex((picture) => picture.id === this.#anchor);
    const start = anchored < 0 ? end : anchored;
    if (anchored < 0) {
      this.beginRange(id);
    }
    this.#ids = new Set(this.#before);
    for (let index = Math.min(start, end); index <= Math.max(start, end); index += 1) {
      this.#ids.add(shown[index].id);
    }
  }

  /** @param {Iterable<string>} ids the selection from now on. */
  replace(ids) {
    this.#ids = new Set(ids);
    this.#anchor = null;
    this.#before = new Set(this.#ids);
  }

  clear() {
    this.replace([]);
  }

  /** Select what is shown and was not selected, and nothing else. @param {{id: string}[]} shown */
  invert(shown) {
    this.replace(shown.filter((picture) => !this.#ids.has(picture.id)).map(({ id }) => id));
  }

  /** Forget what is no longer shown: nobody decides on what they cannot see. */
  restrictTo(shown) {
    const present = new Set(shown.map(({ id }) => id));
    this.replace(this.ids().filter((id) => present.has(id)));
  }
}
