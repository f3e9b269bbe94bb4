/**
 * Which pictures are blurred at the moment.
 *
 * What belongs here: what a person has asked to see. What does not: which pictures are blurred to
 * begin with, which the server says.
 */

export class Veil {
  #lifted = new Set();
  /** Whether a person has asked to see them all. */
  all = false;

  /** @param {object} picture @returns {boolean} */
  covers(picture) {
    return picture.blurred && !this.all && !this.#lifted.has(picture.id);
  }

  /** Show one picture, or blur it again. @param {object} picture */
  toggle(picture) {
    if (!this.#lifted.delete(picture.id)) {
      this.#lifted.add(picture.id);
    }
  }
}
