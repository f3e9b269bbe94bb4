/**
 * The review page, set up.
 *
 * What belongs here: fetching the gallery, making the parts, and connecting them. What does not:
 * what any of them does.
 */

import { announce } from "./announcer.js";
import { connectBulkBar, fillLabels } from "./bulk_bar.js";
import { Collection } from "./collection.js";
import { find, show, write } from "./elements.js";
import { EVERYTHING, filtersFromQuery } from "./filters.js";
import { Grid } from "./grid.js";
import { connectHelp } from "./help_dialog.js";
import { connectImport } from "./import_dialog.js";
import { LargeView } from "./large_view.js";
import { connectNumbersDialog } from "./numbers_dialog.js";
import { Outbox } from "./outbox.js";
import { connectPointer } from "./pointer.js";
import { loadPreferences } from "./preferences.js";
import { Review } from "./review.js";
import { watchSaving } from "./save_state.js";
import { fetchGallery, sendDecisions } from "./server.js";
import { Toolbar } from "./toolbar.js";

const RETRY_MS = 3000;

function obscured() {
  const header = find("top");
  const bulk = find("bulk");
  const sticks = getComputedStyle(header).position === "sticky";
  return {
    top: sticks ? header.offsetHeight : 0,
    bottom: bulk.hidden ? 0 : bulk.offsetHeight,
  };
}

/** Ask until there is an answer: the page may be opened before the server is up again. */
async function untilAnswered() {
  for (;;) {
    try {
      const gallery = await fetchGallery();
      show(find("loading"), false);
      return gallery;
    } catch (error) {
      show(find("loading"), true);
      write(find("loading"), `${error.message} Trying again …`);
      await new Promise((resolve) => {
        setTimeout(resolve, RETRY_MS);
      });
    }
  }
}

async function start() {
  const outbox = new Outbox(sendDecisions, localStorage);
  const collect = async () => {
    const collection = new Collection(await untilAnswered());
    // Decisions that have not reached the server are no less decided.
    collection.apply(outbox.decisions());
    return collection;
  };
  const collection = await collect();
  const settings = {
    filters: filtersFromQuery(location.search),
    preferences: loadPreferences(),
  };
  const review = new Review(collection, settings, outbox);
  const reload = async () => review.renew(await collect());
  const grid = new Grid(find("grid"), review.look, obscured);
  const toolbar = new Toolbar({
    filters: (filters) => review.filter(filters),
    preferences: (preferences) => review.prefer(preferences),
    unveilAll: (on) => review.unveilAll(on),
  });
  const large = new LargeView({
    command: (command) => review.run(command),
    key: (event) => review.key(event),
    goTo: (id) => review.goTo(id),
  });
  review.attach({ grid, toolbar, large });
  fillLabels(collection.classes);
  large.fillLabels(collection.classes);
  connect(review, reload);
  watchSaving(outbox);
  outbox.addEventListener("saved", ({ detail }) => review.settle(detail.progress));
  outbox.addEventListener("refused", ({ detail }) => {
    announce(`Not recorded: ${detail}`);
    reload();
  });
  review.showAll();
  document.body.dataset.ready = "true";
  outbox.flush();
}

function connect(review, reload) {
  find("grid").addEventListener("keydown", (event) => review.key(event));
  connectPointer(find("grid"), (command) => review.run(command));
  connectBulkBar({
    decide: (verdict, label) => review.decide(verdict, label),
    invert: () => review.invert(),
    selectAll: () => review.run({ name: "select-all" }),
    clear: () => {
      review.run({ name: "clear" });
      review.grid.focus();
    },
  });
  connectNumbersDialog({
    shown: () => review.shown(),
    select: (ids) => review.select(ids),
    discard: (ids) => review.decideOn(ids.map((id) => review.collection.byId.get(id)), "discard"),
  });
  find("skip").addEventListener("click", (event) => {
    event.preventDefault();
    review.grid.focus();
  });
  connectHelp(review.collection.classes);
  connectImport(reload);
  find("undo").addEventListener("click", () => review.undo());
  find("select-all").addEventListener("click", () => review.run({ name: "select-all" }));
  find("invert").addEventListener("click", () => review.invert());
  find("hide-done").addEventListener("click", () => {
    review.showAll();
    review.grid.focus();
  });
  find("show-everything").addEventListener("click", () => review.filter({ ...EVERYTHING }));
}

start();
