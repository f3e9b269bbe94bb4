/**
 * The typed list of numbers to delete, as the source report's reviewers wrote it: "3 7 12-15".
 *
 * What belongs here: reading that list and finding its pictures. What does not: the dialog in
 * which it is typed (numbers_dialog.js).
 */

/** Longer ranges are slips of the finger, and would stop the page while they are counted out. */
const LONGEST_RANGE = 100_000;

/**
 * Read a list such as "3 7 12-15" or "3, 7; 12–15".
 *
 * @param {string} text
 * @returns {{numbers: number[], unreadable: string[]}} the numbers, each once and ascending, and
 *   the words that are neither a number nor a range.
 */
export function parseNumbers(text) {
  const numbers = new Set();
  const unreadable = [];
  const joined = text.replace(/(\d)\s*[-–—]\s*(?=\d)/gu, "$1-");
  for (const word of joined.split(/[\s,;]+/u).filter(Boolean)) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/u.exec(word);
    const first = match ? Number(match[1]) : 0;
    const last = match ? Number(match[2] ?? match[1]) : 0;
    if (first < 1 || last < first || last - first > LONGEST_RANGE) {
      unreadable.push(word);
      continue;
    }
    for (let number = first; number <= last; number += 1) {
      numbers.add(number);
    }
  }
  return { numbers: [...numbers].sort((one, other) => one - other), unreadable };
}

/**
 * Find the pictures of a typed list among those that are shown.
 *
 * A number that is not shown is named instead of followed: whoever types from a page of cats must
 * not delete a dog that happens to bear the mistyped number.
 *
 * @param {string} text
 * @param {{id: string, number: number}[]} shown
 * @returns {{ids: string[], absent: number[], unreadable: string[]}}
 */
export function picturesByNumber(text, shown) {
  const { numbers, unreadable } = parseNumbers(text);
  const byNumber = new Map(shown.map((picture) => [picture.number, picture.id]));
  return {
    ids: numbers.filter((number) => byNumber.has(number)).map((number) => byNumber.get(number)),
    absent: numbers.filter((number) => !byNumber.has(number)),
    unreadable,
  };
}
