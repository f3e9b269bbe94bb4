/**
 * Which pictures are shown, and in which order.
 *
 * What belongs here: filters and orders as pure functions, and their form in the page's address.
 * What does not: the controls (toolbar.js) and duplicate groups (groups.js).
 */

/** What the page shows when its address says nothing: what still needs a person, worst first. */
export const DEFAULT_FILTERS = Object.freeze({
  class: "",
  state: "set",
  reason: "",
  decision: "undecided",
  suspicion: "",
  sort: "suspicious",
  view: "pictures",
});

/** Filters that hide nothing. */
export const EVERYTHING = Object.freeze({
  ...DEFAULT_FILTERS,
  state: "",
  decision: "",
});

const STATES = {
  "": () => true,
  set: (picture) => picture.state === "kept" && picture.decision !== "discard",
  dropped: (picture) => picture.state === "dropped",
  quarantine: (picture) => picture.decision === "discard",
};

const DECISIONS = {
  "": () => true,
  undecided: (picture) => picture.decision === "",
  decided: (picture) => picture.decision !== "",
};

const SUSPICIONS = {
  "": () => true,
  suspect: (picture) => picture.suspect,
  near: (picture) => picture.guess !== "" && !picture.suspect,
  outlier: (picture) => picture.outlier,
  blurred: (picture) => picture.blurred,
};

const LAST = Number.MAX_SAFE_INTEGER;
const byNumber = (one, other) => one.number - other.number;

const ORDERS = {
  suspicious: (one, other) => (one.rank ?? LAST) - (other.rank ?? LAST) || byNumber(one, other),
  newest: (one, other) => other.posted.localeCompare(one.posted) || byNumber(one, other),
  author: (one, other) => (one.author ?? LAST) - (other.author ?? LAST) || byNumber(one, other),
  number: byNumber,
};

const CHOICES = { state: STATES, decision: DECISIONS, suspicion: SUSPICIONS, sort: ORDERS };

/**
 * Whether a picture passes the filters.
 *
 * @param {object} picture
 * @param {typeof DEFAULT_FILTERS} filters
 * @returns {boolean}
 */
export function passes(picture, filters) {
  // Whatever is in quarantine is decided: the two filters together would show nothing.
  const decision = filters.state === "quarantine" ? "" : filters.decision;
  return (
    (filters.class === "" || picture.class === filters.class) &&
    STATES[filters.state](picture) &&
    DECISIONS[decision](picture) &&
    SUSPICIONS[filters.suspicion](picture) &&
    (filters.reason === "" ||
      picture.reason === filters.reason ||
      picture.flags.includes(filters.reason))
  );
}

/**
 * The pictures that pass, in the chosen order.
 *
 * @param {object[]} pictures
 * @param {typeof DEFAULT_FILTERS} filters
 * @returns {object[]}
 */
export function select(pictures, filters) {
  return pictures.filter((picture) => passes(picture, filters)).sort(ORDERS[filters.sort]);
}

/**
 * How often each reason and flag occurs, most frequent first.
 *
 * @param {object[]} pictures
 * @returns {[string, number][]}
 */
export function reasonCounts(pictures) {
  const counts = new Map();
  for (const picture of pictures) {
    const names = new Set(picture.reason ? [picture.reason, ...picture.flags] : picture.flags);
    for (const name of names) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
}

/**
 * Read filters from the query of an address; what it does not know it takes for unsaid.
 *
 * @param {string} query
 * @returns {typeof DEFAULT_FILTERS}
 */
export function filtersFromQuery(query) {
  const said = new URLSearchParams(query);
  const filters = { ...DEFAULT_FILTERS };
  for (const name of Object.keys(filters)) {
    const value = said.get(name);
    if (value !== null && (!(name in CHOICES) || Object.hasOwn(CHOICES[name], value))) {
      filters[name] = value;
    }
  }
  return filters;
}

/**
 * Write filters as the query of an address, leaving out what is as usual.
 *
 * @param {typeof DEFAULT_FILTERS} filters
 * @returns {string} such as "?class=cat&sort=newest", or "".
 */
export function queryFromFilters(filters) {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    if (value !== DEFAULT_FILTERS[name]) {
      said.set(name, value);
    }
  }
  const query = said.toString();
  return query ? `?${query}` : "";
}
