from __future__ import annotations

import re
import shutil
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline.assets.common import markdown_table, picture, plain_failures
from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import read_rows
from reds_pipeline.storage.workers import at_work
from reds_pipeline.withdrawal import requests
from reds_pipeline.withdrawal.withdraw import WithdrawalRequest, withdraw
from reds_pipeline_tests import held_home


class HostIsDown(RedsError):
    retryable = True


def failing_with(error: Exception, platform: Platform) -> None:
    @plain_failures
    def asset(platform: Platform) -> dg.MaterializeResult:
        raise error

    asset(platform=platform)


@pytest.mark.parametrize("attended", [True, False])
def test_a_sentence_becomes_the_failure_and_is_not_tried_again(
    tmp_path: Path, attended: bool
) -> None:
    platform = Platform(load_settings(home=tmp_path), attended=attended)
    with pytest.raises(dg.Failure) as caught:
        failing_with(RedsError("The token is wrong; set another."), platform)
    assert caught.value.description == "The token is wrong; set another."
    assert not caught.value.allow_retries


def test_what_may_pass_is_tried_again_only_while_nobody_waits(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    with pytest.raises(dg.RetryRequested):
        failing_with(HostIsDown("down"), Platform(settings))
    with pytest.raises(dg.Failure):
        failing_with(HostIsDown("down"), Platform(settings, attended=True))


def test_the_unexpected_is_one_line_too(tmp_path: Path) -> None:
    platform = Platform(load_settings(home=tmp_path))
    with pytest.raises(dg.Failure) as caught:
        failing_with(KeyError("first\nsecond"), platform)
    description = caught.value.description or ""
    assert "KeyError" in description
    assert "\n" not in description


@pytest.mark.parametrize(
    "text",
    ["![](http://evil.example/x.png)", "<script>", "a|b", "line\nbreak", "\x1b[31mred", "`code`"],
)
def test_words_of_posts_do_nothing_in_a_table(text: str) -> None:
    shown = markdown_table([{"tag": text}]).md_str or ""
    cell = shown.splitlines()[2]
    assert re.findall(r"(?<!\\)[|<`!\[]", cell) == ["|", "|"]
    assert "\x1b" not in cell


def test_numbers_are_rounded_and_empty_tables_say_so() -> None:
    assert "0.333" in (markdown_table([{"share": 1 / 3}]).md_str or "")
    assert markdown_table([]).md_str == "nothing"


@pytest.mark.parametrize(
    ("data", "media_type"), [(b"\x89PNG...", "image/png"), (b"\xff\xd8...", "image/jpeg")]
)
def test_pictures_name_their_type(data: bytes, media_type: str) -> None:
    assert f"](data:{media_type};base64," in (picture(data, "x").md_str or "")


@pytest.mark.req("R-SCR-11")
def test_a_stage_that_a_withdrawal_takes_something_from_goes_on_without_it(
    tmp_path: Path, mlflow_database: Path
) -> None:
    home = held_home.fill(tmp_path)
    shutil.copyfile(mlflow_database, tmp_path / "mlflow.sqlite")
    # Somebody waits for the result, so that nothing is tried again in a minute.
    platform = Platform(load_settings(home=tmp_path), attended=True)
    [store] = [store for store in home.array_stores() if store.root.parent.name == "tensors"]
    table = home.table("curated_dataset")
    taken = read_rows(table)[0]["sha256"]
    passes: list[set[str]] = []

    @plain_failures
    def stage(platform: Platform) -> dg.MaterializeResult:
        keys = sorted({row["sha256"] for row in read_rows(table)})
        passes.append(set(keys))
        if len(passes) == 1:
            # Somebody asks while the pipeline works, and is not made to wait for it.
            with at_work(home.lock("run"), "`reds run`"):
                asked = WithdrawalRequest(requests.picture(taken, 0), why="asked")
                assert withdraw(home, platform.ledger, platform.tracking, asked).is_finished
        store.read(keys)
        return dg.MaterializeResult(metadata={"pictures": len(keys)})

    result = stage(platform=platform)
    assert taken in passes[0]
    assert passes[1] == passes[0] - {taken}
    assert result.metadata == {"pictures": len(passes[1])}


def test_what_is_gone_for_good_is_a_sentence_after_some_attempts(tmp_path: Path) -> None:
    attempts: list[int] = []

    @plain_failures
    def stage(platform: Platform) -> dg.MaterializeResult:
        attempts.append(1)
        Home(tmp_path).tensors("square224-rule").read(["gone"])
        raise AssertionError

    with pytest.raises(dg.Failure, match="1 of 1 pictures have no numbers"):
        stage(platform=Platform(load_settings(home=tmp_path), attended=True))
    assert 1 < len(attempts) < 10
