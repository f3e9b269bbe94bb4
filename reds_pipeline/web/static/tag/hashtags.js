/**
 * Hashtags from what people type.
 *
 * What belongs here: pure functions, the same rules as typed_tags.py and hashtag_form.py have on
 * the server. What does not: elements.
 */

const BETWEEN = /[,;#\r\n，、；]+/u;
// Handles and addresses name people and places, which is not what a photo shows.
const NO_TAG = /@|:\/\/|\bwww\./iu;
const MOST_TAGS = 30;
const LONGEST_TAG = 100;
const WORDS = /[\p{L}\p{M}\p{N}\u200c\u200d]+/gu;

/** Hashtags in one post above which some servers cut the rest off. */
export const POLITE_MOST_TAGS = 10;

/**
 * A tag as a hashtag without `#`; every word begins with a capital, so that it is read as words.
 *
 * @param {string} text
 * @returns {string} empty when nothing in it can stand in a hashtag.
 */
export function asHashtag(text) {
  const words = text.normalize("NFKC").replace(/['’ʼ]/gu, "").match(WORDS) ?? [];
  return words.map(capitalised).join("");
}

/** @param {string} text such as `golden retriever, beach`. @returns {string[]} */
export function typedTags(text) {
  const pieces = text.split(BETWEEN).filter((piece) => !NO_TAG.test(piece));
  const tags = pieces.map((piece) => asHashtag(piece.slice(0, LONGEST_TAG)));
  return withoutDoubles(tags).slice(0, MOST_TAGS);
}

/** @param {string[]} tags without `#`. @returns {string[]} none of them twice, whatever the case. */
export function withoutDoubles(tags) {
  const byKey = new Map();
  for (const tag of tags) {
    const key = tag.toLowerCase();
    if (key && !byKey.has(key)) {
      byKey.set(key, tag);
    }
  }
  return [...byKey.values()];
}

/** @param {string[]} tags without `#`. @returns {string} the closing line of a post. */
export function lineOf(tags) {
  return tags.map((tag) => `#${tag}`).join(" ");
}

/** @param {number} count @returns {string} how many tags the line holds, and how many are polite. */
export function countWords(count) {
  const tags = count === 1 ? "1 tag" : `${count} tags`;
  return count > POLITE_MOST_TAGS
    ? `${tags}, more than the polite ${POLITE_MOST_TAGS}: some servers cut the rest off.`
    : `${tags}; ${POLITE_MOST_TAGS} are the polite most.`;
}

function capitalised(word) {
  const [first, ...rest] = word;
  const capital = first.toUpperCase();
  // The capital of a Turkish dotless i is that of an i.
  return capital.toLowerCase() === first.toLowerCase() ? [capital, ...rest].join("") : word;
}
