"""What a strange mail system said, made fit to stand in a letter of ours."""

from __future__ import annotations

import re

from mailer.mail.compose.notice_paragraphs import one_line

MOST = 200
"""Characters."""
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\]:;,\"']+")
_LINK = re.compile(r"(?<=[a-z]):(?=//)", re.IGNORECASE)


def reply_words(said: str) -> str:
    """One line of at most 200 characters in which no address stands, and nothing that a mail program makes a link."""
    # Cut before, too: what is said may be long.
    words = _LINK.sub(": ", _ADDRESS.sub("…", one_line(said[: 5 * MOST])))
    return words if len(words) <= MOST else f"{words[: MOST - 1]}…"
