"""The page's pure functions, run where they will run: in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline_tests.web.browser.gallery_page import GalleryPage

_CALL = "async ([file, name, given]) => (await import(file))[name](...given)"


def call(gallery: GalleryPage, file: str, name: str, *given: Any) -> Any:
    """Call a function of one of the page's scripts."""
    return gallery.page.evaluate(_CALL, [f"{gallery.scripts()}{file}", name, list(given)])


@pytest.mark.req("R-SCR-9")
def test_typed_numbers(gallery: GalleryPage) -> None:
    understood = {
        "3 7 12-15": [3, 7, 12, 13, 14, 15],
        "3,7;9\n10": [3, 7, 9, 10],
        "2 \u2013 4": [2, 3, 4],
        "5 5 4-6": [4, 5, 6],
        "": [],
    }
    for text, numbers in understood.items():
        assert call(gallery, "numbers.js", "parseNumbers", text) == {
            "numbers": numbers,
            "unreadable": [],
        }, text
    for word in ("x", "0", "9-3", "-4", "1-999999999", "12345678901", "1.5"):
        result = call(gallery, "numbers.js", "parseNumbers", f"{word} 2")
        assert result == {"numbers": [2], "unreadable": [word]}, word


def test_any_numbers_are_read_back_from_their_ranges(gallery: GalleryPage) -> None:
    @settings(max_examples=25)
    @given(st.sets(st.integers(1, 60), max_size=40))
    def check(numbers: set[int]) -> None:
        words: list[list[int]] = []
        for number in sorted(numbers):
            if words and words[-1][1] == number - 1:
                words[-1][1] = number
            else:
                words.append([number, number])
        text = " ".join(f"{first}-{last}" for first, last in words)
        result = call(gallery, "numbers.js", "parseNumbers", text)
        assert result == {"numbers": sorted(numbers), "unreadable": []}

    check()


def test_the_pace_leaves_out_breaks(gallery: GalleryPage) -> None:
    steady = [{"at": 6000 * index, "count": 1} for index in range(11)]
    assert call(gallery, "pace.js", "minutesLeft", steady, 100) == pytest.approx(10)
    after_lunch = [*steady, {"at": 4_000_000, "count": 1}]
    assert call(gallery, "pace.js", "minutesLeft", after_lunch, 100) == pytest.approx(10)
    assert call(gallery, "pace.js", "minutesLeft", steady[:3], 100) is None
    assert call(gallery, "pace.js", "minutesLeft", [], 100) is None


def test_the_progress_in_words(gallery: GalleryPage) -> None:
    sentences = {
        (312, 1204, 8.2): "312 of 1,204, about 8 min left",
        (0, 10, None): "0 of 10 decided",
        (9, 10, 0.2): "9 of 10, less than a minute left",
        (10, 10, 0): "10 of 10, all decided",
        (1, 10_000, 300): "1 of 10,000, about 5 h left",
        (0, 0, None): "0 of 0 decided",
    }
    for numbers, sentence in sentences.items():
        assert call(gallery, "pace.js", "progressSentence", *numbers) == sentence


def test_every_picture_stands_in_exactly_one_row(gallery: GalleryPage) -> None:
    """Also where groups break the rows; and each row is found at its own place."""
    check = """async ([file, groups, columns, grouped]) => {
      const { layOut, rowAt } = await import(file);
      const pictures = groups.map((group) => ({ group }));
      const measures = { columns, rowHeight: 50, headingHeight: 20, grouped };
      const { rows, height, rowOf } = layOut(pictures, measures);
      let top = 0;
      const cells = [];
      const ok = rows.every((row, index) => {
        const follows = row.top === top && rowAt(rows, top) === index
          && rowAt(rows, top + row.height - 1) === index;
        top += row.height;
        if (!row.heading) {
          for (let one = row.first; one < row.last; one += 1) cells.push([one, index]);
        }
        return follows && (row.heading || row.last - row.first <= columns);
      });
      return ok && top === height && cells.length === pictures.length
        && cells.every(([one, index], place) => one === place && rowOf[one] === index);
    }"""

    @settings(max_examples=25)
    @given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 7), st.booleans())
    def holds(sizes: list[int], columns: int, grouped: bool) -> None:
        groups = [str(index) for index, size in enumerate(sizes) for _ in range(size)]
        given = [f"{gallery.scripts()}layout.js", groups, columns, grouped]
        assert gallery.page.evaluate(check, given) is True

    holds()
