/**
 * The page that tags photos, put together.
 *
 * What belongs here: connecting the parts, and the form's journey. What does not: choosing
 * (chosen_photos.js, intake.js), asking (server.js), a card (card.js). Without any of this the form
 * works as forms do; the script sends the same one, photo by photo.
 */

import { find, make, show } from "../review/elements.js";
import { announce } from "./announcing.js";
import { connectCard } from "./card.js";
import { ChosenPhotos } from "./chosen_photos.js";
import { connectIntake } from "./intake.js";
import { problemCard, waitingCard } from "./plain_cards.js";
import { sendPhoto } from "./server.js";

const page = document.querySelector(".tag-page");
const form = find("upload");
const answers = find("answers");
const button = find("process");
const ownTags = find("own-tags");
const limits = {
  photos: Number(form.dataset.mostPhotos),
  bytes: Number(form.dataset.mostBytes),
};

const chosen = new ChosenPhotos(find("chosen"), find("chosen-problem"), limits, (count) => {
  button.textContent = count > 1 ? `Process ${count} images` : "Process image";
});
connectIntake(chosen);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  process();
});
// Cards that came with the page have no file behind them: nobody but the sender ever had it.
for (const card of answers.querySelectorAll(".card")) {
  connectCard(card, null);
}
// A code that is lost cannot be shown again; everything else can be made anew.
addEventListener("beforeunload", (event) => {
  if (answers.querySelector(".code:not([data-copied])") !== null) {
    event.preventDefault();
  }
});
document.documentElement.classList.add("scripted");
document.body.dataset.ready = "";

async function process() {
  if (chosen.isEmpty) {
    chosen.complain("Choose a photo first, drop one here or paste it.");
    find("photos").focus();
    return;
  }
  const fields = commonFields();
  const files = chosen.takeAll();
  const waiting = files.map((file, index) => waitingCard(file, placeOf(index, files.length)));
  answers.prepend(...waiting);
  clearForm();
  button.disabled = true;
  waiting[0].scrollIntoView({ block: "start" });
  announce(files.length > 1 ? `Looking at ${files.length} photos.` : "Looking at the photo.");
  const cards = [];
  for (const [index, file] of files.entries()) {
    cards.push(await answer(waiting[index], file, fields, index, files.length));
  }
  button.disabled = false;
  cards[0].querySelector(".card-title").focus();
  announce(wordsFor(cards));
}

/** Put the answer for one photo where its place was held. */
async function answer(place, file, fields, index, count) {
  const body = formOf(file, { ...fields, number: index + 1, count });
  const { card, mayRetry, sentence } = await sendPhoto(body);
  const shown = card ?? problemCard(placeOf(index, count), sentence);
  if (mayRetry) {
    shown.append(retryButton(shown, file, fields, index, count));
  }
  nameCard(shown, file);
  place.replaceWith(shown);
  connectCard(shown, file);
  noticeNewModels(shown);
  return shown;
}

/** Say which of several photos it is, by a name that the server never gets. */
function nameCard(card, file) {
  const place = card.querySelector(".place");
  if (place !== null && file.name) {
    place.textContent += `: ${file.name}`;
  }
}

function retryButton(failed, file, fields, index, count) {
  const retry = make("button", { type: "button", className: "retry", textContent: "Try again" });
  retry.addEventListener("click", async () => {
    const place = waitingCard(file, placeOf(index, count));
    failed.replaceWith(place);
    const card = await answer(place, file, fields, index, count);
    card.querySelector(".card-title").focus();
  });
  return retry;
}

function commonFields() {
  const fields = Object.fromEntries(new FormData(form));
  delete fields.photos;
  return fields;
}

function formOf(file, fields) {
  const body = new FormData();
  // Another name than the file's, which can say where and of whom a photo was taken.
  body.append("photos", file, "photo");
  for (const [name, value] of Object.entries(fields)) {
    body.append(name, value);
  }
  return body;
}

function clearForm() {
  ownTags.value = "";
  const consent = form.elements.namedItem("consent");
  if (consent !== null) {
    consent.checked = false;
  }
}

function noticeNewModels(card) {
  const models = card.dataset.models;
  if (models && page.dataset.models && models !== page.dataset.models) {
    find("taken-over-words").textContent = card.dataset.modelsWords;
    show(find("taken-over"), true);
  }
  page.dataset.models = models || page.dataset.models;
}

function placeOf(index, count) {
  return count > 1 ? `Photo ${index + 1} of ${count}` : "";
}

function wordsFor(cards) {
  const failed = cards.filter((card) => card.matches(".failed")).length;
  if (cards.length === 1) {
    return failed ? "The photo got no tags." : "The tags are there.";
  }
  return failed
    ? `Of ${cards.length} photos ${cards.length - failed} got tags, ${failed} got none.`
    : `All ${cards.length} photos have tags.`;
}
