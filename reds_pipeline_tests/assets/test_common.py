from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline.assets.common import markdown_table, picture, plain_failures
from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings


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
