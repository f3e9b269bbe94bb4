"""How cleaning the hashtags changes which are on top.

What belongs here: comparing the ranking of hashtags as written with that of lemmas (R-TAG-12).
What does not: counting (``trends.py``) and drawing (``figures.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from reds_pipeline.lexicon.trends import TagCounts

TOP = 20


@dataclass(frozen=True)
class RankChange:
    """One lemma of the processed top, and where it stood as people wrote it.

    Attributes:
        lemma: The lemma.
        rank: Its place among the lemmas, from 1.
        posts: Posts that carry it.
        raw_tag: The best placed hashtag that means this lemma and nothing else, such as ``cats``
            for cat; "" if there is none.
        raw_rank: The place of that hashtag, from 1; 0 if there is none.
        raw_posts: Posts that carry that hashtag.
        newcomer: Whether no such hashtag was in the raw top.
    """

    lemma: str
    rank: int
    posts: int
    raw_tag: str
    raw_rank: int
    raw_posts: int
    newcomer: bool


def rank_changes(counts: TagCounts, top: int = TOP) -> list[RankChange]:
    """Compare the ``top`` lemmas with the hashtags as written (R-TAG-12).

    Both rankings go by the number of posts; the order of equals is that of ``count_hashtags``.
    """
    best: dict[str, tuple[int, str, int]] = {}
    for rank, tag in enumerate(counts.tags, start=1):
        if len(tag.lemmas) == 1:
            best.setdefault(tag.lemmas[0], (rank, tag.tag, tag.posts))
    changes = []
    for rank, count in enumerate(counts.lemmas[:top], start=1):
        raw_rank, raw_tag, raw_posts = best.get(count.lemma, (0, "", 0))
        changes.append(
            RankChange(
                lemma=count.lemma,
                rank=rank,
                posts=count.posts,
                raw_tag=raw_tag,
                raw_rank=raw_rank,
                raw_posts=raw_posts,
                newcomer=not 0 < raw_rank <= top,
            )
        )
    return changes
