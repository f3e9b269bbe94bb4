"""Whose posts may be kept: the hard gates of fediverse.md 5.1, as one pure function.

What belongs here: the policy and the gate. What does not: what is stored of a post that passes
(``posts.py``), what only the author's own pages say (``authors.py``) and the wishes of a whole
host (``web/politeness.py``). The gate errs towards dropping: a flag that is missing where every
server sends it, or has an odd type, counts as no.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup

from reds_pipeline.fediverse.attachments import attachments_of, is_usable_picture, licence_of

REASONS = (
    "not_public",
    "sensitive",
    "spoiler",
    "account_suspended",
    "account_locked",
    "account_not_indexable",
    "account_opted_out",
    "repost",
    "reply",
    "remote_origin",
    "denied_tag",
    "no_image",
    "licence",
)

OPT_OUT_WORDS = (
    "nobot",
    "nobots",
    "noindex",
    "noarchive",
    "noscrape",
    "noai",
    "noml",
)
# A second net below the flags, because they get lost in transit (pixelfed #4888, #2446).
DENIED_TAGS = frozenset(
    {
        "nsfw",
        "nsfl",
        "nude",
        "nudes",
        "nudity",
        "nudeart",
        "artnude",
        "naked",
        "porn",
        "erotic",
        "erotica",
        "lewd",
        "fetish",
        "bdsm",
        "gore",
        *OPT_OUT_WORDS,
    }
)

_MARKUP = re.compile(r"<[^>]*>")
_WRITTEN_TAG = re.compile(r"#(\w+)")
_LONGEST_TEXT = 100_000
_UNSET = (False, None)
_GONE_FLAGS = ("suspended", "limited", "memorial", "moved")
_UNSEEN = frozenset({"Cf", "Mn", "Me"})
# Pixelfed's address of a post whose author is gone (fediverse.md 2.6).
_NOWHERE = "/404"


@dataclass(frozen=True)
class ConsentPolicy:
    """What counts as consent.

    Attributes:
        require_indexable: ``strict`` wants the author's ``indexable`` and ``discoverable`` flags
            to be there and true; ``respect_if_present`` takes a missing flag as no objection.
            Pixelfed says ``indexable`` only where ``authors.AuthorWishes`` asks for it.
        allowed_origins: Hosts, such as ``pix.example``, whose posts may be taken from another
            host that shows them; the host asked itself needs no mention.
        allowed_licences: Licences of which an attachment must have one, or None for any.
        denied_tags: Case-folded tags whose posts are never kept, also where only the caption has
            them.
        opt_out_words: Words that, as a hashtag in a profile, say no.
    """

    require_indexable: Literal["strict", "respect_if_present"] = "respect_if_present"
    allowed_origins: frozenset[str] = frozenset()
    allowed_licences: frozenset[str] | None = None
    denied_tags: frozenset[str] = DENIED_TAGS
    opt_out_words: tuple[str, ...] = OPT_OUT_WORDS

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits; two policies with the same ones judge every post the same."""
        choices = (
            self.require_indexable,
            sorted(self.allowed_origins),
            None if self.allowed_licences is None else sorted(self.allowed_licences),
            sorted(self.denied_tags),
            sorted(self.opt_out_words),
        )
        return hashlib.sha256(json.dumps(choices).encode()).hexdigest()[:16]


def gate(
    entity: Mapping[str, Any],
    policy: ConsentPolicy,
    *,
    said_elsewhere: Collection[str] = (),
) -> str:
    """Return the first reason of ``REASONS`` why a post must be dropped, or "".

    Args:
        entity: A status as Pixelfed (either shape) or Mastodon sends it, or any JSON object.
        policy: What counts as consent.
        said_elsewhere: Flags of the author that may be missing here even under a strict policy,
            because the caller asks the author's own pages for them.
    """
    account = entity.get("account")
    if not isinstance(account, dict):
        account = {}
    return (
        _post_gate(entity)
        or _gone_author_gate(entity)
        or _account_gate(account, policy, said_elsewhere)
        or _origin_gate(entity, account, policy)
        or _content_gate(entity, policy)
    )


def usable_attachments(entity: Mapping[str, Any], policy: ConsentPolicy) -> list[Mapping[str, Any]]:
    """Return the pictures of a post that the policy allows, in the order of the post."""
    return [
        attachment
        for attachment in attachments_of(entity)
        if is_usable_picture(attachment)
        and (policy.allowed_licences is None or licence_of(attachment) in policy.allowed_licences)
    ]


def opts_out(texts: Iterable[Any], policy: ConsentPolicy) -> bool:
    """Say whether any of some texts, plain or HTML, holds an opt-out word as a hashtag."""
    return _has_hashtag(texts, policy.opt_out_words)


def has_denied_tag(tags: Iterable[str], captions: Iterable[Any], policy: ConsentPolicy) -> bool:
    """Say whether a post has a denied tag, listed as such or only in its caption.

    Hosts list only so many tags of a post, and not those that they failed to recognise.

    Args:
        tags: The tags that the host lists, with or without ``#``.
        captions: Texts of the post, plain or HTML; whatever is no text is passed over.
        policy: What counts as consent.
    """
    return any(_bare(tag) in policy.denied_tags for tag in tags) or _has_hashtag(
        captions, policy.denied_tags
    )


def tag_names(entity: Mapping[str, Any]) -> list[str]:
    """Return the hashtags of a post in the author's own case, without ``#``.

    Mastodon lists them in lower case. Its text has them as they were written, and the capitals of
    ``CatsOfPixelfed`` are all that says where its words begin (fediverse.md 3.5).
    """
    tags = entity.get("tags")
    if not isinstance(tags, list):
        return []
    names = [tag.get("name") for tag in tags if isinstance(tag, dict)]
    stripped = [name.strip().lstrip("#") for name in names if isinstance(name, str)]
    listed = [name for name in stripped if name]
    text = entity.get("content")
    if not isinstance(text, str) or any(name != name.lower() for name in listed):
        return listed
    written = {folded(name): name for name in _WRITTEN_TAG.findall(_without_markup(text))}
    return [written.get(folded(name), name) for name in listed]


def folded(tag: str) -> str:
    """Return a tag in the form in which two spellings of it compare equal."""
    return unicodedata.normalize("NFKC", tag).casefold()


def remote_host(entity: Mapping[str, Any], account: Mapping[str, Any]) -> str | None:
    """Return the host a post comes from where that is not the host asked, else None.

    Returns "" where the post is remote but does not say from where.
    """
    name = account.get("acct")
    if isinstance(name, str) and "@" in name.strip("@"):
        return name.rpartition("@")[2].lower()
    if entity.get("local") in (True, None) and account.get("local") in (True, None):
        return None
    url = entity.get("url")
    try:
        return (urlsplit(url).hostname or "").lower() if isinstance(url, str) else ""
    except ValueError:
        return ""


def _post_gate(entity: Mapping[str, Any]) -> str:
    if entity.get("visibility") != "public":
        return "not_public"
    if entity.get("sensitive") is not False:
        return "sensitive"
    if any(attachment.get("is_nsfw") for attachment in attachments_of(entity)):
        return "sensitive"
    if entity.get("spoiler_text"):
        return "spoiler"
    return ""


def _gone_author_gate(entity: Mapping[str, Any]) -> str:
    return "account_suspended" if entity.get("url") == _NOWHERE else ""


def _account_gate(
    account: Mapping[str, Any], policy: ConsentPolicy, said_elsewhere: Collection[str]
) -> str:
    # "moved" is the account that it became; whatever it holds, the person has left this one.
    if any(account.get(flag) not in _UNSET for flag in _GONE_FLAGS):
        return "account_suspended"
    if account.get("locked") is not False:
        return "account_locked"
    if account.get("noindex") not in _UNSET:
        return "account_not_indexable"
    strict = policy.require_indexable == "strict"
    for flag in ("indexable", "discoverable"):
        must_be_said = strict and flag not in said_elsewhere
        if account.get(flag) not in ((True,) if must_be_said else (True, None)):
            return "account_not_indexable"
    if opts_out(_profile_texts(account), policy):
        return "account_opted_out"
    return ""


def _origin_gate(
    entity: Mapping[str, Any], account: Mapping[str, Any], policy: ConsentPolicy
) -> str:
    if entity.get("reblog") is not None:
        return "repost"
    if entity.get("in_reply_to_id") is not None:
        return "reply"
    origin = remote_host(entity, account)
    if origin is not None and origin not in policy.allowed_origins:
        return "remote_origin"
    return ""


def _content_gate(entity: Mapping[str, Any], policy: ConsentPolicy) -> str:
    captions = (entity.get("content"), entity.get("content_text"))
    if has_denied_tag(tag_names(entity), captions, policy):
        return "denied_tag"
    if usable_attachments(entity, policy):
        return ""
    return "licence" if any(map(is_usable_picture, attachments_of(entity))) else "no_image"


def _profile_texts(account: Mapping[str, Any]) -> Iterator[Any]:
    fields = account.get("fields")
    yield from (account.get("note"), account.get("note_text"), account.get("display_name"))
    for entry in fields if isinstance(fields, list) else []:
        if isinstance(entry, dict):
            yield from (entry.get("name"), entry.get("value"))


def _has_hashtag(texts: Iterable[Any], words: Iterable[str]) -> bool:
    pattern = _hashtag_of(tuple(words))
    return any(
        pattern.search(reading)
        for text in texts
        if isinstance(text, str) and text
        for reading in _readings(text)
    )


@lru_cache(maxsize=16)
def _hashtag_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of any of the words as a hashtag; it matches nothing for no words."""
    spellings = "|".join(_joinable(word) for word in words) or r"(?!)"
    return re.compile(rf"#\s?(?:{spellings})(?!\w)", re.IGNORECASE)


def _joinable(word: str) -> str:
    """Return a pattern of a word whose letters may be joined by underscores: ``no_ai``."""
    return "_?".join(re.escape(letter) for letter in word)


def _bare(tag: str) -> str:
    """Return a tag folded, without ``#``, invisible characters and underscores."""
    return folded(_legible(tag)).strip("# ").replace("_", "")


def _readings(markup: str) -> Iterator[str]:
    """Yield what a person may read in some HTML.

    Joined without a space, ``#<span>nobot</span>`` is one word; joined with one, ``#nobot`` at
    the end of a paragraph does not run into the next. A refusal in either reading is a refusal.
    """
    if "<" not in markup:
        yield _legible(html.unescape(markup))
        return
    try:
        soup = BeautifulSoup(markup[:_LONGEST_TEXT], "html.parser")
    except ParserRejectedMarkup:
        yield _legible(markup)
        return
    yield _legible(soup.get_text(""))
    yield _legible(soup.get_text(" "))


def _without_markup(text: str) -> str:
    return html.unescape(_MARKUP.sub("", text[:_LONGEST_TEXT]))


def _legible(text: str) -> str:
    """Return ``text`` without invisible characters and with full-width signs made plain.

    Combining marks go as well: a variation selector turns ``#`` into an emoji that reads alike.
    """
    plain = unicodedata.normalize("NFKC", text)
    if plain.isascii():
        return plain
    return "".join(
        character for character in plain if unicodedata.category(character) not in _UNSEEN
    )
