from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.storage.seals import Seal

SECRET = b"a secret only for tests"
_ENCODABLE = st.text(st.characters(exclude_categories=["Cs"]))


@given(_ENCODABLE)
def test_what_is_sealed_can_be_opened_and_not_be_read(text: str) -> None:
    sealed = Seal(SECRET).closed(text)
    assert Seal(SECRET).opened(sealed) == text
    assert sealed.isascii()
    assert len(text) < 4 or text not in sealed


@given(st.text())
def test_only_the_same_secret_opens(text: str) -> None:
    sealed = Seal(SECRET).closed("https://pix.example/p/mira/912")
    for wrong, seal in ((sealed, Seal(b"another secret for tests")), (text, Seal(SECRET))):
        with pytest.raises(ValueError, match="not sealed"):
            seal.opened(wrong)
