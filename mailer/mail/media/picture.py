"""Pictures for letters: decoded within limits, upright, without metadata, small, in a format that all programs show."""

from __future__ import annotations

import hashlib
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

from mailer.domain.letters.media import MediaFile
from mailer.errors import MediaRefused
from mailer.mail.media.media_name import path_name

MOST_WIDTH, MOST_HEIGHT = 1200, 3000
"""Pixels: twice what a letter is wide, for sharp screens."""
MOST_PICTURE_OCTETS = 1_000_000
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
"""What is taken in. Letters have JPEG, PNG and GIF: Outlook shows no WebP."""
_MOST_PIXELS = 50_000_000
"""Of one picture that is decoded: 200 MB of memory at most."""
_MOST_MOVING_PIXELS = 40_000_000
"""Of all frames of an animation that is kept."""
_MOST_FRAMES, _LONGEST_MOVING_MS = 500, 600_000
"""Of an animation that is kept: what stands still in it becomes one frame, whose time GIF counts in sixteen bits."""
_MOST_SCANNED_PIXELS = 20 * _MOST_PIXELS
"""Pixels times scans of a progressive JPEG: each scan, of a few octets, makes the decoder go over all pixels."""
_SCAN = b"\xff\xda"
"""Begins a scan (ITU-T T.81, B.2.3); what is compressed holds no such pair."""
_PHOTO_FORMATS = ("JPEG", "MPO")
_QUALITIES = (82, 72, 62, 50)
_OPAQUE = 255
_ALWAYS_SMALL = 300
"""Pixels of a side, up to which no more is asked of the octets."""
_DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    ArithmeticError,
    struct.error,
    zlib.error,
    LookupError,
    TypeError,
)
"""What decoders raise for damaged files."""
_ONE_AT_A_TIME = threading.Lock()
"""Decoding takes much memory, so threads take turns."""


def prepare_picture(octets: bytes, name: str) -> MediaFile:
    """The picture as letters have it; the same octets for the same input. Takes up to seconds, and one at a time.

    At most MOST_WIDTH x MOST_HEIGHT pixels and MOST_PICTURE_OCTETS, as sRGB. A GIF goes on moving where it is small
    enough; of any other animation the first frame is taken. Raises MediaRefused with the name for what is no picture
    of FORMATS, is damaged or cut off, or has too many pixels.
    """
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _prepare(octets, name)
    except UnidentifiedImageError:
        raise MediaRefused(f"{name} is no picture in {', '.join(FORMATS)} that can be read") from None
    except Image.DecompressionBombError:
        raise MediaRefused(f"{name} has too many pixels; the most is {_MOST_PIXELS // 10**6} million") from None
    except MemoryError:
        raise MediaRefused(f"{name} needs too much memory; make it smaller") from None
    except _DAMAGED as error:
        raise MediaRefused(f"{name} is damaged or cut off ({error}); save or export it again") from None


def _prepare(octets: bytes, name: str) -> MediaFile:
    with Image.open(BytesIO(octets), formats=FORMATS) as source:
        if source.width * source.height > _MOST_PIXELS:
            raise MediaRefused(
                f"{name} has {source.width} x {source.height} pixels; the most is {_MOST_PIXELS // 10**6} million"
            )
        is_photo = source.format in _PHOTO_FORMATS
        if is_photo and source.width * source.height * octets.count(_SCAN) > _MOST_SCANNED_PIXELS:
            raise MediaRefused(f"{name} takes too long to decode; save or export it again, not as a progressive JPEG")
        if (moving := _keep_moving(source)) is not None:
            return _media_file(moving, "gif", source.size, name)
        if is_photo:
            # The decoder itself halves what is more than twice too large, which saves most of the memory.
            source.draft("RGB", (MOST_WIDTH * 2, MOST_HEIGHT * 2))
        source.load()
        picture = _shrink(_to_srgb(ImageOps.exif_transpose(source)))
    # A copy into which nothing of a file is written but its pixels: Pillow keeps comments and profiles in `info`.
    picture.info = {}
    return _media_file(*_encode(picture, is_photo=is_photo), name)


def _media_file(content: bytes, extension: str, size: tuple[int, int], name: str) -> MediaFile:
    return MediaFile(
        digest=hashlib.sha256(content).hexdigest(),
        name=path_name(name, extension, size=size, kind="picture"),
        media_type=f"image/{'jpeg' if extension == 'jpg' else extension}",
        content=content,
        size=len(content),
        width=size[0],
        height=size[1],
    )


def _keep_moving(source: Image.Image) -> bytes | None:
    """An animated GIF without its metadata, or None if it is none, or too large to be kept so."""
    frames = getattr(source, "n_frames", 1) if source.format == "GIF" else 1
    if not 2 <= frames <= _MOST_FRAMES or source.width > MOST_WIDTH:
        return None
    if source.width * source.height * frames > _MOST_MOVING_PIXELS:
        return None
    durations, pictures = [], []
    for frame in ImageSequence.Iterator(source):
        durations.append(max(int(frame.info.get("duration", 0)), 20))
        pictures.append(frame.convert("RGBA"))
        pictures[-1].info = {}
    if sum(durations) > _LONGEST_MOVING_MS:
        source.seek(0)
        return None
    out = BytesIO()
    more = {"append_images": pictures[1:], "duration": durations, "disposal": 2, "optimize": True}
    loop = {"loop": source.info["loop"]} if "loop" in source.info else {}
    pictures[0].save(out, "GIF", save_all=True, **more, **loop)
    return out.getvalue() if len(out.getvalue()) <= MOST_PICTURE_OCTETS else None


def _to_srgb(picture: Image.Image) -> Image.Image:
    """The picture as L, RGB or RGBA, in sRGB where it says which colours it has."""
    has_alpha = picture.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in picture.info
    if picture.mode.startswith("I") or picture.mode == "F":
        # Sixteen bits of grey: Pillow would cut them off instead of scaling them.
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if profile := picture.info.get("icc_profile"):
        with suppress(ImageCms.PyCMSError, *_DAMAGED):  # a damaged profile is left out like none
            picture = _apply_profile(picture, profile)
    if has_alpha:
        return picture.convert("RGBA")
    return picture if picture.mode in {"L", "RGB"} else picture.convert("RGB")


def _apply_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    if picture.mode not in {"RGB", "RGBA", "CMYK", "L"}:
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    plain = picture.convert("RGB") if alpha else picture
    own, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(plain, own, srgb, outputMode="RGB")
    if converted is None:
        return picture
    if alpha:
        converted.putalpha(alpha)
    return converted


def _shrink(picture: Image.Image) -> Image.Image:
    scale = min(MOST_WIDTH / picture.width, MOST_HEIGHT / picture.height)
    return picture if scale >= 1 else _scaled(picture, scale)


def _scaled(picture: Image.Image, scale: float) -> Image.Image:
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    return picture.resize(size, Image.Resampling.LANCZOS)


Encoded = tuple[bytes, str, tuple[int, int]]
"""Octets, extension, and the size in pixels."""


def _encode(picture: Image.Image, *, is_photo: bool) -> Encoded:
    """PNG for what is see-through and for drawings, JPEG for the rest; the first try that is small enough."""
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] == _OPAQUE:
        picture = picture.convert("RGB")
    if picture.mode == "RGBA":
        return _first_small(_encode_png(picture))
    jpeg = _first_small(_encode_jpeg(picture))
    png = None if is_photo else next(_encode_png(picture))
    return png if png and len(png[0]) <= len(jpeg[0]) else jpeg


def _first_small(tries: Iterator[Encoded]) -> Encoded:
    return next(one for one in tries if len(one[0]) <= MOST_PICTURE_OCTETS or max(one[2]) <= _ALWAYS_SMALL)


def _encode_jpeg(picture: Image.Image) -> Iterator[Encoded]:
    for smaller in _smaller_and_smaller(picture):
        for quality in _QUALITIES:
            yield _save(smaller, "JPEG", quality=quality, optimize=True, progressive=True)


def _encode_png(picture: Image.Image) -> Iterator[Encoded]:
    for smaller in _smaller_and_smaller(picture):
        yield _save(smaller, "PNG", optimize=True)
        method = Image.Quantize.FASTOCTREE if picture.mode == "RGBA" else Image.Quantize.MEDIANCUT
        yield _save(smaller.quantize(256, method=method), "PNG", optimize=True)


def _smaller_and_smaller(picture: Image.Image) -> Iterator[Image.Image]:
    while True:
        yield picture
        picture = _scaled(picture, 0.75)


def _save(picture: Image.Image, kind: str, **options: Any) -> Encoded:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue(), "jpg" if kind == "JPEG" else "png", picture.size
