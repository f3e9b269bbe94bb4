"""Tags for photos by the models that serve now, for the page and the interface for programs.

What belongs here: from a photo that was read to a recommendation, in a process that goes on for
weeks. What does not: reading photos (``imaging.photo``), pages, limits of what is taken on, and the
command for files (``tagger.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, get_args

import numpy as np

from reds_pipeline.errors import RedsError
from reds_pipeline.imaging.resize import SIDE
from reds_pipeline.resources import Platform
from reds_pipeline.tagging.answering import (
    Answered,
    agreement,
    is_familiar,
    is_sure,
    opinion,
    suggestions,
)
from reds_pipeline.tagging.champion_watch import ChampionWatch
from reds_pipeline.tagging.hashtag_form import as_hashtag, tag_key
from reds_pipeline.tagging.live_state import LiveState, NoModelYet
from reds_pipeline.tagging.loaded_model import LoadedModel, Serving
from reds_pipeline.tagging.recommendation import Recommendation, View, ViewOpinion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reds_pipeline.imaging.photo import Photo

VIEWS: tuple[View, ...] = get_args(View)

_EXPLAINED_SIDE = 448
"""Of the picture that a heat map is shown on, in pixels."""


@dataclass(frozen=True)
class Explanation:
    """Where in a photo the reasons for a tag lie.

    Attributes:
        picture: The part of the photo that was looked at with a heat map over it, as JPEG.
        sentence: What it shows, for those who do not see it.
    """

    picture: bytes
    sentence: str


class PhotoTagger:
    """Recommends tags for photos; safe to use from many threads.

    A request is answered from beginning to end by the models that served when it began, whatever
    is promoted meanwhile.

    Args:
        platform: The installation.
        follow: Whether to follow the champions; otherwise those of the start go on serving.
    """

    def __init__(self, platform: Platform, *, follow: bool = False) -> None:
        self._follow = follow
        self._watch = ChampionWatch(platform)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def start(self) -> None:
        """Load the models.

        Where champions are followed this returns at once and the models come by themselves;
        otherwise they are there when it returns. A model that cannot be had is no error:
        `state` says what is wrong.
        """
        if self._follow:
            self._watch.start()
        else:
            self._watch.look()

    def close(self) -> None:
        """Stop following; what is being answered is finished."""
        self._watch.close()

    def wait_until_looked(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the champions were looked for once; say whether they were.

        Args:
            timeout_seconds: Longest wait; None waits for ever.
        """
        return self._watch.wait_until_looked(timeout_seconds)

    def look_again(self) -> None:
        """Look at once whether other models serve by now, and load them."""
        self._watch.look()

    def state(self) -> LiveState:
        """Return which models serve and what is wrong."""
        return self._watch.state()

    @property
    def side(self) -> int:
        """Pixels a side that a photo should be read for, so that no encoder wants it larger."""
        sides = [encoder.description.side for encoder in self._watch.serving.encoders]
        return max(sides, default=SIDE)

    def recommend(
        self, photo: Photo, *, view: View = "centre", compare: bool = False
    ) -> Recommendation:
        """Recommend tags for a photo (R-PRD-2, R-IMP-1, R-IMP-3); waits for the encoder.

        Args:
            photo: What ``imaging.photo.read_photo`` gave.
            view: How the photo is looked at.
            compare: Whether it is looked at in all ways and what each says is told.

        Raises:
            NoModelYet: There is no model.
            TaggerBusy: Too many photos wait already.
        """
        serving = self._serving()
        views = VIEWS if compare else (view,)
        answered = _ask(serving, photo, views)
        of_classes = [each for each in answered[view] if each.bundle.kind == "classes"]
        opinions: dict[View, ViewOpinion] = {}
        if compare and serving.classes is not None:
            opinions = {each: opinion(each, answered[each][0]) for each in views}
        found = suggestions(answered[view])
        known = is_familiar(answered[view])
        sure = is_sure(of_classes[0]) if of_classes else found[0].likelihood == "likely"
        return Recommendation(
            suggestions=found,
            is_sure=sure and known is not False,
            view=view,
            opinions=tuple(opinions.values()),
            agreement=agreement(opinions, view) if opinions else None,
            width=photo.width,
            height=photo.height,
            is_cropped=view == "centre" and photo.is_cropped,
            models=tuple(model.served for model in serving.models),
            is_familiar=known,
        )

    def explain(self, photo: Photo, tag: str) -> Explanation:
        """Show where in a photo the reasons for a tag lie, looked at by the rule of the training.

        Args:
            photo: What ``imaging.photo.read_photo`` gave.
            tag: One that a model knows, in whatever spelling.

        Raises:
            NoModelYet: There is no model.
            RedsError: No model knows the tag.
        """
        from reds_pipeline.tagging.explanation import heat_map, heat_sentence, overlay

        model, name = _who_knows(self._serving(), tag)
        square = photo.square(model.encoder.description.side)
        heat = heat_map(model.encoder.reference(), model.bundle, square, name)
        picture = overlay(photo.square(_EXPLAINED_SIDE), heat)
        return Explanation(picture, heat_sentence(heat, as_hashtag(name) or name))

    def _serving(self) -> Serving:
        serving = self._watch.serving
        if not serving.models:
            # Why is for the operator (`state`): it may name directories and addresses.
            raise NoModelYet(
                "There is no model to recommend tags yet; one is used as soon as it is there, so "
                "try again in a few minutes."
            )
        return serving


def _ask(serving: Serving, photo: Photo, views: tuple[View, ...]) -> dict[View, list[Answered]]:
    """Return what every model says of every view; each encoder sees all looks at once."""
    chances: dict[View, list[Answered]] = {view: [] for view in views}
    features: dict[str, dict[View, NDArray[np.float32]]] = {}
    for model in serving.models:
        encoder = model.encoder
        if encoder.description.encoder_id not in features:
            looks = [photo.squares(view, encoder.description.side) for view in views]
            ends = np.cumsum([len(squares) for squares in looks])[:-1]
            embedded = encoder.embed(looks[0] if len(looks) == 1 else np.concatenate(looks))
            parts = np.split(embedded, ends)
            features[encoder.description.encoder_id] = dict(zip(views, parts, strict=True))
        for view, seen in features[encoder.description.encoder_id].items():
            bundle = model.bundle
            answer = Answered(model.served, bundle, bundle.predict(seen), bundle.is_familiar(seen))
            chances[view].append(answer)
    return chances


def _who_knows(serving: Serving, tag: str) -> tuple[LoadedModel, str]:
    """Return the model that knows a tag, and how it names it."""
    wanted = tag_key(tag)
    for model in serving.models:
        for name in model.bundle.classes:
            if name == tag or tag_key(name) == wanted != "":
                return model, name
    raise RedsError(
        "No model that serves now knows this tag, so nothing can be shown for it; choose one of "
        "the suggested tags."
    )
