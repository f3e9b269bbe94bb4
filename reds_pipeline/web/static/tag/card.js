/**
 * One photo's card: taking and refusing tags, and what a person does with them.
 *
 * What belongs here: the behaviour of the card's own controls. What does not: its elements
 * (tag_card.html), what is behind the tags (behind_tags.js), hashtags as text (hashtags.js).
 */

import { connectBehind } from "./behind_tags.js";
import { copy } from "./copying.js";
import { countWords, lineOf, POLITE_MOST_TAGS, typedTags, withoutDoubles } from "./hashtags.js";
import { show } from "../review/elements.js";
import { sendFeedback } from "./server.js";

const REMINDER =
  "There is no description yet. Many people know a photo only by it; one sentence is enough.";
const BY_HAND = "The browser keeps the clipboard closed; the text is selected, press Ctrl and C.";

/**
 * @param {HTMLElement} card
 * @param {File | null} file the photo, or null where the page came with the card.
 */
export function connectCard(card, file) {
  const form = card.querySelector("form");
  if (form === null) {
    return;
  }
  connectChoices(card, form);
  connectThreshold(card);
  connectCopying(card);
  connectFeedback(card, form);
  connectBehind(card, file);
  updateLine(card);
}

function connectChoices(card, form) {
  const none = form.elements.namedItem("none_of_these");
  form.addEventListener("change", ({ target }) => {
    if (target.type !== "checkbox") {
      return;
    }
    if (target.checked && target.name.startsWith("verdict-")) {
      for (const twin of form.querySelectorAll(`[name="${target.name}"]`)) {
        twin.checked = twin === target;
      }
      if (target.value === "accept" && none !== null) {
        none.checked = false;
      }
    } else if (target === none && none.checked) {
      for (const taken of card.querySelectorAll('[value="accept"]:checked')) {
        taken.checked = false;
      }
      card.querySelector(".added").focus();
    }
    updateLine(card);
  });
  card.querySelector(".added").addEventListener("input", () => updateLine(card));
}

/** Fold suggestions away that are less likely than asked for, unless somebody has judged them. */
function connectThreshold(card) {
  const range = card.querySelector(".threshold-range");
  if (range === null) {
    return;
  }
  const chips = [...card.querySelectorAll(".suggestions .chip")].sort(byRank);
  const words = card.querySelector(".threshold-words");
  const likelihoods = range.dataset.likelihoods.split(",");
  const update = () => {
    const isLikelyEnough = (chip) =>
      likelihoods.indexOf(chip.dataset.likelihood) >= Number(range.value);
    const anyway = chips.some(isLikelyEnough) ? [] : chips.slice(0, Number(range.dataset.anyway));
    const isShown = (chip) =>
      isLikelyEnough(chip) || anyway.includes(chip) || chip.querySelector(":checked") !== null;
    const folded = chips.filter((chip) => !isShown(chip));
    card.querySelector(".main-chips").replaceChildren(...chips.filter(isShown));
    card.querySelector(".folded-chips").replaceChildren(...folded);
    card.querySelector(".folded-count").textContent = String(folded.length);
    show(card.querySelector(".folded"), folded.length > 0);
    words.textContent = range.dataset.words.split(",")[range.value];
    range.setAttribute(
      "aria-valuetext",
      `${words.textContent}, ${chips.length - folded.length} of ${chips.length} tags shown`,
    );
  };
  range.addEventListener("input", update);
  update();
}

/** Those that came folded stand behind the others in the page. */
function byRank(one, other) {
  return Number(one.dataset.rank) - Number(other.dataset.rank);
}

function connectCopying(card) {
  const line = card.querySelector(".line-text");
  const alt = card.querySelector(".alt-text");
  const help = card.querySelector(".alt-help");
  const usualHelp = help.textContent;
  const hasAlt = () => alt.value.trim() !== "";

  const offer = async (text, source, done, button) => {
    const said = button.closest(".field").querySelector(".copied");
    if (text === "") {
      said.textContent = "There is nothing to copy yet.";
      return;
    }
    said.textContent = (await copy(text, source)) ? done : BY_HAND;
  };
  const remind = () => {
    help.textContent = hasAlt() ? usualHelp : REMINDER;
    help.classList.toggle("reminder", !hasAlt());
  };
  alt.addEventListener("input", () => {
    if (hasAlt()) {
      remind();
    }
  });
  card.querySelector(".copy-line").addEventListener("click", async ({ currentTarget }) => {
    await offer(line.value, line, "The tags are copied.", currentTarget);
    remind();
  });
  card.querySelector(".copy-alt").addEventListener("click", async ({ currentTarget }) => {
    await offer(alt.value.trim(), alt, "The description is copied.", currentTarget);
    remind();
  });
  card.querySelector(".copy-both").addEventListener("click", async ({ currentTarget }) => {
    const both = [alt.value.trim(), line.value].filter((text) => text !== "").join("\n\n");
    await offer(both, line, hasAlt() ? "Description and tags are copied." : "The tags are copied.", currentTarget);
    remind();
  });
  const code = card.querySelector(".code-text");
  card.querySelector(".copy-code")?.addEventListener("click", async (event) => {
    const isCopied = await copy(code.textContent, code);
    event.target.textContent = isCopied ? "Copied" : "Selected; press Ctrl and C";
    code.closest(".code").dataset.copied = "";
  });
}

function connectFeedback(card, form) {
  const button = card.querySelector(".send-feedback");
  const said = card.querySelector(".feedback-answer");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    button.disabled = true;
    const { sentence, isDone } = await sendFeedback(body);
    button.disabled = false;
    button.focus();
    said.textContent = sentence;
    said.classList.toggle("failed", !isDone);
  });
  // Enter in a text field would send what nobody has pressed a button for.
  card.querySelector(".added").addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
    }
  });
}

function updateLine(card) {
  const taken = [
    ...card.querySelectorAll('.chip:has([value="accept"]:checked), .own-chip:has(:checked)'),
  ];
  const tags = withoutDoubles([
    ...taken.map((chip) => chip.dataset.hashtag),
    ...typedTags(card.querySelector(".added").value),
  ]);
  card.querySelector(".line-text").value = lineOf(tags);
  for (const said of card.querySelectorAll(".copied")) {
    said.textContent = "";
  }
  const count = card.querySelector(".count");
  count.textContent = countWords(tags.length);
  count.classList.toggle("too-many", tags.length > POLITE_MOST_TAGS);
}
