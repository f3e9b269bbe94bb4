/**
 * The page's words for what the tables hold.
 *
 * What belongs here: turning reasons, flags, decisions and counts into words for people. What does
 * not: whole sentences about one picture's rank, which the server sends (`why`).
 */

const REASONS = {
  beyond_target: "beyond the target",
  blurry: "blurry",
  bright: "very bright",
  cmyk: "print colours",
  cropped_duplicate: "crop of another",
  dark: "very dark",
  exact_duplicate: "same file",
  extreme_aspect: "very long or tall",
  flat: "almost one colour",
  greyscale: "grey",
  labelled_otherwise: "of no class here",
  mirrored_duplicate: "mirror image",
  multi_class: "in several classes",
  near_duplicate: "near duplicate",
  not_confirmed: "post not confirmed",
  other_class_duplicate: "copies disagree",
  relabelled: "moved to another class",
  reviewed_out: "discarded in review",
  text_heavy: "mostly text",
  tiny: "very small",
  transparent: "partly transparent",
};

/** @param {string} reason @returns {string} */
export function reasonWords(reason) {
  return REASONS[reason] ?? reason.replaceAll("_", " ");
}

/** @param {number} count @returns {string} such as "1 picture" or "1,204 pictures". */
export function pictureCount(count) {
  return `${count.toLocaleString("en")} ${count === 1 ? "picture" : "pictures"}`;
}

/** @param {number} probability @returns {string} such as "93 %". */
export function percent(probability) {
  return `${Math.round(probability * 100)} %`;
}

/** @param {number} bytes @returns {string} such as "240 kB". */
export function fileSize(bytes) {
  if (bytes >= 1_000_000) {
    return `${(bytes / 1_000_000).toFixed(1)} MB`;
  }
  return `${Math.max(1, Math.round(bytes / 1000))} kB`;
}

/**
 * What stands under a picture: the decision if there is one, else what speaks against it.
 *
 * @param {object} picture
 * @returns {{kind: string, text: string}} `kind` chooses the colour; the text says it all.
 */
export function verdictMark(picture) {
  switch (picture.decision) {
    case "keep":
      return { kind: "keep", text: "✓ keep" };
    case "discard":
      return { kind: "discard", text: "✕ discard" };
    case "label":
      return { kind: "label", text: `→ ${picture.label}` };
    default:
      return openMark(picture);
  }
}

function openMark(picture) {
  if (picture.reason === "waits_for_review") {
    return { kind: "suspect", text: "given on the page, waits for you" };
  }
  if (picture.state === "dropped") {
    return { kind: "dropped", text: `dropped: ${reasonWords(picture.reason)}` };
  }
  if (picture.suspect && picture.guess) {
    const sure = picture.guess_probability === null ? "" : ` ${percent(picture.guess_probability)}`;
    return { kind: "suspect", text: `${picture.guess}?${sure}` };
  }
  if (picture.guess) {
    return { kind: "suspect", text: `${picture.class} or ${picture.guess}?` };
  }
  if (picture.outlier) {
    return { kind: "suspect", text: "unlike its class" };
  }
  return { kind: "none", text: picture.flags.map(reasonWords).join(", ") };
}

/**
 * The text for those who do not see the picture.
 *
 * @param {object} picture
 * @param {boolean} veiled whether it is blurred now: then its description stays hidden as well.
 * @returns {string}
 */
export function alternativeText(picture, veiled) {
  if (veiled) {
    return "photo, hidden until you ask";
  }
  return picture.alt || "photo, no description";
}

/** @param {number} count decisions that the data set does not follow yet. @returns {string} */
export function waitingWords(count) {
  return `${count.toLocaleString("en")} not in the data set yet`;
}

/**
 * What was just done, for the announcement: "12 pictures discarded".
 *
 * @param {string} verdict
 * @param {string} label
 * @param {number} count
 * @returns {string}
 */
export function doneWords(verdict, label, count) {
  const done = {
    keep: "kept",
    discard: "discarded",
    label: `labelled ${label}`,
    undecided: "open again",
  };
  return `${pictureCount(count)} ${done[verdict]}`;
}
