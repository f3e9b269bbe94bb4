/**
 * Where each row of the grid stands.
 *
 * What belongs here: columns, rows and offsets as pure arithmetic. What does not: elements
 * (grid.js).
 */

/** The report's reviewers saw five pictures a row (R-SCR-9). */
export const REPORT_COLUMNS = 5;

/**
 * How many columns fit.
 *
 * @param {number} width of the grid, in pixels.
 * @param {number} side that a picture should have, in pixels.
 * @param {number} gap between two columns, in pixels.
 * @returns {number} at least two: on a phone one picture a row would be endless scrolling.
 */
export function columnsFor(width, side, gap) {
  return Math.max(2, Math.floor((width + gap) / (side + gap)));
}

/**
 * Lay pictures out in rows.
 *
 * @param {object[]} pictures in their order.
 * @param {{columns: number, rowHeight: number, headingHeight: number, grouped: boolean}} measures
 *   heights in pixels, gaps included; `grouped` begins each group under a heading of its own.
 * @returns {{rows: {top: number, height: number, first: number, last: number, heading: boolean}[],
 *   height: number, rowOf: Int32Array}} `first` up to but not including `last` are positions in
 *   `pictures`; `rowOf` gives the row of each position.
 */
export function layOut(pictures, { columns, rowHeight, headingHeight, grouped }) {
  const rows = [];
  const rowOf = new Int32Array(pictures.length);
  let top = 0;
  let position = 0;
  while (position < pictures.length) {
    const end = grouped ? endOfGroup(pictures, position) : pictures.length;
    if (grouped) {
      rows.push({ top, height: headingHeight, first: position, last: end, heading: true });
      top += headingHeight;
    }
    for (; position < end; position += columns) {
      const last = Math.min(position + columns, end);
      rowOf.fill(rows.length, position, last);
      rows.push({ top, height: rowHeight, first: position, last, heading: false });
      top += rowHeight;
    }
    position = end;
  }
  return { rows, height: top, rowOf };
}

function endOfGroup(pictures, start) {
  let end = start + 1;
  while (end < pictures.length && pictures[end].group === pictures[start].group) {
    end += 1;
  }
  return end;
}

/**
 * The row at an offset.
 *
 * @param {{top: number, height: number}[]} rows from `layOut`, at least one.
 * @param {number} offset in pixels from the top of the grid.
 * @returns {number} the row that covers it; the first or last row beyond the ends.
 */
export function rowAt(rows, offset) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (rows[middle].top <= offset) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/**
 * The position one step up or down from another, in the same column where there is one.
 *
 * @param {ReturnType<typeof layOut>} layout
 * @param {number} position
 * @param {number} steps rows downwards; negative is upwards.
 * @returns {number}
 */
export function positionBelow(layout, position, steps) {
  const { rows, rowOf } = layout;
  const column = position - rows[rowOf[position]].first;
  let row = rowOf[position];
  let left = Math.abs(steps);
  const direction = Math.sign(steps);
  for (let next = row + direction; left > 0 && rows[next] !== undefined; next += direction) {
    if (!rows[next].heading) {
      row = next;
      left -= 1;
    }
  }
  return Math.min(rows[row].first + column, rows[row].last - 1);
}
