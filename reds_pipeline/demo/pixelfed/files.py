"""The files of the instance: pictures, previews, and the placeholder for what is missing.

Belongs here: serving bytes (fediverse.md 4). Drawing them is the town's.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reds_pipeline.demo.pixelfed.answers import Routes
from reds_pipeline.demo.pixelfed.entities import NO_PREVIEW_PATH
from reds_pipeline.demo.pixelfed.site import Site

_THUMBNAIL_SIDE = 640
_MEDIA_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
}
_UNKNOWN_MEDIA_TYPE = "application/octet-stream"
_PLACEHOLDER_GREY = (222, 226, 230)


def _image_bytes(image: Image.Image, file_format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format)
    return buffer.getvalue()


class FileAnswers:
    """Answers whoever asks for a file."""

    def __init__(self, site: Site) -> None:
        """Answer for a site."""
        self._site = site
        self.routes: Routes = {
            NO_PREVIEW_PATH: self._no_preview,
            "/storage/m/_v2/{rest:path}": self._media,
        }

    def _no_preview(self, _request: Request) -> Response:
        placeholder = Image.new("RGB", (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), _PLACEHOLDER_GREY)
        return Response(_image_bytes(placeholder, "PNG"), media_type="image/png")

    def _media(self, request: Request) -> Response:
        """Serve a file by the type its name promises, true or not."""
        path = request.url.path
        if path.endswith("_thumb.jpg"):
            return self._thumbnail(path.removesuffix("_thumb.jpg"))
        attachment = self._site.posts.attachment(path)
        if attachment is None:
            return self._missing_file()
        promised = _MEDIA_TYPES.get(path.rpartition(".")[2], _UNKNOWN_MEDIA_TYPE)
        return Response(self._site.town.file(attachment), media_type=promised)

    def _thumbnail(self, stem: str) -> Response:
        originals = (
            self._site.posts.attachment(f"{stem}.{kind}") for kind in ("jpg", "jpeg", "png")
        )
        attachment = next((original for original in originals if original is not None), None)
        if attachment is None:
            return self._missing_file()
        try:
            with Image.open(io.BytesIO(self._site.town.file(attachment))) as image:
                square = ImageOps.fit(image.convert("RGB"), (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
        except (OSError, Image.DecompressionBombError):
            return self._missing_file()
        return Response(_image_bytes(square, "JPEG"), media_type="image/jpeg")

    def _missing_file(self) -> Response:
        status = self._site.options.missing_file_status
        return RedirectResponse(self._site.base_url + NO_PREVIEW_PATH, status)
