"""The demo's inbox: it accepts and keeps every letter."""

from __future__ import annotations

import asyncio
import email
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser

from mailer.errors import NotFound

_NESTING = re.compile(rb"(?:multipart|message)/", re.IGNORECASE)
_MOST_NESTED = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxLetter:
    """One letter as it arrived. Its content may be malformed or hostile; reading it never raises."""

    number: int
    """1, 2, 3 ... in the order in which they came."""
    return_path: str
    """MAIL FROM, without angle brackets; empty for <>."""
    recipient: str
    """RCPT TO, without angle brackets."""
    content: bytes
    """Header and body as they came, dots no longer stuffed."""
    received_at: datetime

    def header(self, name: str) -> str:
        """The first header of that name, its encoded words (RFC 2047) decoded; empty where there is none."""
        return _decode_header_text(BytesHeaderParser().parsebytes(self.content)[name])

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def sender(self) -> str:
        return self.header("From")

    @property
    def html(self) -> str | None:
        """The first text/html part; None if there is none or it is nested too deep."""
        return _first_part(self.content, "text/html")

    @property
    def text(self) -> str | None:
        """The first text/plain part; None if there is none or it is nested too deep."""
        return _first_part(self.content, "text/plain")


class Inbox:
    """All letters, in memory, for use in one event loop."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._letters: list[InboxLetter] = []
        self._by_recipient: dict[str, list[InboxLetter]] = defaultdict(list)
        self._arrived = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._letters)

    async def add(self, return_path: str, recipient: str, content: bytes) -> InboxLetter:
        """Keep a letter, and wake the tasks in `wait_for`."""
        async with self._arrived:
            letter = InboxLetter(
                number=len(self._letters) + 1,
                return_path=return_path,
                recipient=recipient,
                content=content,
                received_at=self._clock(),
            )
            self._letters.append(letter)
            self._by_recipient[recipient.casefold()].append(letter)
            self._arrived.notify_all()
        return letter

    def letter(self, number: int) -> InboxLetter:
        """The letter of this number. Raises NotFound."""
        if not 1 <= number <= len(self._letters):
            raise NotFound(f"there is no letter {number}")
        return self._letters[number - 1]

    def letters_to(self, recipient: str) -> tuple[InboxLetter, ...]:
        """All letters to one address, oldest first; letter case does not matter."""
        return tuple(self._by_recipient.get(recipient.casefold(), ()))

    def search(self, query: str, *, before: int | None, limit: int) -> tuple[InboxLetter, ...]:
        """Up to `limit` letters whose recipient contains `query`, newest first, numbered below `before`."""
        needle, matches = query.strip().casefold(), list[InboxLetter]()
        newest = len(self._letters) if before is None else min(before - 1, len(self._letters))
        for letter in reversed(self._letters[: max(newest, 0)]):
            if needle in letter.recipient.casefold():
                matches.append(letter)
            if len(matches) == limit:
                break
        return tuple(matches)

    async def wait_for(
        self, predicate: Callable[[InboxLetter], bool], timeout: float, *, count: int = 1
    ) -> tuple[InboxLetter, ...]:
        """Wait until `count` letters satisfy `predicate`, which is called once per letter, and return these.

        Letters that are here already count. Raises TimeoutError after `timeout` seconds; it says how many came.
        """
        matches, checked = list[InboxLetter](), 0
        try:
            async with asyncio.timeout(timeout), self._arrived:
                while True:
                    matches += filter(predicate, self._letters[checked:])
                    checked = len(self._letters)
                    if len(matches) >= count:
                        return tuple(matches[:count])
                    await self._arrived.wait()
        except TimeoutError:
            raise TimeoutError(f"only {len(matches)} of {count} letters came within {timeout:g} seconds") from None


def _first_part(content: bytes, content_type: str) -> str | None:
    # Hundreds of nested parts are an attack on parsers; ours would take half a minute.
    if len(_NESTING.findall(content)) > _MOST_NESTED:
        return None
    for part in email.message_from_bytes(content).walk():
        if part.get_content_type() == content_type and part.get_content_disposition() != "attachment":
            return _decode_text(part)
    return None


def _decode_text(part: Message) -> str | None:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return None
    try:
        text = octets.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        text = octets.decode("utf-8", "replace")
    return _without_surrogates(text)


def _decode_header_text(value: object) -> str:
    if value is None:
        return ""
    try:
        text = str(make_header(decode_header(value)))  # type: ignore[arg-type]
    except (HeaderParseError, LookupError, ValueError):
        text = str(value)
    return _without_surrogates(" ".join(text.split()))


def _without_surrogates(text: str) -> str:
    """Replace lone surrogates, which UTF-7 can produce and no page could encode."""
    return text.encode("utf-8", "replace").decode()
