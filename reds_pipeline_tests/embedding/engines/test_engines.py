"""What engines give, on a network small enough to be converted in a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.engines.available import ENGINES, engine_named, lacking_by_engine
from reds_pipeline.embedding.engines.engine import REFERENCE, BuildRequest
from reds_pipeline.embedding.engines.measurement import Sample, measure_engine
from reds_pipeline.embedding.timm_backbone import TimmEncoder
from reds_pipeline.errors import RedsError
from reds_pipeline_tests.embedding.networks import OTHER_SIZE_NETWORK, write_weights

PICTURES = 6


@pytest.fixture(scope="module")
def request_of_engine(tmp_path_factory: pytest.TempPathFactory) -> BuildRequest:
    directory = tmp_path_factory.mktemp("engines")
    encoder = TimmEncoder(OTHER_SIZE_NETWORK, write_weights(directory, OTHER_SIZE_NETWORK))
    return BuildRequest(
        encoder=lambda: encoder,
        dimension=encoder.dimension,
        threads=1,
        directory=directory / "kept",
        calibration=lambda: _pictures(encoder.input_size),
    )


def _pictures(side: int) -> NDArray[np.uint8]:
    generator = np.random.default_rng(3)
    coarse = generator.integers(0, 255, (PICTURES, side // 16, side // 16, 3), dtype=np.uint8)
    return coarse.repeat(16, axis=1).repeat(16, axis=2)


@pytest.mark.parametrize("name", ["pytorch", "openvino", "onnxruntime"])
def test_float32_gives_what_the_reference_gives(name: str, request_of_engine: BuildRequest) -> None:
    """Batches that do not divide the pictures, and the normalisation inside the graph, included."""
    encoder = request_of_engine.encoder()
    images = _pictures(encoder.input_size)
    features = engine_named(name).build(request_of_engine)(images, 4)
    expected = encoder(images)
    assert features.dtype == np.float32
    assert np.abs(features - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["pytorch-bf16", "openvino-bf16", "openvino-mixed"])
def test_shorter_formats_are_measured_or_said_to_be_absent(
    name: str, request_of_engine: BuildRequest
) -> None:
    encoder = request_of_engine.encoder()
    images = _pictures(encoder.input_size)
    engine = engine_named(name)
    result = measure_engine(engine, request_of_engine, Sample(images), encoder(images))
    assert (result.lowest_cosine is None) == bool(engine.lacking())
    assert result.lowest_cosine is None or result.lowest_cosine > 0.98
    assert result.refusal or result.rate > 0


def test_a_converted_network_needs_the_original_no_more(request_of_engine: BuildRequest) -> None:
    """A later run with few new pictures then loads no deep learning library."""
    images = _pictures(160)
    engine = engine_named("openvino")
    first = engine.build(request_of_engine)(images, 2)

    def gone() -> TimmEncoder:
        raise AssertionError("the network itself is not needed")

    later = BuildRequest(
        encoder=gone,
        dimension=request_of_engine.dimension,
        threads=1,
        directory=request_of_engine.directory,
        calibration=lambda: images,
    )
    np.testing.assert_array_equal(engine.build(later)(images, 2), first)


def test_a_damaged_conversion_is_made_again(
    request_of_engine: BuildRequest, tmp_path: Path
) -> None:
    request = BuildRequest(
        encoder=request_of_engine.encoder,
        dimension=request_of_engine.dimension,
        threads=1,
        directory=tmp_path,
        calibration=request_of_engine.calibration,
    )
    (tmp_path / "openvino.xml").write_text("<net cut short")
    images = _pictures(160)
    features = engine_named("openvino").build(request)(images, 4)
    np.testing.assert_allclose(features, request.encoder()(images), atol=1e-4)


def test_whole_numbers_of_other_pictures_get_another_store(tmp_path: Path) -> None:
    """Ranges taken from other pictures make another function, so its numbers stay apart."""
    engine = engine_named("openvino-int8")
    names = {engine.store_name("net-1-2", tmp_path)}
    for content in ("one", "other"):
        for suffix in (".xml", ".bin"):
            (tmp_path / f"openvino-int8{suffix}").write_text(content)
        names.add(engine.store_name("net-1-2", tmp_path))
    assert len(names) == 3
    assert all(name.startswith("net-1-2-openvino-int8") for name in names)


def test_only_the_reference_keeps_the_name_that_older_versions_know(tmp_path: Path) -> None:
    names = {engine.name: engine.store_name("net-1-2", tmp_path) for engine in ENGINES}
    assert names.pop(REFERENCE) == "net-1-2"
    assert names == {name: f"net-1-2-{name}" for name in names}


def test_what_is_not_here_is_said_in_words() -> None:
    lacking = lacking_by_engine()
    assert lacking[REFERENCE] == ""
    assert set(lacking) == {engine.name for engine in ENGINES}
    with pytest.raises(RedsError, match="auto or one of pytorch"):
        engine_named("abacus")
