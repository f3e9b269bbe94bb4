from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_the_agreed_ones() -> None:
    settings = load_settings()
    assert settings.home == Path(".reds")
    assert settings.raw_per_class == 2000
    assert settings.images_per_class == 1000
    assert settings.class_count == 5
    assert settings.sample_posts == 1000
    assert settings.backbones == ("vit_base_patch16_224", "vgg16")
    assert settings.obey_ai_robots


def test_sources_win_in_the_documented_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "reds.toml").write_text(
        'home = "home"\nseed = 1\nclass_count = 3\nclasses = ["cat"]\n'
    )
    assert load_settings().seed == 1
    (tmp_path / "home" / "reds.toml").write_text("seed = 2\nclass_count = 4\n")
    assert load_settings().seed == 2
    monkeypatch.setenv("REDS_SEED", "3")
    assert load_settings().seed == 3
    assert load_settings(seed=4).seed == 4
    assert load_settings().class_count == 4
    assert load_settings().classes == ("cat",)


def test_the_settings_file_of_the_home_that_was_chosen_counts(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "reds.toml").write_text(f"seed = {seed}\n")
    assert load_settings(home=tmp_path / "one").seed == 1
    assert load_settings(home=tmp_path / "two").seed == 2


@pytest.mark.parametrize(
    ("text", "names"),
    [("cat,dog", ("cat", "dog")), (" cat , dog ,", ("cat", "dog")), ("", ())],
)
def test_lists_are_given_with_commas(
    monkeypatch: pytest.MonkeyPatch, text: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("REDS_CLASSES", text)
    assert load_settings().classes == names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDS_SEED", "-1"),
        ("REDS_IMAGES_PER_CLASS", "many"),
        ("REDS_INDEXABLE", "maybe"),
        ("REDS_PERCEPTUAL_RADIUS", "40"),
        ("REDS_REQUESTS_PER_SECOND", "0"),
        ("REDS_BACKBONES", "tiny,tiny"),
    ],
)
def test_a_wrong_value_is_a_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(RedsError, match=name):
        load_settings()


@pytest.mark.parametrize(
    "name", ["DAGSTER_HOME", "REDS_WEIGHTS_DIR", "REDS_BACKBONES", "REDS_SEED", "REDS_HOME"]
)
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    defaults = load_settings()
    monkeypatch.setenv(name, "")
    assert load_settings() == defaults
    assert load_settings().dagster_home is None
    assert load_settings().home == Path(".reds")


def test_a_misspelt_name_in_the_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "reds.toml").write_text("clases = 3\n")
    with pytest.raises(RedsError, match="clases"):
        load_settings()


def test_the_token_does_not_show() -> None:
    assert "very-secret" not in repr(load_settings(host_token="very-secret"))


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
