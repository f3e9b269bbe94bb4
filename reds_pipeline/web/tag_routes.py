"""The page that people bring their photos to.

What belongs here: its addresses, the same with and without JavaScript. What does not: reading
uploads (``photo_bodies.py``), the words of a card (``tag_cards.py``), what people say about the
tags (``feedback_routes.py``).

With JavaScript the script sends the same form photo by photo and asks for the cards alone
(``fragment=1``); without it, the whole page comes back. Photos live in the memory of a request and
nowhere else, so the small copy on a card lies in the page itself, and whoever asks "why?" sends
the photo again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from reds_pipeline.errors import RedsError
from reds_pipeline.feedback.answers import FeedbackRefused
from reds_pipeline.feedback.consent import CONSENT, consent_sentences
from reds_pipeline.feedback.typed_tags import typed_tags
from reds_pipeline.imaging.heic import can_open_heic
from reds_pipeline.tagging.hashtag_form import as_hashtag
from reds_pipeline.tagging.live_state import NoModelYet
from reds_pipeline.tagging.recommendation import Likelihood, Recommendation, View
from reds_pipeline.web import tag_cards
from reds_pipeline.web.photo_bodies import Upload, read_upload, recommend_then
from reds_pipeline.web.sentences import UNPROCESSABLE, Refusal
from reds_pipeline.web.site import Site
from reds_pipeline.web.tag_cards import LEAST_WORDS, Card, Figure, Problem

if TYPE_CHECKING:
    from reds_pipeline.imaging.photo import Photo

_ON = "yes"
_OK = 200
_NO_PHOTO = "No photo came along; choose one first, then press Process image."
_UNKNOWN_VIEW = (
    "No photo was tagged because the form asks for a way of looking that does not exist; load the "
    "page again."
)
# What templates call; the words are those of tag_cards.py.
_WORDS: dict[str, Any] = {
    "as_hashtag": as_hashtag,
    "day": tag_cards.day,
    "in_front_anyway": tag_cards.IN_FRONT_ANYWAY,
    "least_words": LEAST_WORDS,
    "likelihood_words": tag_cards.LIKELIHOOD_WORDS,
    "minute": tag_cards.minute,
    "models_key_of": tag_cards.models_key,
    "models_words": tag_cards.models_words,
    "most_tags": tag_cards.POLITE_MOST_TAGS,
    "percent": tag_cards.percent,
    "words_of": tag_cards.words_of,
}


@dataclass(frozen=True)
class Choices:
    """What a person chose beside the photos.

    Attributes:
        view: How photos are looked at.
        compare: Whether they are looked at in the other ways too.
        why: Whether the first tag is explained at once.
        least: What a suggestion must at least be to stand in front.
        own_tags: Hashtags that the person typed before seeing any, without ``#``.
        consent: Version of the text that was agreed to; empty if none was.
        number: Place of the first photo among those that were chosen together, from 1.
        count: How many were chosen together; 0 means those of this request.
    """

    view: View = "centre"
    compare: bool = False
    why: bool = False
    least: Likelihood = "maybe"
    own_tags: tuple[str, ...] = ()
    consent: str = ""
    number: int = 1
    count: int = 0


def read_choices(fields: Mapping[str, str]) -> Choices:
    """Return what the fields of the form say.

    Args:
        fields: Of the form, by name; those that are missing keep their usual value.

    Raises:
        Refusal: A field holds what the form does not offer.
    """
    view = next((each for each in get_args(View) if each == fields.get("view", "centre")), None)
    if view is None:
        raise Refusal(UNPROCESSABLE, "not_understood", _UNKNOWN_VIEW)
    return Choices(
        view=view,
        compare=fields.get("compare") == _ON,
        why=fields.get("why") == _ON,
        least=next((each for each in LEAST_WORDS if each == fields.get("least")), "maybe"),
        own_tags=typed_tags(fields.get("own_tags", "")),
        consent=fields.get("consent", ""),
        number=int(_between(fields.get("number"), 1, 1000, 1)),
        count=int(_between(fields.get("count"), 0, 1000, 0)),
    )


def tag_router(site: Site) -> APIRouter:
    """Return the routes of the page that tags photos.

    Args:
        site: Whose models are asked.
    """
    router = APIRouter(include_in_schema=False)

    # What watches whether a page is up asks for its head alone.
    @router.api_route("/", methods=["GET", "HEAD"])
    def show_page(request: Request) -> HTMLResponse:
        return _page(site, request, (), Choices(), _OK)

    @router.post("/tag")
    async def tag_photos(request: Request, fragment: bool = False) -> HTMLResponse:
        choices = Choices()
        try:
            upload = await read_upload(request, site)
            choices = read_choices(upload.fields)
            cards, status = await _cards(site, upload, choices)
        except HTTPException as refusal:
            cards = (Problem(tag_cards.card_id(), "", str(refusal.detail)),)
            return _answer(site, request, cards, choices, fragment=fragment, status=refusal)
        return _answer(site, request, cards, choices, fragment=fragment, status=status)

    @router.post("/why")
    async def show_why(request: Request) -> HTMLResponse:
        upload = await read_upload(request, site)
        tag = upload.fields.get("tag", "")
        why = await site.queue.work(_only_photo(upload), lambda photo: _why(site, photo, tag))
        return site.page("tag_why.html", request, {**_WORDS, "why": why})

    @router.post("/views")
    async def show_views(request: Request) -> HTMLResponse:
        upload = await read_upload(request, site)
        view = read_choices(upload.fields).view
        data = _only_photo(upload)
        views = await recommend_then(
            site, data, view, True, lambda _photo, found: tag_cards.views_of(found)
        )
        return site.page("tag_views.html", request, {**_WORDS, "views": views})

    return router


async def _cards(
    site: Site, upload: Upload, choices: Choices
) -> tuple[tuple[Card | Problem, ...], int | HTTPException]:
    """Return a card for each photo, and the status: that of the first problem if all have one."""
    if not upload.photos:
        raise Refusal(UNPROCESSABLE, "no_photo", _NO_PHOTO)
    count = choices.count or len(upload.photos)
    cards: list[Card | Problem] = []
    refusals: list[HTTPException] = []
    for number, data in enumerate(upload.photos, start=choices.number):
        place = tag_cards.place_among(number, count)
        finish = partial(_card, site, choices, place)
        try:
            card = await recommend_then(site, data, choices.view, choices.compare, finish)
        except HTTPException as refusal:
            refusals.append(refusal)
            cards.append(Problem(tag_cards.card_id(), place, str(refusal.detail)))
        except Exception:
            # The page with the codes of those before does not come.
            for each in cards:
                if isinstance(each, Card) and each.code:
                    await run_in_threadpool(site.feedback.delete, each.code)
            raise
        else:
            cards.append(card)
    return tuple(cards), refusals[0] if len(refusals) == len(cards) else _OK


def _card(
    site: Site, choices: Choices, place: str, photo: Photo, recommendation: Recommendation
) -> Card:
    shown, folded = tag_cards.split_by_likelihood(recommendation.suggestions, choices.least)
    first = recommendation.suggestions[0].tag if recommendation.suggestions else ""
    card = Card(
        id=tag_cards.card_id(),
        place=place,
        preview=tag_cards.picture_address(photo.preview()),
        recommendation=recommendation,
        shown=shown,
        folded=folded,
        own_tags=choices.own_tags,
        answer="",
        code="",
        refusal="",
        shape=tag_cards.shape_sentence(recommendation),
        views=tag_cards.views_of(recommendation),
        why=_why(site, photo, first) if choices.why and first else None,
    )
    # Last, because whoever gets no card gets no code to delete the photo with.
    return _with_answer(site, choices, photo, card)


def _with_answer(site: Site, choices: Choices, photo: Photo, card: Card) -> Card:
    """Return the card with its token, after taking the photo for training if that was asked for."""
    contribution, code, refusal = "", "", ""
    if choices.consent:
        try:
            given = site.feedback.contribute(photo, choices.consent)
            contribution, code = given.id, given.code
        except FeedbackRefused as error:
            refusal = str(error)
    try:
        answer = site.feedback.shown(
            card.recommendation, own_tags=choices.own_tags, contribution=contribution
        )
    except Exception:
        site.feedback.delete(code)
        raise
    return replace(card, answer=answer, code=code, refusal=refusal)


def _why(site: Site, photo: Photo, tag: str) -> Figure:
    try:
        explanation = site.tagger.explain(photo, tag)
    except NoModelYet:
        raise
    except RedsError as error:
        raise Refusal(UNPROCESSABLE, "unknown_tag", str(error)) from error
    address = tag_cards.picture_address(explanation.picture)
    return Figure(address, as_hashtag(tag), explanation.sentence)


def _only_photo(upload: Upload) -> bytes:
    if len(upload.photos) != 1:
        raise Refusal(UNPROCESSABLE, "not_one_photo", _NO_PHOTO)
    return upload.photos[0]


def _answer(
    site: Site,
    request: Request,
    cards: tuple[Card | Problem, ...],
    choices: Choices,
    *,
    fragment: bool,
    status: int | HTTPException,
) -> HTMLResponse:
    code = status if isinstance(status, int) else status.status_code
    if fragment:
        answer = site.page("tag_cards.html", request, {**_WORDS, "cards": cards, "chosen": choices})
    else:
        answer = _page(site, request, cards, choices, code)
    answer.status_code = code
    if isinstance(status, HTTPException):
        answer.headers.update(status.headers or {})
    return answer


def _page(
    site: Site,
    request: Request,
    cards: tuple[Card | Problem, ...],
    choices: Choices,
    status: int,
) -> HTMLResponse:
    settings = site.platform.settings
    state = site.tagger.state()
    context = {
        **_WORDS,
        "cards": cards,
        "chosen": choices,
        "consent": CONSENT if settings.contributions != "off" else None,
        "formats": tag_cards.formats_words(opens_heic=can_open_heic()),
        "consent_sentences": consent_sentences(settings.contribution_days),
        "limits": site.limits,
        "models_key": tag_cards.models_key(state.models),
        "state": state,
    }
    answer = site.page("tag.html", request, context)
    answer.status_code = status
    return answer


def _between(text: str | None, lowest: float, highest: float, usual: float) -> float:
    """Return the number that a field holds, or the usual one where it holds none in the range."""
    try:
        value = float(text) if text is not None else usual
    except ValueError:
        return usual
    return value if lowest <= value <= highest else usual
