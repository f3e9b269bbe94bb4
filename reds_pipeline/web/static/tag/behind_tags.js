/**
 * What is behind the tags of a card: the heat map and the other ways of looking.
 *
 * What belongs here: asking for them with the photo once more, since the server has not kept it.
 * What does not: making them.
 */

import { make, show } from "../review/elements.js";
import { askForPart } from "./server.js";

/**
 * @param {HTMLElement} card
 * @param {File | null} file the photo, or null where the page came with the card.
 */
export function connectBehind(card, file) {
  const why = card.querySelector(".why-show");
  const views = card.querySelector(".views-show");
  if (file === null) {
    for (const part of card.querySelectorAll(".ask-why, .views-show")) {
      show(part, false);
    }
    return;
  }
  why?.addEventListener("click", () => {
    const tag = card.querySelector(".why-tag").value;
    ask(why, card.querySelector(".why-answer"), "/why", { tag }, file);
  });
  views?.addEventListener("click", () => {
    ask(views, card.querySelector(".views-answer"), "/views", {}, file);
  });
}

async function ask(button, place, address, fields, file) {
  const body = new FormData();
  body.append("photos", file, "photo");
  for (const [name, value] of Object.entries(fields)) {
    body.append(name, value);
  }
  button.disabled = true;
  const { html, sentence } = await askForPart(address, body);
  button.disabled = false;
  const problem = make("p", { className: "problem", textContent: sentence });
  // The button of the ways of looking lies where their answer goes; the heat map's does not.
  const stays = place.contains(button) && html === null ? [button] : [];
  place.replaceChildren(...stays, html ?? problem);
}
