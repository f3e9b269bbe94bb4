/**
 * How much is decided and how long the rest will take.
 *
 * What belongs here: the bar, its words, and remembering when decisions were made. What does not:
 * the estimate (pace.js).
 */

import { find, show, write } from "./elements.js";
import { minutesLeft, progressSentence } from "./pace.js";
import { waitingWords } from "./wording.js";

/** Long enough to smooth single pictures, short enough to follow a person who gets faster. */
const REMEMBERED = 100;

export class Progress {
  #decisions = [];

  /** Take note of an action. @param {number} count pictures that it decided. */
  note(count) {
    this.#decisions = [...this.#decisions, { at: Date.now(), count }].slice(-REMEMBERED);
  }

  /** @param {import("./collection.js").Collection} collection */
  draw(collection) {
    const bar = find("progress-bar");
    bar.max = Math.max(1, collection.total);
    bar.value = collection.decided;
    const minutes = minutesLeft(this.#decisions, collection.open);
    write(
      find("progress-words"),
      progressSentence(collection.decided, collection.total, minutes),
    );
    const { waiting } = collection;
    write(find("waiting-words"), waitingWords(waiting));
    show(find("waiting-words"), waiting > 0);
    show(find("waiting"), waiting > 0);
    show(find("all-applied"), waiting === 0 && collection.decided > 0);
  }
}
