/**
 * How long the rest will take, from how fast a person has been deciding.
 *
 * What belongs here: the estimate and its wording, without a clock of its own. What does not: the
 * progress bar (progress.js).
 */

/** A pause longer than this was a break, and says nothing about the pace. */
const LONGEST_THOUGHT_MS = 60_000;
/** Fewer decisions than this are a beginning, not a pace. */
const FEWEST_DECISIONS = 5;
const MINUTE_MS = 60_000;

/**
 * The time that the open pictures will take at the pace of this session.
 *
 * @param {{at: number, count: number}[]} decisions when each decision was made (milliseconds, in
 *   order) and about how many pictures.
 * @param {number} open pictures that nobody has decided on.
 * @returns {number | null} minutes; null while too little is known.
 */
export function minutesLeft(decisions, open) {
  let working = 0;
  let decided = 0;
  // The first decision has no time of its own: nobody knows when the thought began.
  for (let index = 1; index < decisions.length; index += 1) {
    const pause = decisions[index].at - decisions[index - 1].at;
    if (pause <= LONGEST_THOUGHT_MS) {
      working += pause;
      decided += decisions[index].count;
    }
  }
  if (decided < FEWEST_DECISIONS || working <= 0) {
    return null;
  }
  return (open * working) / decided / MINUTE_MS;
}

/**
 * The progress as people say it: "312 of 1,204, about 8 min left".
 *
 * @param {number} decided
 * @param {number} total
 * @param {number | null} minutes from `minutesLeft`.
 * @returns {string}
 */
export function progressSentence(decided, total, minutes) {
  const counted = `${decided.toLocaleString("en")} of ${total.toLocaleString("en")}`;
  if (total > 0 && decided >= total) {
    return `${counted}, all decided`;
  }
  if (minutes === null) {
    return `${counted} decided`;
  }
  if (minutes < 1) {
    return `${counted}, less than a minute left`;
  }
  if (minutes < 90) {
    return `${counted}, about ${Math.round(minutes)} min left`;
  }
  return `${counted}, about ${Math.round(minutes / 60)} h left`;
}
