from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import nltk.data
import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.lexicon import wordnet as wordnet_module
from reds_pipeline.lexicon.wordnet import (
    WordNetMissing,
    load_wordnet,
    read_dictionary,
    wordnet_location,
)

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

_BROAD_CATEGORIES = {
    "cat": "noun.animal",
    "flower": "noun.plant",
    "thursday": "noun.time",
    "love": "noun.feeling",
    "entity": "noun.Tops",
}


def _copy_of_the_dictionary(destination: Path) -> Path:
    """The dictionary of this machine, as Debian lays it out, whichever source it came from."""
    destination.mkdir(parents=True)
    found = wordnet_location()
    assert found is not None
    source = Path(found)
    if source.is_dir():
        for file in source.iterdir():
            if file.is_file() and file.name != "lexnames":
                shutil.copy(file, destination / file.name)
    else:
        archive = Path(found.split(".zip")[0] + ".zip")
        with zipfile.ZipFile(archive) as zipped:
            for name in zipped.namelist():
                if not name.endswith(("/", "lexnames")):
                    (destination / Path(name).name).write_bytes(zipped.read(name))
    return destination


def _no_dictionary_but(
    monkeypatch: pytest.MonkeyPatch, directory: Path, nltk_paths: list[str]
) -> None:
    monkeypatch.setattr(nltk.data, "path", nltk_paths)
    monkeypatch.setattr(wordnet_module, "DEBIAN_DIRECTORY", directory)
    monkeypatch.setattr(wordnet_module, "unpacked_directory", lambda: directory)
    wordnet_module._load.cache_clear()


@pytest.fixture(autouse=True)
def _forget_what_was_loaded() -> Iterator[None]:
    yield
    wordnet_module._load.cache_clear()


def test_is_version_three_with_its_broad_categories(wordnet: WordNetCorpusReader) -> None:
    assert wordnet.get_version() == "3.0"
    named = {word: wordnet.synsets(word, pos="n")[0].lexname() for word in _BROAD_CATEGORIES}
    assert named == _BROAD_CATEGORIES


def test_reads_debians_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = _copy_of_the_dictionary(tmp_path / "wordnet")
    _no_dictionary_but(monkeypatch, directory, [])
    assert wordnet_location() == str(directory)
    assert load_wordnet().synset("cat.n.01").lexname() == "noun.animal"


def test_prefers_nltks_own_corpus_even_zipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NLTK's download stays a zip file on most machines."""
    directory = _copy_of_the_dictionary(tmp_path / "wordnet")
    corpora = tmp_path / "nltk_data" / "corpora"
    corpora.mkdir(parents=True)
    with zipfile.ZipFile(corpora / "wordnet.zip", "w") as zipped:
        zipped.writestr("wordnet/", "")
        for file in directory.iterdir():
            zipped.write(file, f"wordnet/{file.name}")
    _no_dictionary_but(monkeypatch, directory, [str(tmp_path / "nltk_data")])
    location = wordnet_location()
    assert location is not None
    assert "wordnet.zip" in location
    assert load_wordnet().synset("dog.n.01").lexname() == "noun.animal"


def test_half_a_dictionary_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = _copy_of_the_dictionary(tmp_path / "wordnet")
    (directory / "data.noun").unlink()
    _no_dictionary_but(monkeypatch, directory, [])
    assert wordnet_location() is None


def test_a_missing_dictionary_is_one_sentence_with_both_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _no_dictionary_but(monkeypatch, tmp_path, [])
    with pytest.raises(WordNetMissing) as raised:
        load_wordnet()
    assert isinstance(raised.value, RedsError)
    assert "reds_pipeline.lexicon.install_wordnet" in str(raised.value)
    assert "apt-get install wordnet-base" in str(raised.value)


def test_threads_share_one_reader_and_read_whole_lines() -> None:
    """The reader seeks in open files: unlocked, threads get each other's synsets."""
    words = ["cat", "dog", "flower", "bird", "car", "boat", "tree", "river", "bread", "guitar"]

    def kinds(word: str) -> tuple[int, int]:
        reader = load_wordnet()
        closure = set(reader.synsets(word, pos="n")[0].closure(lambda kind: kind.hyponyms()))
        return id(reader), len(closure)

    expected_reader = _another_reader()
    expected = [
        len(set(expected_reader.synsets(word, pos="n")[0].closure(lambda kind: kind.hyponyms())))
        for word in words
    ]
    wordnet_module._load.cache_clear()
    with ThreadPoolExecutor(len(words)) as pool:
        found = list(pool.map(kinds, words))
    assert len({reader for reader, _ in found}) == 1
    assert [size for _, size in found] == expected


def _another_reader() -> WordNetCorpusReader:
    """A second reader of the same dictionary, used by one thread alone."""
    return read_dictionary(wordnet_module._nltk_corpus() or wordnet_module._debian_dictionary())
