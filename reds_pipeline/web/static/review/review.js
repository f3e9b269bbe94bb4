/**
 * The review: what every command does to the pictures, the selection and the page.
 *
 * What belongs here: the commands, and keeping all parts of the page at one state. What does not:
 * the parts themselves, each in a file of its own, and setting up (main.js).
 */

import { announce } from "./announcer.js";
import { drawBulkBar } from "./bulk_bar.js";
import { decisionFor, isWaiting } from "./collection.js";
import { confirmed } from "./confirmation.js";
import { find, show, write } from "./elements.js";
import { passes, queryFromFilters, select } from "./filters.js";
import { groupMembers, keepOnly, wholeGroups } from "./groups.js";
import { openHelp } from "./help_dialog.js";
import { commandOf } from "./keyboard.js";
import { savePreferences } from "./preferences.js";
import { Progress } from "./progress.js";
import { Selection } from "./selection.js";
import { undoLast } from "./server.js";
import { Veil } from "./veil.js";
import { doneWords, pictureCount } from "./wording.js";

/** More pictures than a person takes in at a glance are decided only after a question. */
const LARGEST_UNASKED = 24;
const VERBS = { keep: "Keep", discard: "Discard", label: "Label", undecided: "Take back" };

export class Review {
  #shown = [];
  #groups = new Map();
  #selection = new Selection();
  #veil = new Veil();
  #progress = new Progress();

  /**
   * @param {import("./collection.js").Collection} collection
   * @param {{filters: object, preferences: object}} settings
   * @param {import("./outbox.js").Outbox} outbox
   */
  constructor(collection, { filters, preferences }, outbox) {
    this.collection = collection;
    this.filters = filters;
    this.preferences = preferences;
    this.outbox = outbox;
    this.look = {
      isSelected: (id) => this.#selection.has(id),
      isVeiled: (picture) => this.#veil.covers(picture),
    };
  }

  /**
   * Take the parts of the page.
   *
   * @param {{grid: object, toolbar: object, large: object}} parts
   */
  attach({ grid, toolbar, large }) {
    this.grid = grid;
    this.toolbar = toolbar;
    this.large = large;
  }

  /** Take a fresh list from the server. @param {object} collection */
  renew(collection) {
    this.collection = collection;
    this.showAll();
  }

  /** @returns {object[]} the pictures that are shown, in their order. */
  shown() {
    return this.#shown;
  }

  /** Choose anew what is shown, and draw everything. */
  showAll({ fromStart = false } = {}) {
    const { pictures } = this.collection;
    this.#groups = groupMembers(pictures);
    const selected = select(pictures, this.filters);
    const grouped = this.filters.view === "groups";
    this.#shown = grouped ? wholeGroups(selected, this.#groups) : selected;
    this.#selection.restrictTo(this.#shown);
    this.toolbar.drawFilters(this.filters, this.collection);
    this.toolbar.drawPreferences(this.preferences);
    // A grid that is hidden has no width to lay anything out in.
    this.#drawEmptiness();
    const { state } = this.filters;
    find("grid").dataset.mixed = String(!grouped && (state === "" || state === "set"));
    this.grid.display(this.#shown, { ...this.preferences, grouped }, { fromStart });
    this.draw();
  }

  /** Bring the page up to date after a decision or a change of the selection. */
  draw() {
    this.grid.refresh();
    drawBulkBar(this.#selected());
    this.#progress.draw(this.collection);
    this.toolbar.drawVeil(this.#shown.filter((picture) => picture.blurred).length);
    this.#drawCounts();
    this.#drawLarge();
  }

  /** Change the filters. */
  filter(filters) {
    this.filters = filters;
    history.replaceState(null, "", location.pathname + queryFromFilters(filters));
    this.showAll({ fromStart: true });
    announce(`${pictureCount(this.#shown.length)} shown`);
  }

  /** Change the size, the columns or the keys. */
  prefer(preferences) {
    const layoutChanged = ["side", "five"].some(
      (name) => preferences[name] !== this.preferences[name],
    );
    this.preferences = preferences;
    savePreferences(preferences);
    this.toolbar.drawPreferences(preferences);
    if (layoutChanged) {
      const grouped = this.filters.view === "groups";
      this.grid.display(this.#shown, { ...preferences, grouped });
      this.draw();
    }
  }

  /** Show all blurred pictures, or blur them again. */
  unveilAll(on) {
    this.#veil.all = on;
    this.draw();
  }

  /** A key in the grid or in the large view. */
  key(event) {
    const command = commandOf(event, this.preferences.letters);
    // On a button in the large view Space and Enter press the button, Escape closes by itself.
    const pressesButton = this.large.isOpen && ["toggle", "open", "clear"].includes(command?.name);
    if (command !== null && !pressesButton && !(this.large.isOpen && command.extend)) {
      event.preventDefault();
      this.run(command);
      // The bar of the selection may just have covered the picture on which the keys act.
      this.grid.reveal();
    }
  }

  /**
   * Carry out a command.
   *
   * @param {object} command `name` and what belongs to it; `id` names a picture other than the
   *   one on which the keys act.
   */
  run(command) {
    const commands = {
      move: () => this.#move(command),
      toggle: () => this.#onPicture(command, ({ id }) => this.#selection.toggle(id)),
      extend: () =>
        this.#onPicture(command, ({ id }) => this.#selection.extendTo(id, this.#shown)),
      open: () => this.#open(command),
      unveil: () => this.#onPicture(command, (picture) => this.#veil.toggle(picture)),
      "keep-only": () => this.#keepOnly(command),
      "select-all": () => this.select(this.#shown.map(({ id }) => id)),
      clear: () => this.select([]),
      decide: () => this.decide(command.verdict),
      label: () => this.#labelByNumber(command.number),
      undo: () => this.undo(),
      help: () => openHelp(),
    };
    commands[command.name]();
  }

  /** Select these pictures and no others. */
  select(ids) {
    this.#selection.replace(ids);
    announce(ids.length === 0 ? "Nothing selected" : `${pictureCount(ids.length)} selected`);
    this.draw();
  }

  /** Select what is not selected. */
  invert() {
    this.#selection.invert(this.#shown);
    announce(`${pictureCount(this.#selection.size)} selected`);
    this.draw();
  }

  /** Decide on the selected pictures; without a selection, and in the large view, on the current. */
  async decide(verdict, label = "") {
    const several = !this.large.isOpen && this.#selection.size > 0;
    const pictures = several ? this.#selected() : [this.grid.current].filter(Boolean);
    const decided = await this.decideOn(pictures, verdict, label);
    if (decided && several) {
      this.#selection.clear();
      this.draw();
      this.grid.focus();
    } else if (decided && verdict !== "undecided") {
      this.#advance();
    }
  }

  /** Decide on pictures, after a question if they are many; false if the answer was no. */
  async decideOn(pictures, verdict, label = "") {
    if (pictures.length === 0) {
      return false;
    }
    if (pictures.length > LARGEST_UNASKED) {
      const target = label === "" ? "" : ` as ${label}`;
      const action = `${VERBS[verdict]} ${pictureCount(pictures.length)}${target}`;
      const consequence = "Nothing is deleted, and one undo takes it all back.";
      if (!(await confirmed(`${action}?`, consequence, action))) {
        return false;
      }
    }
    const decisions = pictures.map((picture) => decisionFor(picture, verdict, label));
    this.#record(decisions, verdict === "undecided" ? 0 : decisions.length);
    announce(`${doneWords(verdict, label, decisions.length)}.`);
    return true;
  }

  /** Take the last action back: one not sent yet at once, any other through the server. */
  async undo() {
    let before = this.outbox.withdrawLast();
    if (before === null) {
      // What is just on its way is the last action; it can be taken back when it has arrived.
      await this.outbox.settled();
      before = this.outbox.withdrawLast();
    }
    if (before !== null) {
      this.collection.apply(before);
      this.draw();
      announce(`Undone: ${pictureCount(before.length)} as before.`);
      return;
    }
    try {
      const { changed, progress } = await undoLast();
      this.collection.apply(
        changed.map(({ id, decision, label }) => ({ id, verdict: decision || "undecided", label })),
      );
      this.settle(progress);
      announce(`Undone: ${pictureCount(changed.length)} as before.`);
      this.#showUndone(changed);
    } catch (error) {
      announce(error.message);
    }
  }

  /** Take the server's count, which knows of other windows too. */
  settle(progress) {
    if (this.outbox.waiting === 0) {
      this.collection.decided = progress.decided;
      this.collection.total = progress.total;
    }
    this.draw();
  }

  #record(decisions, count) {
    const before = this.collection.apply(decisions);
    this.#progress.note(count);
    this.outbox.add(decisions, before);
    this.draw();
  }

  #move({ where, extend }) {
    const from = this.grid.current;
    const position = this.grid.neighbour(where);
    if (extend && from !== undefined) {
      if (this.#selection.size === 0) {
        this.#selection.beginRange(from.id);
      }
      this.#selection.extendTo(this.#shown[position].id, this.#shown);
    }
    this.grid.moveTo(position, { focus: !this.large.isOpen });
    this.draw();
  }

  #advance() {
    this.grid.moveTo(this.grid.position + 1, { focus: !this.large.isOpen });
    this.draw();
  }

  #open(command) {
    this.#goTo(command);
    if (this.grid.current !== undefined) {
      this.#drawLarge({ opening: true });
      this.large.open();
    }
  }

  #onPicture(command, change) {
    this.#goTo(command);
    if (this.grid.current !== undefined) {
      change(this.grid.current);
      this.draw();
    }
  }

  #goTo({ id }) {
    if (id !== undefined) {
      const position = this.#shown.findIndex((picture) => picture.id === id);
      // What was clicked is in view; a grid that scrolled under a double click would open another.
      this.grid.moveTo(position, { focus: !this.large.isOpen, scroll: false });
    }
  }

  /** Show another picture of the group in the large view, even where filters hide it. */
  goTo(id) {
    if (!this.#shown.some((picture) => picture.id === id)) {
      this.#shown = [...this.#shown];
      this.#shown.splice(this.grid.position + 1, 0, this.collection.byId.get(id));
      const grouped = this.filters.view === "groups";
      this.grid.display(this.#shown, { ...this.preferences, grouped });
    }
    this.#goTo({ id });
    this.grid.reveal();
    this.draw();
  }

  #keepOnly(command) {
    this.#goTo(command);
    const chosen = this.grid.current;
    const members = this.#groups.get(chosen?.group) ?? [];
    if (members.length > 1) {
      this.#record(keepOnly(chosen, members), members.length);
      announce(`Picture ${chosen.number} kept, ${pictureCount(members.length - 1)} discarded.`);
    } else {
      announce("This picture has no duplicates.");
    }
  }

  #labelByNumber(number) {
    const label = this.collection.classes[number - 1];
    if (label === undefined) {
      announce(`There is no class number ${number}.`);
    } else {
      this.decide("label", label);
    }
  }

  #showUndone(changed) {
    const position = this.#shown.findIndex((picture) => picture.id === changed[0]?.id);
    if (position >= 0) {
      this.grid.moveTo(position, { focus: !this.large.isOpen });
      this.draw();
    }
  }

  #selected() {
    return this.#selection.ids().map((id) => this.collection.byId.get(id));
  }

  #drawCounts() {
    const grouped = this.filters.view === "groups";
    // They stay where they are until asked: a grid that moves under the hand makes for mistakes.
    const done = grouped ? 0 : this.#shown.filter((one) => !passes(one, this.filters)).length;
    write(find("shown-count"), `${pictureCount(this.#shown.length)} shown`);
    show(find("hide-done"), done > 0);
    write(find("hide-done"), `Hide ${done.toLocaleString("en")} that no longer match`);
  }

  #drawEmptiness() {
    const none = this.collection.pictures.length === 0;
    show(find("no-pictures"), none);
    show(find("no-matches"), !none && this.#shown.length === 0);
    show(find("grid"), this.#shown.length > 0);
  }

  #drawLarge({ opening = false } = {}) {
    const picture = this.grid.current;
    if ((this.large.isOpen || opening) && picture !== undefined) {
      this.large.draw(picture, {
        veil: this.#veil,
        members: this.#groups.get(picture.group) ?? [],
        waiting: isWaiting(picture, this.collection.classes),
        place: `${(this.grid.position + 1).toLocaleString("en")} of ${pictureCount(this.#shown.length)} shown`,
      });
    }
  }
}
