"""From a photo to a recommendation, while models come, go and break."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reds_pipeline.embedding.tiny import TinyEncoder
from reds_pipeline.errors import RedsError
from reds_pipeline.imaging.photo import Photo, read_photo
from reds_pipeline.imaging.resize import square
from reds_pipeline.tagging.live_state import NoModelYet
from reds_pipeline.tagging.photo_tagger import PhotoTagger
from reds_pipeline.tracking import HASHTAG_MODEL, REGISTERED_MODEL
from reds_pipeline_tests.tagging.served_home import (
    CLASSES,
    HASHTAGS,
    TRAINED_AT,
    ServedHome,
    bundle,
    drawn_photo,
    make_served_home,
    nonsense_bundle,
)

Make = Callable[..., ServedHome]

SECONDS = 60.0
"""After so long something is broken, not slow."""


@pytest.fixture
def make(tmp_path: Path, mlflow_database: Path) -> Make:
    def made(**settings: Any) -> ServedHome:
        return make_served_home(tmp_path / "home", database=mlflow_database, **settings)

    return made


@pytest.fixture
def served(make: Make) -> Iterator[tuple[ServedHome, PhotoTagger]]:
    home = make()
    with PhotoTagger(home.platform) as tagger:
        yield home, tagger


def photo(name: str = "cat", number: int = 0, **drawn: Any) -> Photo:
    return read_photo(drawn_photo(name, number, **drawn))


def wait_for(is_so: Callable[[], bool], *, pause: float = 0.01) -> None:
    waited = threading.Event()
    for _ in range(int(SECONDS / pause)):
        if is_so():
            return
        waited.wait(pause)
    raise AssertionError("it never came to be")


def serving(tagger: PhotoTagger, model: str = REGISTERED_MODEL) -> str:
    """Return the version of a model that serves, or nothing."""
    return next((each.version for each in tagger.state().models if each.name == model), "")


@pytest.mark.req("R-PRD-2")
@pytest.mark.parametrize("name", CLASSES)
def test_a_photo_gets_its_class_and_its_hashtags(
    name: str, served: tuple[ServedHome, PhotoTagger]
) -> None:
    _, tagger = served
    recommended = tagger.recommend(photo(name, 7, is_sunny=True))
    likely = {tag.display for tag in recommended.suggestions if tag.likelihood == "likely"}
    expected = {
        "bird": {"Bird"},
        "cat": {"Cat", "Cats", "FluffyTail"},
        "dog": {"Dog", "FluffyTail"},
    }
    assert likely == expected[name] | {"Sunny"}
    assert recommended.is_sure
    assert recommended.suggestions[0].rank == 1
    assert (recommended.width, recommended.height, recommended.is_cropped) == (320, 240, True)
    assert (recommended.opinions, recommended.agreement) == ((), None)


@pytest.mark.req("R-PRD-4")
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_the_chances_are_those_of_the_square_that_the_training_sees(
    file_format: str, served: tuple[ServedHome, PhotoTagger]
) -> None:
    """Bit by bit, or what was measured of the model says nothing about the page."""
    _, tagger = served
    data = drawn_photo("dog", 3, size=(700, 400), file_format=file_format)
    features = TinyEncoder()(square(data, 224)[0][None])
    expected = dict(zip(CLASSES, bundle("classes").predict(features)[0], strict=True))
    said = tagger.recommend(read_photo(data)).suggestions
    found = {tag.tag: tag.probability for tag in said if tag.model == REGISTERED_MODEL}
    assert found
    assert found == {name: expected[name] for name in found}


@pytest.mark.req("R-IMP-3")
def test_all_ways_of_looking_can_be_compared(served: tuple[ServedHome, PhotoTagger]) -> None:
    """A panorama of which the middle shows a cat, and everything else dogs."""
    _, tagger = served
    dogs, cat = (
        np.asarray(Image.open(_file(drawn_photo(name, 5, size=size, file_format="PNG"))))
        for name, size in (("dog", (1500, 300)), ("cat", (300, 300)))
    )
    panorama = dogs.copy()
    panorama[:, 600:900] = cat
    shown = read_photo(_png(panorama))
    compared = tagger.recommend(shown, compare=True)
    said = {each.view: each for each in compared.opinions}
    assert (said["centre"].tag, said["centre"].looks) == ("cat", 1)
    assert (said["windows"].tag, said["windows"].share > 0.5) == ("dog", True)
    assert said["windows"].looks == len(shown.windows())
    assert compared.agreement == pytest.approx(
        sum(each.tag == "cat" for each in compared.opinions) / 3
    )
    in_windows = tagger.recommend(shown, view="windows")
    of_classes = [tag.tag for tag in in_windows.suggestions if tag.model == REGISTERED_MODEL]
    assert (of_classes[0], in_windows.is_cropped) == ("dog", False)
    assert in_windows.opinions == ()


def test_models_say_who_they_are(served: tuple[ServedHome, PhotoTagger]) -> None:
    _, tagger = served
    classes, tags = tagger.state().models
    assert (classes.name, classes.version, classes.kind) == (REGISTERED_MODEL, "1", "classes")
    assert (tags.name, tags.kind, tags.tags) == (HASHTAG_MODEL, "tags", HASHTAGS)
    assert (classes.backbone, classes.trained_at) == ("tiny", TRAINED_AT)
    assert classes.serving_since.endswith("Z")
    assert tagger.state().problem == ""
    assert tagger.recommend(photo()).models == (classes, tags)


def test_a_tag_is_explained_in_whatever_spelling(served: tuple[ServedHome, PhotoTagger]) -> None:
    _, tagger = served
    explained = tagger.explain(photo("cat"), "#fluffytail")
    assert Image.open(_file(explained.picture)).format == "JPEG"
    assert "FluffyTail" in explained.sentence


@pytest.mark.parametrize("tag", ["whale", "", "🌸"])
def test_a_tag_that_no_model_knows_is_not_explained(
    tag: str, served: tuple[ServedHome, PhotoTagger]
) -> None:
    _, tagger = served
    with pytest.raises(RedsError, match="No model that serves now knows this tag"):
        tagger.explain(photo(), tag)


def test_without_a_model_it_is_not_ready_and_becomes_so_by_itself(make: Make) -> None:
    home = make(versions=0)
    with PhotoTagger(home.platform, follow=True) as tagger:
        assert tagger.wait_until_looked(SECONDS)
        assert not tagger.state().is_ready
        assert "There is no model in" in tagger.state().problem
        with pytest.raises(NoModelYet, match="used as soon as it is there") as refused:
            tagger.recommend(photo())
        assert str(home.platform.home.root) not in str(refused.value)
        home.promote(home.add_version())
        wait_for(lambda: tagger.state().is_ready)
        assert tagger.state().problem == ""
        assert tagger.recommend(photo()).suggestions[0].display == "Cat"


def test_a_model_of_hashtags_joins_later(make: Make) -> None:
    home = make(hashtags=False)
    with PhotoTagger(home.platform) as tagger:
        assert [model.name for model in tagger.recommend(photo()).models] == [REGISTERED_MODEL]
        home.promote(home.add_version("tags"), "tags")
        tagger.look_again()
        said = tagger.recommend(photo())
        assert [model.name for model in said.models] == [REGISTERED_MODEL, HASHTAG_MODEL]


def test_a_promotion_under_load_loses_no_request_and_mixes_no_versions(make: Make) -> None:
    """Every answer must be exactly that of one version, told by its chances."""
    home = make(versions=4, hashtags=False)
    shown = photo("cat", 1)
    features = TinyEncoder()(shown.square(224)[None])
    chance_of = {
        version: float(bundle("classes", int(version)).predict(features)[0, CLASSES.index("cat")])
        for version in ("1", "2", "3", "4")
    }
    assert len(set(chance_of.values())) == 4
    is_over, seen = threading.Event(), set()

    def has_answered(tagger: PhotoTagger, version: str) -> bool:
        return serving(tagger) == version and version in seen

    def ask(tagger: PhotoTagger) -> int:
        answers = 0
        while not is_over.is_set():
            recommended = tagger.recommend(shown)
            (model,) = recommended.models
            first = recommended.suggestions[0]
            assert (first.tag, first.version) == ("cat", model.version)
            assert first.probability == chance_of[model.version]
            seen.add(model.version)
            answers += 1
        return answers

    with PhotoTagger(home.platform, follow=True) as tagger, ThreadPoolExecutor(8) as pool:
        wait_for(lambda: tagger.state().is_ready)
        asking = [pool.submit(ask, tagger) for _ in range(8)]
        try:
            for version in ("2", "3", "1", "4"):
                home.promote(version)
                wait_for(partial(has_answered, tagger, version))
        finally:
            is_over.set()
        assert all(future.result(SECONDS) > 0 for future in asking)
    assert seen == set(chance_of)


@pytest.mark.parametrize("harm", ["damaged", "another encoder"])
def test_a_broken_version_leaves_the_old_one_serving_and_says_so(
    harm: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    home = make(model_check_seconds=60)
    with PhotoTagger(home.platform) as tagger:
        bad = home.add_version(of=nonsense_bundle() if harm == "another encoder" else None)
        if harm == "damaged":
            home.damage(bad)
        home.promote(bad)
        with caplog.at_level(logging.ERROR, "reds_pipeline.tagging"):
            tagger.look_again()
        assert serving(tagger) == "1"
        assert tagger.recommend(photo()).models[0].version == "1"
        assert tagger.state().is_ready
        problem = tagger.state().problem
        assert problem.startswith("Version 2 of reds-tagger could not be loaded (")
        assert problem.endswith("), so version 1 goes on serving.")
        (record,) = caplog.records
        assert not record.exc_info, "a traceback says nothing to an operator"
        assert problem in caplog.text
        caplog.clear()
        tagger.look_again()
        assert caplog.records == [], "it was tried again at once, or said twice"
        good = home.add_version()
        home.promote(good)
        tagger.look_again()
        assert (serving(tagger), tagger.state().problem) == (good, "")


def test_a_broken_version_is_tried_again_after_a_while(make: Make) -> None:
    """What was copied half may be whole by then."""
    home = make()
    with PhotoTagger(home.platform, follow=True) as tagger:
        wait_for(lambda: tagger.state().is_ready)
        version = home.add_version()
        registered = home.platform.tracking.version(version)
        assert registered is not None
        files = home.platform.home.artifacts / registered.run_id / "artifacts"
        files.rename(files.with_name("away"))
        home.promote(version)
        wait_for(lambda: "could not be loaded" in tagger.state().problem)
        files.with_name("away").rename(files)
        wait_for(lambda: serving(tagger) == version)
        assert tagger.state().problem == ""


def test_mlflow_may_be_away_for_a_while(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page goes on with what it has, and catches up by itself."""
    # Otherwise an open connection goes on reading the file that was moved away.
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    home = make(versions=2)
    with PhotoTagger(home.platform, follow=True) as tagger:
        wait_for(lambda: len(tagger.state().models) == 2)
        database = home.platform.home.root / "mlflow.sqlite"
        away = database.rename(database.with_name("away.sqlite"))
        wait_for(lambda: "MLflow could not be asked" in tagger.state().problem)
        assert "goes on serving" in tagger.state().problem
        assert tagger.recommend(photo()).suggestions[0].display == "Cat"
        away.replace(database)
        home.promote("2")
        wait_for(lambda: (serving(tagger), tagger.state().problem) == ("2", ""))


def test_a_champion_that_was_taken_away_goes_on_until_there_is_another(make: Make) -> None:
    home = make()
    with PhotoTagger(home.platform) as tagger:
        home.platform.tracking.remove_alias("champion")
        tagger.look_again()
        assert serving(tagger) == "1"
        assert "No version of reds-tagger is the champion any more" in tagger.state().problem


def test_both_models_share_one_encoder_and_let_go_of_it(make: Make) -> None:
    """A second one would cost its memory and its time for every photo."""
    home = make(versions=2)
    with PhotoTagger(home.platform) as tagger:
        assert len(_encoder_threads()) == 1
        home.promote("2")
        tagger.look_again()
        assert serving(tagger) == "2"
        assert len(_encoder_threads()) == 1
    wait_for(lambda: not _encoder_threads())


def _encoder_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("encoder ")]


def _file(data: bytes) -> Any:
    return io.BytesIO(data)


def _png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    file = _file(b"")
    Image.fromarray(pixels).save(file, "PNG")
    return bytes(file.getvalue())
