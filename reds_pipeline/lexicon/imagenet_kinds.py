"""Which classes of ImageNet are kinds of our classes.

What belongs here: from ImageNet's names, which are WordNet's, to the senses below a pinned one.
What does not: any network, or the list of ImageNet's classes itself (timm has it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reds_pipeline.lexicon.semantics import ancestors

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


def kinds_among(
    synset_names: Mapping[str, str], imagenet_names: Sequence[str], wordnet: WordNetCorpusReader
) -> dict[str, list[int]]:
    """Find the classes of ImageNet that are our classes or kinds of them.

    Args:
        synset_names: For each class its pinned sense, such as ``cat.n.01``; "" for one that
            WordNet does not know.
        imagenet_names: ImageNet's names in the order of a network's outputs, such as
            ``n02123045``: ``n`` for a noun and WordNet 3.0's number of the sense.
        wordnet: The reader of ``load_wordnet``.

    Returns:
        For each class the places of its kinds in ``imagenet_names``; ImageNet may hold none.
    """
    places: dict[str, list[int]] = {name: [] for name in synset_names}
    for place, imagenet_name in enumerate(imagenet_names):
        sense = wordnet.synset_from_pos_and_offset("n", int(imagenet_name.removeprefix("n")))
        above = ancestors(sense.name(), wordnet)
        for name, synset in synset_names.items():
            if synset in above:
                places[name].append(place)
    return places
