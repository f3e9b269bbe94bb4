"""Which image format some bytes are, told by their first bytes alone.

What belongs here: magic numbers and the reasons for refusing what they reveal. What does not:
reading sizes or pixels. File names and ``Content-Type`` headers are never believed: servers send
HTML named ``.jpg`` and the type ``image/jpg`` (fediverse.md section 4).
"""

from __future__ import annotations

from reds_pipeline.errors import ImageRejected

JPEG = "JPEG"
PNG = "PNG"
WEBP = "WEBP"
GIF = "GIF"
AVIF = "AVIF"
HEIC = "HEIC"

_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_GIF_STARTS = (b"GIF87a", b"GIF89a")
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
_HEIC_SEQUENCE_BRANDS = frozenset({b"hevc", b"hevx", b"msf1"})
# Pictures of a kind that is not collected: HEIC, BMP, TIFF, Photoshop, icons, JPEG XL, JPEG 2000.
_OTHER_BRANDS = _HEIC_STILL_BRANDS | _HEIC_SEQUENCE_BRANDS
_OTHER_STARTS = (
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"8BPS",
    b"\x00\x00\x01\x00",
    b"\xff\x0a",
    b"\x00\x00\x00\x0cJXL ",
    b"\x00\x00\x00\x0cjP  ",
)


def sniff_format(data: bytes) -> str:
    """Return the format of a file from its first bytes.

    Args:
        data: The file, or at least its first 64 bytes.

    Returns:
        ``JPEG``, ``PNG``, ``WEBP``, ``GIF`` or ``AVIF``.

    Raises:
        ImageRejected: ``unsupported_format`` for other kinds of picture, ``not_an_image`` for
            anything else, such as an HTML page.
    """
    if data.startswith(_JPEG_START):
        return JPEG
    if data.startswith(_PNG_START):
        return PNG
    if data.startswith(_GIF_STARTS):
        return GIF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    brands = _media_brands(data)
    if brands & _AVIF_BRANDS:
        return AVIF
    if brands & _OTHER_BRANDS or data.startswith(_OTHER_STARTS):
        raise ImageRejected("unsupported_format")
    raise ImageRejected("not_an_image")


def sniff_photo_format(data: bytes) -> str:
    """Return the format of a photo that a person chose, which may be HEIC as well.

    The Fediverse serves no HEIC, so pictures that are collected are never of it; phones make it.

    Args:
        data: The file, or at least its first 64 bytes.

    Returns:
        As `sniff_format`, or ``HEIC``.

    Raises:
        ImageRejected: As `sniff_format`; ``animated`` for a HEIC sequence without a still.
    """
    brands = _media_brands(data)
    if not brands & _AVIF_BRANDS:
        if brands & _HEIC_STILL_BRANDS:
            return HEIC
        if brands & _HEIC_SEQUENCE_BRANDS:
            raise ImageRejected("animated")
    return sniff_format(data)


def _media_brands(data: bytes) -> set[bytes]:
    """Return the brands of an ISO media file (AVIF, HEIC, MP4), or an empty set."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), 64)
    return {data[8:12], *(data[start : start + 4] for start in range(16, end, 4))}
