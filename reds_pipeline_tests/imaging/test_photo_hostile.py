"""Whoever sends a file to do harm gets one reason, and costs no more than the stated memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.photo import read_photo
from reds_pipeline.imaging.photo_memory import memory_needed
from reds_pipeline.imaging.photo_sentences import SENTENCES
from reds_pipeline_tests.hostile_files import (
    SCRIPT,
    HostileFile,
    KindFile,
    hostile_files,
    kind_files,
)

# Peak beyond what the process held before, of all files one after the other: the decoders' own
# tables and what the allocator does not give back.
STATED_MEGABYTES = 100

_WATCH = """
import json, sys
from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.photo import read_photo
from reds_pipeline_tests.hostile_files import heic, hostile_files, kind_files

def memory(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(name))

bad, good = hostile_files(), kind_files()
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before, refused = memory("VmRSS"), 0
for file in bad:
    try:
        read_photo(file.data)
    except ImageRejected:
        refused += 1
for file in good:
    photo = read_photo(file.data)
    photo.windows(), photo.preview(), photo.stored()
print(json.dumps({"refused": refused, "megabytes": memory("VmHWM") - before}))
"""


@pytest.mark.req("R-PRD-5")
@pytest.mark.parametrize("file", hostile_files(), ids=lambda file: file.name)
def test_it_is_refused_for_the_reason(file: HostileFile) -> None:
    with pytest.raises(ImageRejected) as refusal:
        read_photo(file.data)
    assert refusal.value.reason == file.expected_reason
    assert refusal.value.reason in SENTENCES


def test_there_are_more_than_200_different_ones() -> None:
    files = hostile_files()
    assert len({file.name for file in files}) == len({file.data for file in files}) == len(files)
    assert len(files) > 200


@pytest.mark.parametrize("file", kind_files(), ids=lambda file: file.name)
def test_an_odd_photo_is_taken_without_what_it_carries(file: KindFile) -> None:
    photo = read_photo(file.data)
    stored, _extension = photo.stored()
    assert (photo.width, photo.height) == file.size
    assert SCRIPT not in stored + photo.preview()
    assert len(stored) < 1_000_000


@pytest.mark.parametrize("file", kind_files(), ids=lambda file: file.name)
def test_the_header_says_enough_to_let_it_in(file: KindFile) -> None:
    width, height = file.size
    assert memory_needed(file.data) > width * height * 4


@pytest.mark.req("R-PRD-5")
def test_all_of_them_together_stay_below_the_stated_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WATCH], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    assert answer["refused"] == len(hostile_files())
    assert answer["megabytes"] < STATED_MEGABYTES
