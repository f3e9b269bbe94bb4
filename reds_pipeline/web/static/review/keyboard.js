/**
 * Which key asks for which command.
 *
 * What belongs here: the table of keys and how an event is looked up in it; the help page is made
 * from the same table. What does not: what the commands do (commands.js).
 */

/** What people read in the help. */
export const KEY_HELP = Object.freeze([
  ["Arrows, Home, End, Page up, Page down", "Move. Moving never decides anything."],
  ["Space", "Select or unselect the picture"],
  ["Shift + arrows", "Select a range"],
  ["Ctrl or ⌘ + A", "Select all that are shown"],
  ["Esc", "Clear the selection, close the large view"],
  ["Enter", "Open the large view; the keys below work there too"],
  ["K", "Keep: the picture is what its class says"],
  ["D", "Discard: into quarantine, from where it can be restored"],
  ["1 – 9", "Put the picture into the class with this number"],
  ["Shift + K", "Keep this one, discard the rest of its duplicates"],
  ["R", "Take the decision back (restore)"],
  ["U, or Ctrl or ⌘ + Z", "Undo the last action"],
  ["B", "Show or blur a picture that is blurred"],
  ["?", "This help"],
]);

const MOVES = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
  PageUp: "page-up",
  PageDown: "page-down",
};

const LETTERS = {
  k: { name: "decide", verdict: "keep" },
  d: { name: "decide", verdict: "discard" },
  r: { name: "decide", verdict: "undecided" },
  u: { name: "undo" },
  b: { name: "unveil" },
  "?": { name: "help" },
};

/**
 * The command that a key asks for.
 *
 * @param {KeyboardEvent} event
 * @param {boolean} lettersOn whether single characters are commands (WCAG 2.1.4: they can be
 *   switched off, as whoever dictates would set them off by speaking).
 * @returns {object | null} the command, null for a key that means nothing here.
 */
export function commandOf(event, lettersOn) {
  if (event.altKey) {
    return null;
  }
  if (event.ctrlKey || event.metaKey) {
    return withControl(event);
  }
  if (event.key in MOVES) {
    return { name: "move", where: MOVES[event.key], extend: event.shiftKey };
  }
  switch (event.key) {
    case " ":
      return { name: "toggle" };
    case "Enter":
      return { name: "open" };
    case "Escape":
      return { name: "clear" };
    default:
      return lettersOn ? withLetter(event) : null;
  }
}

function withControl(event) {
  const key = event.key.toLowerCase();
  if (key === "a" && !event.shiftKey) {
    return { name: "select-all" };
  }
  return key === "z" && !event.shiftKey ? { name: "undo" } : null;
}

function withLetter(event) {
  // A held key would decide on picture after picture; one press is one decision.
  if (event.repeat) {
    return null;
  }
  if (event.key === "K" && event.shiftKey) {
    return { name: "keep-only" };
  }
  if (/^[1-9]$/u.test(event.key)) {
    return { name: "label", number: Number(event.key) };
  }
  return LETTERS[event.key.toLowerCase()] ?? null;
}
