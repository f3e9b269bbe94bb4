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

  /** @returns {number} pictures whose decision the data set does not follow yet. */
  get waiting() {
    return this.pictures.filter((picture) => isWaiting(picture, this.classes)).length;
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
      const shownAs = picture.decision === "keep" ? picture.class : picture.label;
      before.push({ id, verdict: picture.decision || "undecided", label: shownAs });
      const decision = verdict === "undecided" ? "" : verdict;
      this.decided += Number(decision !== "") - Number(picture.decision !== "");
      picture.decision = decision;
      picture.label = decision === "label" ? label : "";
      picture.class = classAfter(picture, decision, label);
    }
    return before;
  }
}

/** The class under which the server, too, shows a picture after a decision. */
function classAfter(picture, decision, label) {
  if (decision === "label" || decision === "keep") {
    return label || picture.class;
  }
  return picture.class_in_set;
}

/**
 * Whether the data set was made without knowing what was decided about a picture.
 *
 * @param {object} picture its `applied` is what the data set knows: a class, "-" for discarded, "?"
 *   for a class that is not among these, or nothing.
 * @param {string[]} classes
 * @returns {boolean}
 */
export function isWaiting(picture, classes) {
  const effects = { "": "", discard: "-" };
  const asClass = classes.includes(picture.class) ? picture.class : "?";
  return (effects[picture.decision] ?? asClass) !== picture.applied;
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
