/**
 * Copying text.
 *
 * What belongs here: the clipboard, and what to do where the browser keeps it closed. What does
 * not: which text.
 */

/**
 * @param {string} text
 * @param {HTMLTextAreaElement | HTMLElement} source selected where the clipboard is closed.
 * @returns {Promise<boolean>} whether it is on the clipboard now.
 */
export async function copy(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not over http from another machine, and not where somebody has forbidden it.
    select(source);
    return false;
  }
}

function select(element) {
  if (element instanceof HTMLTextAreaElement) {
    element.focus();
    element.select();
  } else {
    getSelection().selectAllChildren(element);
  }
}
