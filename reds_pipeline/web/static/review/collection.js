/**
 * The pictures of the gallery and what has been decided about them.
 *
 * What belongs here: the one copy of the server's list, and how decisions change it. What does
 * not: filters, selection, sending.
 */

export class Collection {
  /** @param {object} gallery the server's answer. */
  constructor(gallery) {
    this.classes = gallery.classes;
    this.pictures = gallery.pictures.map((picture, index) => ({ ...picture, number: index + 1 }));
    this.total = gallery.progress.total;
    this.decided = gallery.progress.decided;
    this.byId = new Map(this.pictures.map((picture) => [picture.id, picture]));
  }

  /** @returns {number} pictures that nobody has decided on. */
  get open() {
    return Math.max(0, this.total - this.decided);
  }

  /**
   * Put decisions into the list.
   *
   * @param {{id: string, verdict: string, label: string}[]} decisions those about pictures that
   *   are not in the list change nothing.
   * @returns {{id: string, verdict: string, label: string}[]} what puts back how it was.
   */
  apply(decisions) {
    const before = [];
    for (const { id, verdict, label } of decisions) {
      const picture = this.byId.get(id);
      if (picture === undefined) {
        continue;
      }
      before.push({ id, verdict: picture.decision || "undecided", label: picture.label });
      const decision = verdict === "undecided" ? "" : verdict;
      this.decided += Number(decision !== "") - Number(picture.decision !== "");
      picture.decision = decision;
      picture.label = decision === "label" ? label : "";
    }
    return before;
  }
}

/**
 * The decision that a person's choice means for one picture.
 *
 * @param {{id: string, class: string}} picture
 * @param {"keep" | "discard" | "label" | "undecided"} verdict
 * @param {string} label for "label": the class it is put into.
 * @returns {{id: string, verdict: string, label: string}}
 */
export function decisionFor(picture, verdict, label) {
  // To put a cat among the cats is to keep it.
  if (verdict === "keep" || (verdict === "label" && label === picture.class)) {
    return { id: picture.id, verdict: "keep", label: picture.class };
  }
  return { id: picture.id, verdict, label: verdict === "label" ? label : "" };
}
