"""Pictures and files as organisers have them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def encode_picture(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The picture as a file of that kind."""
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def photo(width: int = 640, height: int = 400, kind: str = "JPEG", **options: Any) -> bytes:
    """A file with shades from dark on the left to bright on the right."""
    return encode_picture(shades(width, height), kind, **options)


def shades(width: int, height: int) -> Image.Image:
    """A picture from dark on the left to bright on the right."""
    return Image.linear_gradient("L").rotate(90).resize((width, height)).convert("RGB")
