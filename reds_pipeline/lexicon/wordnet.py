"""Finding and loading WordNet: NLTK's own corpus, else Debian's dictionary.

What belongs here: where the dictionary is and how it becomes an NLTK corpus reader. What does
not: getting it onto the machine (``install_wordnet.py``) and questions asked of it
(``semantics.py``).

Both sources hold WordNet 3.0. NLTK's reader refuses Debian's copy for three reasons, each met
here: its directory must be on NLTK's data path, its file of lexicographer names is absent (the
45 names are fixed), and the mapping to other WordNet versions, which only the multilingual
functions need, wants a second download.
"""

from __future__ import annotations

import io
import sys
import warnings
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from reds_pipeline.errors import RedsError

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

DEBIAN_DIRECTORY = Path("/usr/share/wordnet")
_FILES_OF_A_DICTIONARY = ("index.noun", "data.noun", "noun.exc", "cntlist.rev")

# lexnames(5WN): the position in this list is the file number that the data files use.
_LEXICOGRAPHER_FILES = (
    ("adj", "all pert", 3),
    ("adv", "all", 4),
    (
        "noun",
        "Tops act animal artifact attribute body cognition communication event feeling food group"
        " location motive object person phenomenon plant possession process quantity relation"
        " shape state substance time",
        1,
    ),
    (
        "verb",
        "body change cognition communication competition consumption contact creation emotion"
        " motion perception possession social stative weather",
        2,
    ),
    ("adj", "ppl", 3),
)

# Files that the reader goes through once, from beginning to end, when it is made.
_READ_ONCE = ("index.", "noun.exc", "verb.exc", "adj.exc", "adv.exc")

_loading = RLock()


class WordNetMissing(RedsError):
    """No WordNet dictionary on this machine; the sentence names both remedies."""

    def __init__(self) -> None:
        super().__init__(
            "WordNet is not on this machine, so hashtags cannot become lemmas: run `python -m "
            "reds_pipeline.lexicon.install_wordnet` where the network can be reached, or install "
            "Debian's package with `apt-get install wordnet-base`."
        )


def unpacked_directory() -> Path:
    """Where Debian's dictionary lies when it was unpacked without root."""
    return Path(sys.prefix) / "share" / "wordnet"


def wordnet_location() -> str | None:
    """The path of the dictionary that ``load_wordnet`` would read, or None if there is none."""
    root = _nltk_corpus() or _debian_dictionary()
    return None if root is None else str(root)


def load_wordnet() -> WordNetCorpusReader:
    """The WordNet 3.0 reader: loaded on the first call (about 1.3 s), shared by all later ones.

    Safe to call, and the reader safe to ask, from several threads at once.

    Raises:
        WordNetMissing: If neither source is on this machine.
    """
    with _loading:
        return _load()


@lru_cache(maxsize=1)
def _load() -> WordNetCorpusReader:
    nltk_corpus = _nltk_corpus()
    if nltk_corpus is not None:
        return read_dictionary(nltk_corpus)
    directory = _debian_dictionary()
    if directory is None:
        raise WordNetMissing
    return read_dictionary(directory)


def read_dictionary(root: Any) -> WordNetCorpusReader:
    """Read one dictionary, without caching it.

    Args:
        root: The directory (Path) of WordNet's files, or NLTK's pointer to its own corpus.
    """
    import nltk.data

    # The reader refuses a directory that is not on NLTK's own list of places to trust.
    if isinstance(root, Path) and str(root) not in nltk.data.path:
        nltk.data.path.append(str(root))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The multilingual functions")
        return _reader_class()(str(root) if isinstance(root, Path) else root, None)


def _nltk_corpus() -> Any:
    """NLTK's pointer to its downloaded corpus, unpacked or still zipped, or None."""
    import nltk.data

    for place in ("corpora/wordnet", "corpora/wordnet.zip/wordnet/"):
        try:
            return nltk.data.find(place)
        except LookupError:
            continue
    return None


def _debian_dictionary() -> Path | None:
    """The first directory that holds a whole Debian dictionary, or None."""
    for directory in (unpacked_directory(), DEBIAN_DIRECTORY):
        if all((directory / name).is_file() for name in _FILES_OF_A_DICTIONARY):
            return directory
    return None


def _lexicographer_names() -> str:
    """The text of the file ``lexnames``: number, name and part of speech on each line."""
    names = [
        (f"{part}.{name}", number)
        for part, parts_names, number in _LEXICOGRAPHER_FILES
        for name in parts_names.split()
    ]
    return "".join(f"{index:02d}\t{name}\t{pos}\n" for index, (name, pos) in enumerate(names))


@lru_cache(maxsize=1)
def _reader_class() -> type[WordNetCorpusReader]:
    """NLTK's reader with the three differences, made here because importing NLTK takes a second."""
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    class SharedDictionary(WordNetCorpusReader):
        """WordNet's files, wherever they came from, for several threads.

        The reader seeks in files that it keeps open, so two threads asking at once would read
        each other's lines: whatever reads a file takes a lock.
        """

        def __init__(self, root: Any, omw_reader: Any) -> None:
            self._reading = RLock()
            super().__init__(root, omw_reader)

        def open(self, file: str) -> Any:
            if file == "lexnames":
                return io.StringIO(_lexicographer_names())
            opened = super().open(file)
            if not file.startswith(_READ_ONCE):
                return opened
            # NLTK's reader can be sought in; going through it line by line takes most of a second.
            with opened:
                return io.StringIO(opened.read())

        def map_wn(self, version: str = "wordnet") -> None:
            """No mapping to other versions: they would need a second download."""

        def synset_from_pos_and_offset(self, pos: str, offset: int) -> Any:
            with self._reading:
                return super().synset_from_pos_and_offset(pos, offset)

        def lemma_count(self, lemma: Any) -> int:
            with self._reading:
                return super().lemma_count(lemma)

    return SharedDictionary
