/**
 * Groups of duplicates: which are shown, and what "keep this, discard the rest" decides.
 *
 * What belongs here: pure functions over pictures and their `group`. What does not: finding
 * duplicates and choosing the keeper, which the pipeline did.
 */

/**
 * The members of every group of at least two pictures.
 *
 * @param {object[]} pictures
 * @returns {Map<string, object[]>} by group, the suggested keeper first.
 */
export function groupMembers(pictures) {
  const groups = new Map();
  for (const picture of pictures) {
    if (picture.group) {
      groups.set(picture.group, [...(groups.get(picture.group) ?? []), picture]);
    }
  }
  for (const [group, members] of groups) {
    if (members.length < 2) {
      groups.delete(group);
    } else {
      members.sort(
        (one, other) => Number(other.keeper) - Number(one.keeper) || one.number - other.number,
      );
    }
  }
  return groups;
}

/**
 * The pictures of all groups that a selection touches, group by group and whole.
 *
 * A group with its dropped members missing could not be compared, so one picture that passes the
 * filters brings the others with it.
 *
 * @param {object[]} selected in their order.
 * @param {Map<string, object[]>} groups from `groupMembers`.
 * @returns {object[]}
 */
export function wholeGroups(selected, groups) {
  const touched = new Set(selected.map((picture) => picture.group));
  return [...touched].flatMap((group) => groups.get(group) ?? []);
}

/**
 * The decisions of "keep this, discard the rest".
 *
 * @param {object} chosen
 * @param {object[]} members of its group.
 * @returns {{id: string, verdict: string, label: string}[]}
 */
export function keepOnly(chosen, members) {
  return members.map((picture) =>
    picture.id === chosen.id
      ? { id: picture.id, verdict: "keep", label: picture.class }
      : { id: picture.id, verdict: "discard", label: "" },
  );
}
