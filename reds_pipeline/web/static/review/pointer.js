/**
 * What clicks and touches in the grid ask for.
 *
 * What belongs here: turning a click on a part of a cell into a command. What does not: what the
 * commands do (review.js).
 *
 * A click selects one picture more or less and never clears the others: with three hundred
 * selected, one stray click must not lose them. So a finger needs no Ctrl key either.
 */

/**
 * @param {HTMLElement} grid
 * @param {(command: object) => void} command
 */
export function connectPointer(grid, command) {
  let firstClicked;
  // Two quick taps count as a double click even when what is under the finger has changed between
  // them; only two on the same picture mean that picture.
  const remember = (event) => {
    if (event.detail <= 1) {
      firstClicked = pictureAt(event.target);
    }
  };
  document.addEventListener("click", remember, { capture: true });
  grid.addEventListener("click", (event) => {
    const id = pictureAt(event.target);
    // A click on the label around a checkbox comes again as a click on the checkbox.
    if (id !== undefined && !event.target.matches(".pick-area")) {
      command({ ...clickCommand(event), id });
    }
  });
  grid.addEventListener("dblclick", (event) => {
    const id = pictureAt(event.target);
    const onControl = event.target.closest("button, .pick-area") !== null;
    if (id !== undefined && id === firstClicked && !onControl) {
      command({ name: "open", id });
    }
  });
  // Shift and a click would mark text as well.
  grid.addEventListener("mousedown", (event) => {
    if (event.shiftKey) {
      event.preventDefault();
    }
  });
}

function pictureAt(target) {
  return target.closest("[role=gridcell][data-id]")?.dataset.id;
}

function clickCommand(event) {
  const button = event.target.closest("button");
  for (const [className, name] of [["open", "open"], ["unveil", "unveil"], ["only", "keep-only"]]) {
    if (button?.classList.contains(className)) {
      return { name };
    }
  }
  return { name: event.shiftKey ? "extend" : "toggle" };
}
