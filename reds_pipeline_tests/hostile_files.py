"""Files that somebody might send to do harm, and odd ones that are photos all the same.

What belongs here: making them in memory, each the same in every run. What does not: what REDS
says to them; imaging/test_photo_hostile.py asks the reader, and the tests of the page ask a server.
"""

from __future__ import annotations

import base64
import gzip
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from PIL import Image

from reds_pipeline_tests.imaging.pictures import (
    colour_profile,
    encoded,
    jpeg_segment,
    png_chunk,
    png_header,
    riff_chunk,
    scene,
    with_orientation,
)

SCRIPT = b"<script>alert('photo')</script>"
"""What polyglots carry; no answer and no file that is kept may hold it."""

_CUTS = (0.02, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.97)
_ONE_MEGABYTE = 1_000_000
_END_OF_PNG = png_chunk(b"IEND", b"")
# 12,000 x 12,000 black pixels, which take 8 s to compress.
_BLACK_AVIF = zlib.decompress(
    base64.b85decode(
        "c-muNV30{GsVqn=%S>Yc0uY^>nP!-qnF!*)%uOvxWPkw0jFg-rD4U@mGr5ET4e%9YmgIt2j6f`xnUkLk;<$kLj1W;q"
        "UIqr{UqH4-W@cU*T&)z4lgb3;C6*Z&I_Kx)gYC-"
        "5EGQ}f(w><G$@xH9B(u066=I#<0|*A$TagLY%mE~L63Yyo8|7s{0>a7pIYoKNITb*2c^TLmfI{M#1-"
        "URE0iDId$kfcjz`(+ko03=}#K6TZ|2^;i?%HKcQoIgEFW3e6zlz@fr}Kxw=KLug@AZi`75h8SX*YUk?@~Qhz^!Co>p"
        "6Xr`;FTNRTcPeaJ&-w@|jOmPqm`E+i(Vx?er&?w^i7RFG~}BH<)!B{Jl5l{fPsC@7|~FNwmCoWUcc4>HF(H-"
        "*xkO@g--=sJ}=3O|;!V22wXA-rfKJ^%My}"
    )
)


@dataclass(frozen=True)
class HostileFile:
    """A file that has to be refused.

    Attributes:
        name: What it is, in a few words.
        data: The file.
        expected_reason: Of the ``ImageRejected``.
    """

    name: str
    data: bytes
    expected_reason: str


@dataclass(frozen=True)
class KindFile:
    """A file that looks odd and is a photo all the same.

    Attributes:
        name: What it is, in a few words.
        data: The file.
        size: (width, height) of the upright photo, in pixels.
    """

    name: str
    data: bytes
    size: tuple[int, int]


@cache
def heic(width: int = 96, height: int = 64, **options: object) -> bytes:
    """Return a HEIC file as a phone makes it."""
    from pillow_heif import from_pillow

    file = BytesIO()
    from_pillow(scene(width, height)).save(file, quality=60, **options)
    return file.getvalue()


@cache
def hostile_files() -> tuple[HostileFile, ...]:
    """Return more than 200 files, none of which may be taken for a photo."""
    return (*_not_pictures(), *_cut_off(), *_bombs(), *_wrong_sizes(), *_broken(), *_animations())


@cache
def kind_files() -> tuple[KindFile, ...]:
    """Return odd files that are valid photos; none may be refused."""
    picture = scene()
    size = picture.size
    jpeg, png, webp, gif = (encoded(picture, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF"))
    grey = picture.convert("L")
    wide_grey = Image.fromarray(np.asarray(grey, dtype=np.uint16) * 257)
    with_alpha = picture.copy()
    with_alpha.putalpha(grey)
    payloads = _zipped(b"hello"), SCRIPT, b"%PDF-1.7\n%%EOF", b"\x00" * _ONE_MEGABYTE
    behind = [
        KindFile(f"{kind} with {name} behind it", data + payload, size)
        for kind, data in (("JPEG", jpeg), ("PNG", png), ("WebP", webp), ("GIF", gif))
        for name, payload in zip(("a ZIP", "a script", "a PDF", "zeros"), payloads, strict=True)
    ]
    bomb = zlib.compress(bytes(20 * _ONE_MEGABYTE))
    half = png_chunk(b"IDAT", zlib.compress(bytes(32 * (1 + 3 * 96))))
    texts = {
        "zTXt bomb": png_chunk(b"zTXt", b"Comment\x00\x00" + bomb),
        "iTXt bomb": png_chunk(b"iTXt", b"Comment\x00\x01\x00\x00\x00" + bomb),
        "iCCP bomb": png_chunk(b"iCCP", b"icc\x00\x00" + bomb),
        "script in a text": png_chunk(b"tEXt", b"Comment\x00" + SCRIPT),
        "unknown chunk of a megabyte": png_chunk(b"juNk", bytes(_ONE_MEGABYTE)),
        "damaged EXIF": png_chunk(b"eXIf", b"MM\x00*\xff\xff\xff\xff"),
    }
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff" + bytes(60_000)
    segments = {
        "EXIF of 60 kB with 65,535 entries": jpeg_segment(0xE1, exif),
        "6 MB of EXIF": jpeg_segment(0xE1, exif) * 100,
        "6 MB of what is no profile": b"".join(
            jpeg_segment(0xE2, b"ICC_PROFILE\x00" + bytes([number, 100]) + bytes(60_000))
            for number in range(1, 101)
        ),
        "script in a comment": jpeg_segment(0xFE, SCRIPT),
        "script in XMP": jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + SCRIPT),
    }
    return (
        *behind,
        *(KindFile(f"PNG with a {name}", png[:33] + part + png[33:], size)
          for name, part in texts.items()),
        *(KindFile(f"JPEG with {name}", jpeg[:2] + part + jpeg[2:], size)
          for name, part in segments.items()),
        KindFile("CMYK JPEG", encoded(picture.convert("CMYK")), size),
        KindFile("grey JPEG", encoded(grey), size),
        KindFile("progressive JPEG", encoded(picture, progressive=True), size),
        KindFile("JPEG with a profile", encoded(picture, icc_profile=colour_profile()), size),
        KindFile("black and white PNG", encoded(picture.convert("1"), "PNG"), size),
        KindFile("grey PNG of 16 bits", encoded(wide_grey, "PNG"), size),
        KindFile("PNG with half of its rows", png_header(*size) + half + _END_OF_PNG, size),
        KindFile("palette PNG", encoded(picture.convert("P"), "PNG", transparency=0), size),
        KindFile("PNG with alpha", encoded(with_alpha, "PNG"), size),
        KindFile("grey PNG with alpha", encoded(with_alpha.convert("LA"), "PNG"), size),
        KindFile("WebP with alpha", encoded(with_alpha, "WEBP"), size),
        KindFile("lossless WebP", encoded(picture, "WEBP", lossless=True), size),
        KindFile("AVIF", encoded(picture, "AVIF"), size),
        KindFile("HEIC", heic(), size),
        KindFile("tiled HEIC", heic(640, 480, grid_tile_size=256), (640, 480)),
        KindFile("smallest JPEG", encoded(scene(32, 32)), (32, 32)),
        KindFile("panorama of 20:1", encoded(scene(1280, 64)), (1280, 64)),
        KindFile("tower of 1:60", encoded(scene(32, 1920), "PNG"), (32, 1920)),
        *(KindFile(f"{kind} turned by EXIF", with_orientation(picture, 6, kind), size[::-1])
          for kind in ("JPEG", "PNG", "WEBP", "AVIF")),
    )  # fmt: skip


def _not_pictures() -> Iterator[HostileFile]:
    yield HostileFile("nothing", b"", "empty")
    jpeg, png = encoded(scene()), encoded(scene(), "PNG")
    entity = b'<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(98, 108)
    )
    noise = np.random.default_rng(0).bytes(4096)
    files = {
        "one byte": b"\xff",
        "a line end": b"\n",
        "zeros": bytes(_ONE_MEGABYTE),
        "noise": noise.replace(b"\xff\xd8\xff", b"   "),
        "text": b"This is no photo.",
        "HTML": b"<!doctype html><title>photo.jpg</title>" + SCRIPT,
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>",
        "SVG with an XML header": b'<?xml version="1.0"?><svg onload="alert(1)"/>',
        "XML entity bomb": b'<?xml version="1.0"?><!DOCTYPE x [' + entity + b"]><x>&k;</x>",
        "XML that reads a file": b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
        "compressed SVG": gzip.compress(b"<svg/>" * 1000, mtime=0),
        "gzip bomb": gzip.compress(bytes(8 * _ONE_MEGABYTE), 6, mtime=0),
        "ZIP": _zipped(b"hello"),
        "ZIP bomb": _zipped(bytes(8 * _ONE_MEGABYTE)),
        "ZIP with a photo": _zipped(jpeg),
        "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF",
        "PDF before a JPEG": b"%PDF-1.7\n" + jpeg,
        "script before a JPEG": SCRIPT + jpeg,
        "ZIP before a PNG": _zipped(b"hello") + png,
        "space before a PNG": b" " + png,
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage",
        "shell script": b"#!/bin/sh\nrm -rf /\n",
        "PHP": b"<?php system($_GET['c']); ?>",
        "JavaScript": b"alert(document.cookie)//",
        "Python pickle": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00.",
        "Linux program": b"\x7fELF\x02\x01\x01" + bytes(64),
        "Windows program": b"MZ" + bytes(62) + b"PE\x00\x00",
        "Java class": b"\xca\xfe\xba\xbe\x00\x00\x00\x34",
        "SQLite": b"SQLite format 3\x00" + bytes(100),
        "MP4 film": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + bytes(64),
        "QuickTime film": b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  " + bytes(64),
        "WebM film": b"\x1aE\xdf\xa3" + bytes(64),
        "AVI film": b"RIFF\x40\x00\x00\x00AVI LIST" + bytes(64),
        "sound in RIFF": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28),
        "MP3": b"ID3\x03\x00" + bytes(64),
        "font": b"wOF2" + bytes(64),
        "Portable Pixmap": b"P6 40 40 255\n" + bytes(4800),
        "first two bytes of a JPEG": b"\xff\xd8",
        "JPEG with its first byte changed": b"\xfe" + jpeg[1:],
        "PNG through a text mode": png.replace(b"\r\n", b"\n", 1),
        "JPEG in base 64": b"data:image/jpeg;base64,/9j/4AAQSkZJRg==",
        "JPEG in UTF-16": jpeg[:200].decode("latin-1").encode("utf-16"),
    }
    for name, data in files.items():
        yield HostileFile(name, data, "not_an_image")
    unsupported = {
        "bitmap": encoded(scene(), "BMP"),
        "bitmap and script": b"BM/*" + bytes(50) + b"*/=1;alert(1)",
        "TIFF": encoded(scene(), "TIFF"),
        "big-endian TIFF": b"MM\x00*" + bytes(64),
        "icon": encoded(scene(), "ICO"),
        "Photoshop": b"8BPS\x00\x01" + bytes(64),
        "JPEG XL": b"\xff\x0a" + bytes(64),
        "JPEG XL in a box": b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(64),
        "JPEG 2000": encoded(scene(), "JPEG2000"),
    }
    for name, data in unsupported.items():
        yield HostileFile(name, data, "unsupported_format")
    comments = jpeg_segment(0xFE, bytes(65_000)) * 310
    yield HostileFile("JPEG of 20 MB", jpeg[:2] + comments + jpeg[2:], "too_many_bytes")
    yield HostileFile("HTML of 20 MB", b"<p>".ljust(20_000_001), "too_many_bytes")


def _cut_off() -> Iterator[HostileFile]:
    picture = scene()
    cut = {
        "JPEG": encoded(picture),
        "progressive JPEG": encoded(picture, progressive=True),
        "JPEG with a profile": encoded(picture, icc_profile=colour_profile()),
        "PNG": encoded(picture, "PNG"),
        "palette PNG": encoded(picture.convert("P"), "PNG"),
        "WebP": encoded(picture, "WEBP"),
        "lossless WebP": encoded(picture, "WEBP", lossless=True),
        "extended WebP": with_orientation(picture, 6, "WEBP"),
    }
    for kind, data in cut.items():
        for share in _CUTS:
            end = max(16, int(share * len(data)))
            yield HostileFile(f"{kind} cut off at {share:.0%}", data[:end], "truncated")
        yield HostileFile(f"{kind} without its last byte", data[:-1], "truncated")
    # What their decoders make of a missing part differs from one cut to the next.
    for kind, data, reasons in (
        ("GIF", encoded(picture, "GIF"), {0.02: "undecodable", 0.1: "undecodable"}),
        ("AVIF", encoded(picture, "AVIF"), {}),
        ("HEIC", heic(), {}),
    ):
        for share in _CUTS:
            end = max(32, int(share * len(data)))
            reason = reasons.get(share, "truncated" if kind == "GIF" else "undecodable")
            yield HostileFile(f"{kind} cut off at {share:.0%}", data[:end], reason)


def _bombs() -> Iterator[HostileFile]:
    rows = zlib.compress(bytes(20 * _ONE_MEGABYTE))
    bits = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    bombs = {
        "PNG that claims 60,000 x 60,000": png_header(60_000, 60_000) + _END_OF_PNG,
        "PNG that claims the largest size": png_header(2**31 - 1, 2**31 - 1) + _END_OF_PNG,
        "PNG that claims 50,000,001 x 1": png_header(50_000_001, 1) + _END_OF_PNG,
        "PNG of zeros, 7,100 x 7,100": (
            png_header(7_100, 7_100) + png_chunk(b"IDAT", rows) + _END_OF_PNG
        ),
        "black and white PNG, 40,000 x 40,000": (
            b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", bits) + png_chunk(b"IDAT", rows) + _END_OF_PNG
        ),
        "GIF that claims 65,535 x 65,535": _with_gif_size(65_535, 65_535),
        "GIF that claims 10,000 x 10,000": _with_gif_size(10_000, 10_000),
        "WebP that claims 16,384 x 16,384": _webp_canvas(16_384, 16_384),
        "WebP that claims the largest canvas": _webp_canvas(2**24, 2**24),
        "simple WebP that claims 16,383 x 16,383": _simple_webp(16_383, 16_383),
        "lossless WebP that claims 16,384 x 16,384": _lossless_webp(16_384, 16_384),
        "AVIF that claims 8,000 x 8,000": _media_size(encoded(scene(), "AVIF"), 8_000, 8_000),
        "AVIF of 12,000 x 12,000": _BLACK_AVIF,
        "AVIF of 12,000 x 12,000 that claims 64 x 64": _media_size(_BLACK_AVIF, 64, 64),
        "HEIC that claims 20,000 x 20,000": _media_size(heic(), 20_000, 20_000),
        "HEIC that claims 8,000 x 8,000": _media_size(heic(), 8_000, 8_000),
    }
    for name, data in bombs.items():
        yield HostileFile(name, data, "too_many_pixels")
    for is_progressive, width, height in (
        (False, 65_500, 65_500),
        (False, 65_500, 4_000),
        (False, 60_000, 890),
        (True, 65_500, 65_500),
        (True, 10_100, 10_000),
    ):
        kind = "progressive JPEG" if is_progressive else "JPEG"
        data = _jpeg_size(encoded(scene(), progressive=is_progressive), width, height)
        yield HostileFile(f"{kind} that claims {width} x {height}", data, "too_many_pixels")
    many = _with_scans(encoded(scene(), progressive=True), 80)
    yield HostileFile(
        "JPEG that claims 90 scans of 6,000 x 6,000",
        _jpeg_size(many, 6_000, 6_000),
        "too_many_pixels",
    )
    yield HostileFile(
        "JPEG of 101 scans", _with_scans(encoded(scene(), progressive=True), 101), "undecodable"
    )


def _wrong_sizes() -> Iterator[HostileFile]:
    for width, height in ((1, 1), (31, 31), (31, 4_000), (4_000, 1), (16, 16)):
        for kind in ("JPEG", "PNG", "WEBP", "GIF", "AVIF"):
            data = encoded(scene(width, height), kind)
            yield HostileFile(f"{kind} of {width} x {height}", data, "too_small")
    yield HostileFile("HEIC of 24 x 24", heic(24, 24), "too_small")
    jpeg = encoded(scene())
    for width, height in ((0, 64), (96, 0), (0, 0)):
        yield HostileFile(
            f"JPEG of {width} x {height}", _jpeg_size(jpeg, width, height), "undecodable"
        )
        png = png_header(width, height) + png_chunk(b"IDAT", b"") + _END_OF_PNG
        yield HostileFile(f"PNG of {width} x {height}", png, "undecodable")


def _broken() -> Iterator[HostileFile]:
    picture = scene()
    jpeg, png, webp = encoded(picture), encoded(picture, "PNG"), encoded(picture, "WEBP")
    gif, avif = encoded(picture, "GIF"), encoded(picture, "AVIF")
    frame = jpeg.index(b"\xff\xc0")
    header = png_header(96, 64)
    extended = riff_chunk(b"VP8X", bytes(4) + b"\x5f\x00\x00\x3f\x00\x00")
    text_bomb = png_chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(10 * _ONE_MEGABYTE)))
    files = {
        "AVIF that claims 60,000 x 60,000": _media_size(avif, 60_000, 60_000),
        "PNG without pixels": header + _END_OF_PNG,
        "PNG with a text bomb and no pixels": header + text_bomb + _END_OF_PNG,
        "PNG signature and ZIP": b"\x89PNG\r\n\x1a\n" + _zipped(b"hello")[:30],
        "JPEG of nothing but start and end": b"\xff\xd8\xff\xd9",
        "JPEG of comments": b"\xff\xd8" + jpeg_segment(0xFE, SCRIPT) * 9 + b"\xff\xd9",
        "JPEG without a frame": jpeg[:frame] + jpeg[frame + 19 :],
        "JPEG without tables": b"\xff\xd8" + jpeg[frame:],
        "JPEG with a segment of length 0": jpeg[:2] + b"\xff\xe1\x00\x00" + jpeg[2:],
        "JPEG of 0 components": jpeg[: frame + 9] + b"\x00" + jpeg[frame + 10 :],
        "JPEG of 200 components": jpeg[: frame + 9] + b"\xc8" + jpeg[frame + 10 :],
        "JPEG sampled 0 times": jpeg[: frame + 11] + b"\x00" + jpeg[frame + 12 :],
        "JPEG sampled 15 times": jpeg[: frame + 11] + b"\xff" + jpeg[frame + 12 :],
        "JPEG of 12 bits": jpeg[: frame + 4] + b"\x0c" + jpeg[frame + 5 :],
        "JPEG of two frames": jpeg[:frame] + jpeg[frame : frame + 19] + jpeg[frame:],
        "lossless JPEG": jpeg[: frame + 1] + b"\xc3" + jpeg[frame + 2 :],
        "hierarchical JPEG": jpeg[: frame + 1] + b"\xc5" + jpeg[frame + 2 :],
        "PNG with a wrong checksum": png[:-13] + b"\x00" + png[-12:],
        "PNG of another first chunk": png[:8] + png_chunk(b"IDAT", bytes(20)) + png[33:],
        "PNG of an unknown colour type": _png_of(bits=8, colour_type=7),
        "PNG of 3 bits": _png_of(bits=3, colour_type=2),
        "PNG whose pixels are noise": header + png_chunk(b"IDAT", b"noise" * 9) + _END_OF_PNG,
        "WebP without pixels": _riff(extended),
        "WebP of an unknown first chunk": _riff(riff_chunk(b"JUNK", bytes(40))),
        "WebP whose pixels are zeros": _riff(riff_chunk(b"VP8 ", bytes(80))),
        "lossless WebP of noise": _riff(
            riff_chunk(b"VP8L", b"\x2f\x5f\xc0\x0f\x10" + b"\xa5" * 60)
        ),
        "GIF that is a script": b"GIF89a/*" + bytes(30) + b"*/=1;" + SCRIPT,
        "GIF of a header": gif[:13],
        "GIF without a picture": b"GIF89a\x60\x00\x40\x00\x00\x00\x00;",
        "AVIF of its first box": avif[:32],
        "AVIF whose pixels are zeros": _emptied(avif),
        "HEIC of its first box": heic()[:24],
        "HEIC whose first box is endless": b"\xff\xff\xff\xff" + heic()[4:24] + bytes(100),
        "HEIC of zeros": heic()[:24] + bytes(400),
        "HEIC whose pixels are zeros": _emptied(heic()),
        "HEIC of AV1": avif.replace(b"avif", b"heic"),
    }
    for name, data in files.items():
        yield HostileFile(name, data, "undecodable")
    cut_inside = {
        "PNG without its end": png[:-12],
        "PNG of a chunk of 2 GB": header + b"\x7f\xff\xff\xffIDAT" + bytes(100),
        "palette PNG without pixels": _png_of(bits=8, colour_type=3, pixels=b""),
        "WebP of a length that is too long": webp[:4] + b"\xff\xff\xff\x7f" + webp[8:],
        "WebP of a chunk that is too long": webp[:16] + b"\xff\xff\xff\x7f" + webp[20:],
        "JPEG without an end": jpeg[:-2],
        "JPEG of a segment that is too long": b"\xff\xd8\xff\xe1\xff\xff" + bytes(100),
        "JPEG and ZIP with nothing between": b"\xff\xd8\xff" + _zipped(b"hello"),
        "JPEG signature and HTML": b"\xff\xd8\xff\xe0" + SCRIPT * 9,
    }
    for name, data in cut_inside.items():
        yield HostileFile(name, data, "truncated")


def _animations() -> Iterator[HostileFile]:
    more = {"save_all": True, "append_images": [scene(seed=1), scene(seed=2)]}
    for kind in ("GIF", "PNG", "WEBP", "AVIF"):
        yield HostileFile(f"animated {kind}", encoded(scene(), kind, **more), "animated")
    single = riff_chunk(b"VP8X", bytes([2, 0, 0, 0]) + b"\x5f\x00\x00\x3f\x00\x00")
    yield HostileFile("WebP that says it moves", _riff(single), "animated")
    for brand in (b"hevc", b"hevx", b"msf1"):
        film = b"\x00\x00\x00\x14ftyp" + brand + bytes(4) + brand + bytes(80)
        yield HostileFile(f"HEIC film of brand {brand.decode()}", film, "animated")


def _zipped(content: bytes) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", content)
    return file.getvalue()


def _riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_canvas(width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _riff(riff_chunk(b"VP8X", bytes(4) + sizes), encoded(scene(), "WEBP")[12:])


def _simple_webp(width: int, height: int) -> bytes:
    webp = encoded(scene(), "WEBP")
    return webp[:26] + struct.pack("<HH", width, height) + webp[30:]


def _lossless_webp(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return _riff(riff_chunk(b"VP8L", b"\x2f" + struct.pack("<I", bits) + bytes(60)))


def _with_gif_size(width: int, height: int) -> bytes:
    gif = encoded(scene(), "GIF")
    return gif[:6] + struct.pack("<HH", width, height) + gif[10:]


def _jpeg_size(jpeg: bytes, width: int, height: int) -> bytes:
    frame = next(jpeg.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in jpeg[:1000])
    return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]


def _with_scans(jpeg: bytes, scans: int) -> bytes:
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * scans + jpeg[-2:]


def _media_size(data: bytes, width: int, height: int) -> bytes:
    """Change what the box ``ispe`` of an AVIF or HEIC claims."""
    place = data.index(b"ispe") + 8
    return data[:place] + struct.pack(">II", width, height) + data[place + 8 :]


def _emptied(data: bytes) -> bytes:
    """Overwrite the compressed pixels of an AVIF or HEIC with zeros."""
    place = data.index(b"mdat") + 4
    return data[:place] + bytes(len(data) - place)


def _png_of(bits: int, colour_type: int, pixels: bytes = b"\x00" * 400) -> bytes:
    header = struct.pack(">IIBBBBB", 96, 64, bits, colour_type, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(pixels)) + _END_OF_PNG
    return b"\x89PNG\r\n\x1a\n" + chunks
