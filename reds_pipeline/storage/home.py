"""The layout of ``REDS_HOME``: where each thing that lasts has its place.

What belongs here: names of files and directories. What does not: their contents.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.storage.journal import Journal
from reds_pipeline.storage.keys import KeyedHash, load_or_create_secret
from reds_pipeline.storage.seals import Seal

_SIDE_IN_RULE = re.compile(r"square(\d+)-")
_NOT_FILE_SAFE = re.compile(r"[^\w-]+")
# File systems allow 255 bytes; suffixes and extensions need some of them.
_LONGEST_BYTES = 200


def file_name(text: str) -> str:
    """Return ``text`` as a file name without an extension.

    Class and tag names come from people: any script is kept, anything else becomes ``_``, and a
    name that had to be changed says so by a suffix that keeps different names apart.
    """
    safe = _NOT_FILE_SAFE.sub("_", text)[:80]
    safe = safe.encode("utf-8", "replace")[:_LONGEST_BYTES].decode("utf-8", "ignore")
    if safe == text and safe:
        return safe
    return f"{safe}~{KeyedHash(b'file names are not secret')(text)[:8]}"


class Home:
    """One REDS installation on disk.

    Args:
        root: The directory given as ``REDS_HOME``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def table(self, name: str, partition: str | None = None) -> Path:
        """Return the Parquet file of a table, or of one partition of it."""
        if partition is None:
            return self.root / "tables" / f"{name}.parquet"
        return self.root / "tables" / name / f"{file_name(partition)}.parquet"

    def journal(self, name: str, partition: str) -> Journal:
        """Return the journal of work in progress on one partition."""
        return Journal(self.root / "journals" / name / f"{file_name(partition)}.jsonl")

    @cached_property
    def images(self) -> ImageStore:
        """The store of original pictures, stripped of metadata."""
        return ImageStore(self.root / "images")

    @property
    def contributions(self) -> Path:
        """The directory of photos that people gave for training (``feedback.contributions``)."""
        return self.root / "contributions"

    def tensors(self, resize_rule: str) -> ArrayStore:
        """Return the squares made by one resize rule, uint8 ``(side, side, 3)`` a row.

        The side is the one in the rule's name, ``square<side>-...``, and 224 where it has none.
        """
        named = _SIDE_IN_RULE.match(resize_rule)
        side = int(named[1]) if named else 224
        return ArrayStore(self.root / "tensors" / resize_rule, (side, side, 3), "uint8")

    def array_stores(self) -> list[ArrayStore]:
        """Return every store of tensors or embeddings that holds something."""
        roots = (*self.root.glob("tensors/*"), *self.root.glob("embeddings/*"))
        return [store for root in sorted(roots) if (store := ArrayStore.found_at(root))]

    @property
    def embeddings(self) -> Path:
        """The directory that holds one array store per encoder."""
        return self.root / "embeddings"

    @property
    def engines(self) -> Path:
        """The directory of converted networks and of what they were measured to give."""
        return self.root / "engines"

    @property
    def figures(self) -> Path:
        """The directory of pictures and tables made for people."""
        return self.root / "figures"

    @property
    def withdrawn_sheets(self) -> Path:
        """Where it is noted which contact sheets have to leave the run history."""
        return self.root / "journals" / "withdrawn_sheets"

    def lock(self, name: str) -> Path:
        """Return the lock file of one kind of work; see ``locks.py``."""
        return self.root / "locks" / f"{file_name(name)}.lock"

    @property
    def dagster(self) -> Path:
        """The default ``DAGSTER_HOME``."""
        return self.root / "dagster"

    @property
    def default_ledger_url(self) -> str:
        """SQLAlchemy address of the ledger when none is configured."""
        return f"sqlite:///{self.root / 'ledger.sqlite'}"

    @property
    def default_tracking_uri(self) -> str:
        """MLflow address when none is configured."""
        return f"sqlite:///{self.root / 'mlflow.sqlite'}"

    @property
    def artifacts(self) -> Path:
        """Where MLflow keeps its files."""
        return self.root / "mlflow-artifacts"

    @cached_property
    def keyed_hash(self) -> KeyedHash:
        """The pseudonym function of this home; its key never leaves it.

        Raises:
            RedsError: The key is gone although tables were written with it.
        """
        return KeyedHash(self._secret)

    @cached_property
    def seal(self) -> Seal:
        """The seal of this home, made from the same key.

        Raises:
            RedsError: The key is gone although tables were written with it.
        """
        return Seal(self._secret)

    @cached_property
    def _secret(self) -> bytes:
        key = self.root / "pseudonym.key"
        if not key.exists() and (self.root / "tables" / "posts").exists():
            raise RedsError(
                f"{key} is gone, without which no post or author in {self.root / 'tables'} can be "
                "recognised again; put it back from a backup, or start in an empty REDS_HOME."
            )
        return load_or_create_secret(key)
