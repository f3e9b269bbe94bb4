"""``reds run`` where a host gives too little to train on: sentences that say why, in order."""

from __future__ import annotations

from pathlib import Path

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.demo.wiretap import Fault
from reds_pipeline_tests.end_to_end.conftest import Install

TIMELINES = "/api/v1/timelines/"


def test_what_went_wrong_before_is_said_before_the_run_ends_for_it(
    tmp_path: Path, install: Install
) -> None:
    with EmbeddedInstance(Town.build(images_per_class=2)) as instance:
        instance.spoil(Fault(f"{TIMELINES}tag/dog", status=403, times=None, body="{}"))
        instance.spoil(Fault(TIMELINES, status=200, times=None, body="[]"))
        reds = install(tmp_path / "home", instance, REDS_CLASSES="cat,dog")
        errors = reds("run", expect=1).stderr.splitlines()
    of_dog, last = errors[-2:]
    assert of_dog.startswith("dog: ")
    assert "REDS_HOST_TOKEN" in of_dog
    assert last.startswith("No picture of cat, dog is left to learn from")
