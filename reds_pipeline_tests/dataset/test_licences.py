from __future__ import annotations

import pytest

from reds_pipeline.dataset.licences import (
    OPEN,
    SHARING_LEVELS,
    Sharing,
    common_licence,
    display_name,
    may_be_exported,
)
from reds_pipeline.fediverse.attachments import OPEN_LICENCES


@pytest.mark.parametrize(
    ("licence", "levels"),
    [
        ("CC0", {"free", "open", "all"}),
        ("Public Domain", {"free", "open", "all"}),
        ("CC BY", {"open", "all"}),
        ("CC BY-NC-ND", {"open", "all"}),
        ("", {"all"}),
        ("a licence nobody has heard of", {"all"}),
    ],
)
def test_a_picture_goes_only_where_its_licence_lets_it(licence: str, levels: set[Sharing]) -> None:
    assert {level for level in SHARING_LEVELS if may_be_exported(licence, level)} == levels


def test_every_open_licence_of_a_post_is_known_here() -> None:
    assert set(OPEN) == OPEN_LICENCES
    assert len({licence.address for licence in OPEN.values()}) == len(OPEN)
    assert OPEN["CC BY-NC-SA"].address == "https://creativecommons.org/licenses/by-nc-sa/4.0/"
    assert OPEN["CC BY-NC-SA"].identifier == "cc-by-nc-sa-4.0"


@pytest.mark.parametrize(
    ("licences", "common"),
    [({"CC BY"}, "CC BY"), ({"CC BY", ""}, ""), ({"CC BY", "CC0"}, ""), ({""}, "")],
)
def test_contradicting_licences_of_one_file_reserve_all_rights(
    licences: set[str], common: str
) -> None:
    assert common_licence(licences) == common


def test_no_licence_is_said_in_words() -> None:
    assert display_name("") == "all rights reserved, or not stated"
    assert display_name("CC BY") == "CC BY 4.0"
