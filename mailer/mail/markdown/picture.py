"""Pictures of a Markdown text: their descriptions, and the size at which a letter shows them."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

from mailer.domain.letters.media import picture_size

COLUMN_WIDTH = 512
"""Pixels: the room for a letter's text in the templates, on a screen that is wide enough."""
ORNAMENT = "-"
"""The description, as in `![-](...)`, of a picture that says nothing to readers who do not see it."""
_TAKEN = {"callout_open": 48, "blockquote_open": 22, "bullet_list_open": 26, "ordered_list_open": 26}
"""Pixels that these blocks take from the width, for borders and space."""
_GAP = 16
_LEAST = 40


def prepare_pictures(tokens: Sequence[Token]) -> None:
    """Give pictures of this service their width and height in pixels, and ornaments an empty description.

    The width is at most the room that there is for it, since Outlook knows no max-width. One that fills its room has
    the class `full`: on a phone, where columns are wider, it still does.
    """
    rooms = [COLUMN_WIDTH]
    for token in tokens:
        if token.nesting == 1:
            rooms.append(_room_within(token, rooms[-1]))
        elif token.nesting == -1:
            rooms.pop()
        for child in token.children or ():
            if child.type == "image":
                _prepare(child, rooms[-1])


def _room_within(token: Token, room: int) -> int:
    if token.type == "column_open":
        return max(room // token.meta["of"] - _GAP, _LEAST)
    return max(room - _TAKEN.get(token.type, 0), _LEAST)


def _prepare(picture: Token, room: int) -> None:
    if picture.content.strip() == ORNAMENT:
        picture.children, picture.content = [], ""
    fit_picture(picture, room)


def fit_picture(picture: Token, room: int) -> None:
    """Give a picture of this service its width, at most `room` pixels, and its height; any other keeps what it has."""
    if size := picture_size(str(picture.attrs["src"])):
        width = min(size[0], room)
        picture.attrs["width"] = width
        picture.attrs["height"] = max(round(size[1] * width / size[0]), 1)
        if width == room:
            picture.attrs["class"] = "full"
