/**
 * Making and finding elements.
 *
 * What belongs here: the few helpers that every part of the page uses. What does not: anything
 * that knows what the page is about.
 */

/**
 * Make an element.
 *
 * @param {string} name
 * @param {object} properties set as properties (`className`, `textContent`), or as attributes
 *   where the name has a hyphen or is `role`.
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") {
      element.setAttribute(key, value);
    } else {
      element[key] = value;
    }
  }
  element.append(...children);
  return element;
}

/** @param {string} id @returns {HTMLElement} an element that the template must hold. */
export function find(id) {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`The page has no element #${id}.`);
  }
  return element;
}

/** Write text only where it differs: a screen reader reads what is written anew. */
export function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Show or hide an element. */
export function show(element, visible) {
  element.hidden = !visible;
}

/**
 * Fill a select element.
 *
 * @param {HTMLSelectElement} element
 * @param {[string, string][]} options value and text of each.
 * @param {string} value the chosen one; the first where it is not among them.
 */
export function fillSelect(element, options, value) {
  element.replaceChildren(
    ...options.map(([option, text]) => make("option", { value: option, textContent: text })),
  );
  element.value = options.some(([option]) => option === value) ? value : options[0][0];
}
