/**
 * Decisions on their way to the server.
 *
 * What belongs here: the queue, its copy in the browser's storage, and asking again when the
 * server is away. What does not: how a request is made (server.js), what is shown (save_state.js).
 *
 * A decision leaves the queue only when the server has answered. Until then it is also in the
 * browser's storage, so that neither a closed tab nor a crash loses it; whichever page opens next
 * sends it. Sending twice is harmless: a batch bears a number that the server records once.
 */

import { Unreachable } from "./server.js";

const PREFIX = "reds.review.unsaved.";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Events: "change" when what waits or fails has changed; "saved" (detail: the server's answer);
 * "refused" (detail: the sentence) when the server will not take a batch, which is then dropped.
 */
export class Outbox extends EventTarget {
  #queue = [];
  #sending = false;
  #pass = Promise.resolve();
  #timer = null;
  #wait = FIRST_WAIT_MS;
  #send;
  #storage;

  /**
   * @param {(batch: string, decisions: object[]) => Promise<object>} send
   * @param {Storage} storage
   */
  constructor(send, storage) {
    super();
    this.#send = send;
    this.#storage = storage;
    /** Why the last attempt failed, "" while nothing is wrong. */
    this.trouble = "";
    this.#queue = this.#left();
  }

  /** @returns {number} decisions that the server has not confirmed. */
  get waiting() {
    return this.#queue.reduce((count, { decisions }) => count + decisions.length, 0);
  }

  /** @returns {object[]} those decisions, in the order in which they were made. */
  decisions() {
    return this.#queue.flatMap(({ decisions }) => decisions);
  }

  /**
   * Send decisions, as one batch that one undo takes back.
   *
   * @param {object[]} decisions
   * @param {object[]} before the decisions that put back how it was.
   */
  add(decisions, before) {
    const entry = { batch: newBatch(), at: Date.now(), decisions, before };
    this.#queue.push(entry);
    try {
      this.#storage.setItem(PREFIX + entry.batch, JSON.stringify(entry));
    } catch {
      // Storage is full or forbidden: the page itself still holds it, and warns before it closes.
    }
    this.#changed();
    this.flush();
  }

  /**
   * Take the last batch back if it was not sent yet.
   *
   * @returns {object[] | null} the decisions that put back how it was; null if there is no such
   *   batch, or it is on its way.
   */
  withdrawLast() {
    if (this.#queue.length === 0 || (this.#sending && this.#queue.length === 1)) {
      return null;
    }
    const entry = this.#queue.pop();
    this.#forget(entry);
    this.#changed();
    return entry.before;
  }

  /** Send what waits, now. @returns {Promise<void>} until it is sent, or the server is away. */
  flush() {
    if (!this.#sending) {
      this.#sending = true;
      this.#pass = this.#sendAll();
    }
    return this.#pass;
  }

  /** @returns {Promise<void>} until nothing is on its way any more. */
  settled() {
    return this.#pass;
  }

  async #sendAll() {
    clearTimeout(this.#timer);
    while (this.#queue.length > 0 && (await this.#sendFirst())) {
      this.#wait = FIRST_WAIT_MS;
    }
    this.#sending = false;
    if (this.#queue.length > 0) {
      this.#timer = setTimeout(() => this.flush(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    }
    this.#changed();
  }

  async #sendFirst() {
    const [entry] = this.#queue;
    try {
      const answer = await this.#send(entry.batch, entry.decisions);
      this.trouble = "";
      this.#drop(entry);
      this.dispatchEvent(new CustomEvent("saved", { detail: answer }));
    } catch (error) {
      if (error instanceof Unreachable) {
        this.trouble = error.message;
        return false;
      }
      this.#drop(entry);
      this.dispatchEvent(new CustomEvent("refused", { detail: error.message }));
    }
    this.#changed();
    return true;
  }

  #drop(entry) {
    this.#queue = this.#queue.filter((other) => other !== entry);
    this.#forget(entry);
  }

  #forget(entry) {
    try {
      this.#storage.removeItem(PREFIX + entry.batch);
    } catch {
      // It could not be stored either.
    }
  }

  #left() {
    const entries = [];
    try {
      for (const key of Object.keys(this.#storage).filter((name) => name.startsWith(PREFIX))) {
        entries.push(JSON.parse(this.#storage.getItem(key)));
      }
    } catch {
      return [];
    }
    return entries.sort((one, other) => one.at - other.at);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function newBatch() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
