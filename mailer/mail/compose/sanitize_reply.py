"""What a strange mail system said, made fit to stand in a letter of ours."""

from __future__ import annotations

import re

from mailer.mail.compose.notice_paragraphs import collapse_whitespace

MOST_CHARACTERS = 200
"""Characters."""
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\]:;,\"']+")
_URL_COLON = re.compile(r"(?<=[a-z]):(?=//)", re.IGNORECASE)


def sanitize_reply(reply: str) -> str:
    """One line of at most 200 characters in which no address stands, and nothing that a mail program makes a link."""
    # Cut before, too: what is said may be long.
    text = _URL_COLON.sub(": ", _ADDRESS.sub("…", collapse_whitespace(reply[: 5 * MOST_CHARACTERS])))
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
