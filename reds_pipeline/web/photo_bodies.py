"""From an upload to its photos, which are in memory only.

What belongs here: reading multipart forms and bare files within their limits. What does not:
bounding bodies in general (``body_limits.py``), and looking at photos (``photo_queue.py``).

No file name is ever looked at: the name of a photo can say where and of whom it was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from reds_pipeline.errors import ImageRejected
from reds_pipeline.tagging.recommendation import Recommendation, View
from reds_pipeline.web.request_log import note
from reds_pipeline.web.sentences import Refusal, photo_refusal
from reds_pipeline.web.site import Site

if TYPE_CHECKING:
    from reds_pipeline.imaging.photo import Photo

Answer = TypeVar("Answer")

_MULTIPART = "multipart/form-data"
_MOST_FIELDS = 64


@dataclass(frozen=True, eq=False)
class Upload:
    """What somebody sent.

    Attributes:
        photos: The files, in the order of the form; none for file inputs that were left empty.
        fields: Everything else, by name; of a name that comes twice the last.
    """

    photos: tuple[bytes, ...]
    fields: Mapping[str, str]


async def read_upload(request: Request, site: Site) -> Upload:
    """Read a form with photos, and count them for the address that sent it.

    Args:
        request: ``multipart/form-data``.
        site: Whose limits apply.

    Raises:
        Refusal: It is no such form (415, 400), too much (413), or too often (429).
    """
    site.rates.require_some_left(request)
    photos, fields = await _read_form(request, site)
    if len(photos) > site.limits.photos_at_once:
        raise _too_many_photos(site)
    # Also with none: asking with nothing is asking.
    site.rates.take(request, max(1, len(photos)))
    return Upload(tuple(photos), fields)


async def read_single_photo(request: Request, site: Site) -> bytes:
    """Read one photo, either the only file of a form or the whole body.

    Args:
        request: ``multipart/form-data``, or anything else for a bare file.
        site: Whose limits apply.

    Raises:
        Refusal: As `read_upload`; also when there is not exactly one photo (422).
    """
    if _media_type(request) == _MULTIPART:
        upload = await read_upload(request, site)
        if len(upload.photos) != 1:
            raise Refusal(
                422,
                "not_one_photo",
                f"No photo was tagged because the form holds {len(upload.photos)} files; send "
                "exactly one, in a part that has a file name.",
            )
        return upload.photos[0]
    site.rates.require_some_left(request)
    data = await request.body()
    site.rates.take(request, 1)
    if not data:
        raise photo_refusal(ImageRejected("empty"))
    return data


async def recommend_then(
    site: Site,
    data: bytes,
    view: View,
    compare: bool,
    finish: Callable[[Photo, Recommendation], Answer],
) -> Answer:
    """Find tags for a photo when its turn has come, and do something with both.

    Args:
        site: Whose models are asked.
        data: The file.
        view: How it is looked at.
        compare: Whether to look in the other ways too, and say how far they agree.
        finish: Called in a thread; what it returns must not hold the photo, whose memory is
            given to the next one.

    Raises:
        Refusal: It is no usable photo (4xx), or not now (503).
    """

    def look(photo: Photo) -> tuple[Recommendation, Answer]:
        recommendation = site.tagger.recommend(photo, view=view, compare=compare)
        return recommendation, finish(photo, recommendation)

    try:
        with site.metrics.tagging():
            recommendation, answer = await site.queue.work(data, look)
    except Refusal as refusal:
        site.metrics.photo_done(refusal.reason)
        raise
    site.metrics.photo_done("tagged")
    note(model_versions=[f"{model.name} {model.version}" for model in recommendation.models])
    return answer


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, kept from writing larger files to a disk."""

    # What all of a body may hold is bounded before it comes here.
    spool_max_size = 0  # Python's word for "never roll over".


async def _read_form(request: Request, site: Site) -> tuple[list[bytes], dict[str, str]]:
    if _media_type(request) != _MULTIPART:
        raise Refusal(
            415,
            "no_form",
            "No photo was tagged because the request is no form with files; send "
            "multipart/form-data.",
        )
    parser = _InMemoryParser(
        request.headers,
        request.stream(),
        max_files=site.limits.photos_at_once + _MOST_FIELDS,
        max_fields=_MOST_FIELDS,
        max_part_size=site.limits.field_bytes,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Refusal(
            400,
            "broken_form",
            "No photo was tagged because the form that was sent is broken; send it again.",
        ) from error
    photos: list[bytes] = []
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            # The charset that a form claims can decode to halves of characters (utf-7), which
            # nothing that is done with a text can bear.
            fields[name] = value.encode("utf-8", "replace").decode()
            continue
        data = await value.read()
        await value.close()
        # Browsers send a part without name and content for a file input that was left empty.
        if data or value.filename:
            photos.append(data)
    return photos, fields


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _too_many_photos(site: Site) -> Refusal:
    most = site.limits.photos_at_once
    return Refusal(
        413,
        "too_many_photos",
        f"No photo was tagged because one upload may hold {most}; send the others after it.",
    )
