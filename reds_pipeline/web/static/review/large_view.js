/**
 * One picture large, with everything known about it.
 *
 * What belongs here: the dialog and its words. The keys of the grid work in it; what they do is
 * decided elsewhere (review.js).
 */

import { find, make, show, write } from "./elements.js";
import { pictureAddress, thumbnailAddress } from "./server.js";
import { alternativeText, fileSize, percent, reasonWords, verdictMark } from "./wording.js";

const MEMBER_SIDE = 256;

export class LargeView {
  #dialog = find("large");
  #image = find("large-image");
  #shownId = "";

  /**
   * @param {{command: (command: object) => void, key: (event: KeyboardEvent) => void,
   *   goTo: (id: string) => void}} page
   */
  constructor(page) {
    const buttons = {
      "large-previous": { name: "move", where: "left", extend: false },
      "large-next": { name: "move", where: "right", extend: false },
      "large-keep": { name: "decide", verdict: "keep" },
      "large-discard": { name: "decide", verdict: "discard" },
      "large-restore": { name: "decide", verdict: "undecided" },
      "large-only": { name: "keep-only" },
      "large-undo": { name: "undo" },
      "large-unveil": { name: "unveil" },
    };
    for (const [id, command] of Object.entries(buttons)) {
      find(id).addEventListener("click", () => page.command(command));
    }
    find("large-close").addEventListener("click", () => this.#dialog.close());
    find("large-labels").addEventListener("click", (event) => {
      const number = event.target.closest("button")?.dataset.number;
      if (number !== undefined) {
        page.command({ name: "label", number: Number(number) });
      }
    });
    find("large-members").addEventListener("click", (event) => {
      const id = event.target.closest("button")?.dataset.id;
      if (id !== undefined) {
        page.goTo(id);
      }
    });
    this.#dialog.addEventListener("keydown", (event) => page.key(event));
    this.#dialog.addEventListener("close", () => {
      const last = this.#shownId;
      this.#image.removeAttribute("src");
      this.#shownId = "";
      // The browser has put the focus back to where it was opened, which may be far away by now.
      page.goTo(last);
    });
  }

  /** @returns {boolean} */
  get isOpen() {
    return this.#dialog.open;
  }

  /** @param {string[]} classes in the order of their number keys. */
  fillLabels(classes) {
    const buttons = classes.map((name, index) =>
      make(
        "button",
        { type: "button", "data-number": index + 1 },
        ...(index < 9 ? [make("kbd", {}, String(index + 1)), " "] : []),
        name,
      ),
    );
    find("large-labels").replaceChildren(...buttons);
  }

  /** Open it. */
  open() {
    if (!this.isOpen) {
      this.#dialog.showModal();
      // The keys act from anywhere in the dialog; the heading reads out which picture it is.
      find("large-title").focus();
    }
  }

  close() {
    this.#dialog.close();
  }

  /**
   * Show a picture.
   *
   * @param {object} picture
   * @param {{veil: import("./veil.js").Veil, members: object[], place: string,
   *   waiting: boolean}} context
   *   `members` are all pictures of its group of duplicates; `place` such as "3 of 120 shown";
   *   `waiting` whether the data set does not follow what was decided yet.
   */
  draw(picture, { veil, members, place, waiting }) {
    const veiled = veil.covers(picture);
    if (this.#shownId !== picture.id) {
      this.#shownId = picture.id;
      this.#image.removeAttribute("src");
      this.#image.src = pictureAddress(picture.id);
    }
    this.#image.alt = alternativeText(picture, veiled);
    find("large-frame").classList.toggle("veiled", veiled);
    const mark = verdictMark(picture);
    write(find("large-title"), `Picture ${picture.number}: ${picture.class}`);
    write(find("large-place"), place);
    write(find("large-mark"), mark.text || "no decision yet");
    find("large-mark").dataset.kind = mark.kind;
    write(find("large-why"), picture.why);
    show(find("large-why"), picture.why !== "");
    show(find("large-unveil"), picture.blurred && !veil.all);
    write(find("large-unveil"), veiled ? "Show picture" : "Blur again");
    find("large-restore").disabled = picture.decision === "";
    show(find("large-only"), members.length > 1);
    find("large-facts").replaceChildren(
      ...facts(picture, veiled, waiting).flatMap(([name, value]) => [
        make("dt", {}, name),
        make("dd", {}, value),
      ]),
    );
    this.#drawMembers(picture, members, veil);
  }

  #drawMembers(picture, members, veil) {
    show(find("large-group"), members.length > 1);
    const buttons = members.map((member) => {
      const name = `Picture ${member.number}${member.keeper ? ", suggested" : ""}`;
      const image = make("img", { src: thumbnailAddress(member.id, MEMBER_SIDE), alt: "" });
      const caption = `${member.number} · ${member.width} × ${member.height}`;
      const why = member.keeper ? `suggested: ${member.keeper_why || "best copy"}` : "";
      const button = make("button", { type: "button", "data-id": member.id, "aria-label": name });
      button.append(image, make("span", {}, caption), make("small", {}, why));
      button.classList.toggle("keeper", member.keeper);
      button.classList.toggle("veiled", veil.covers(member));
      button.setAttribute("aria-current", String(member.id === picture.id));
      return button;
    });
    find("large-members").replaceChildren(...buttons);
  }
}

function facts(picture, veiled, waiting) {
  const known = [
    ["Description", veiled ? "hidden until you show the picture" : picture.alt || "none"],
    ["Size", `${picture.width} × ${picture.height}, ${fileSize(picture.bytes)}`],
    ["Posted", picture.posted],
    ["Author", picture.author === null ? "" : `number ${picture.author}`],
  ];
  if (picture.collected_as !== picture.class) {
    known.push(["Collected as", picture.collected_as]);
  }
  if (picture.state === "dropped") {
    known.push(["Dropped", reasonWords(picture.reason)]);
  }
  if (picture.flags.length > 0) {
    known.push(["Noticed", picture.flags.map(reasonWords).join(", ")]);
  }
  if (picture.decision !== "" || waiting) {
    known.push(["Decision", waiting ? "not in the data set yet" : "the data set follows it"]);
  }
  if (picture.guess && picture.guess_probability !== null) {
    known.push(["Model's guess", `${picture.guess}, ${percent(picture.guess_probability)}`]);
  }
  return known.filter(([, value]) => value !== "");
}
