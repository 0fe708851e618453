"""Text of another mail system, such as an SMTP reply, made safe to quote in a letter."""

from __future__ import annotations

import re

from mailer.mail.compose.notice_paragraphs import collapse_whitespace

MOST_CHARACTERS = 200
"""Characters."""
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\]:;,\"']+")
_URL_COLON = re.compile(r"(?<=[a-z]):(?=//)", re.IGNORECASE)


def sanitize_reply(reply: str) -> str:
    """The reply on one line of at most 200 characters, without addresses and without anything that becomes a link."""
    # Cut first as well: a reply may be very long.
    text = _URL_COLON.sub(": ", _ADDRESS.sub("…", collapse_whitespace(reply[: 5 * MOST_CHARACTERS])))
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
