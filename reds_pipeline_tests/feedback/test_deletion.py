from __future__ import annotations

import pytest

from reds_pipeline.feedback.contributions import contributions, store_contribution
from reds_pipeline.feedback.deletion import (
    CONTRIBUTION,
    delete_outdated,
    is_withdrawn,
    learnt_from,
    outdated,
)
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import CONTRIBUTED, write_rows
from reds_pipeline.withdrawal.tombstones import picture_keys
from reds_pipeline_tests.feedback.test_contributions import PHOTO, made

LOOK = "0123456789abcdef"


def changed(look: str, bits: int) -> str:
    return f"{int(look, 16) ^ sum(1 << 13 * bit for bit in range(bits)):016x}"


@pytest.mark.req("R-IMP-6")
@pytest.mark.parametrize(
    ("withdrawn", "is_one"),
    [
        (("sha256", "b" * 64, ""), True),
        (("look", "", LOOK), True),
        (("look", "", changed(LOOK, 2)), True),
        (("look", "", changed(LOOK, 3)), False),
        (("another", "c" * 64, "f" * 16), False),
    ],
    ids=["its bytes", "its look", "a copy saved again", "alike", "another picture"],
)
@pytest.mark.parametrize("which", ["perceptual_hash", "mirrored_hash"])
def test_a_withdrawn_picture_is_recognised_by_bytes_and_by_nearly_its_look(
    home: Home, withdrawn: tuple[str, str, str], is_one: bool, which: str
) -> None:
    looks = {"perceptual_hash": "8" * 16, "mirrored_hash": "8" * 16} | {which: LOOK}
    photo = made(1, **looks)
    tombstones = picture_keys(home.keyed_hash, withdrawn[1], withdrawn[2])
    assert is_withdrawn(photo, tombstones, home.keyed_hash) == is_one


def test_a_photo_goes_after_its_time_unless_something_learns_from_it(
    home: Home, ledger: Ledger
) -> None:
    for number in (1, 2, 3):
        store_contribution(home, made(number, delete_after=f"2026-12-{number:02}"), PHOTO)
    rows = [
        {"contribution_id": made(number).id, "sha256": "b" * 64, "kept": number == 2}
        for number in (1, 2)
    ]
    write_rows(home.table("contributed_dataset"), rows, CONTRIBUTED)
    assert learnt_from(home) == {made(2).id}
    at_noon = "2026-12-02T12:00:00Z"
    assert {each.id for each in outdated(home, (), now=at_noon)} == {made(1).id}
    store_contribution(home, made(4, delete_after="2026-01-01"), PHOTO)
    assert delete_outdated(home, ledger, ()) == 1
    assert [each.id for each in contributions(home)] == [made(number).id for number in (1, 2, 3)]
    [event] = ledger.events(CONTRIBUTION)
    assert (event["subject"], event["event"], event["why"]) == (made(4).id, "deleted", "time")
