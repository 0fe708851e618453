"""The attributes with which a picture stands in a letter's HTML."""

from __future__ import annotations

from mailer.domain.letters.media import picture_size

WIDEST = 600
"""CSS pixels of a letter's text; a picture that is wider is shown so wide, and sharper on sharp screens."""


def picture_attributes(path: str, site_url: str, widest: int = WIDEST) -> dict[str, str]:
    """`src`, and where the path tells the size `width` and `height`, for a picture of ours: `/media/...-1200x800.jpg`.

    A picture is at most `widest` CSS pixels wide, and keeps its shape; Outlook goes by these attributes alone.
    """
    attributes = {"src": f"{site_url}{path}"}
    if size := picture_size(path):
        width = min(size[0], widest)
        attributes |= {"width": str(width), "height": str(max(round(size[1] * width / size[0]), 1))}
    return attributes
