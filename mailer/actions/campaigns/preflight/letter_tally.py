"""LetterTally: which letters an audience would get, each kind once, and whose letter cannot be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

from mailer.mail.compose.compile_letter import CompiledLetter, DynamicLetter
from mailer.mail.compose.personalise import Recipient, encode_to_address

MOST_KINDS = 200
"""So many kinds of letters are kept apart; of more than that only the readers are counted."""


@dataclass(slots=True)
class LetterKind:
    """Letters that differ in the values of merge fields alone."""

    edition: str
    compiled: CompiledLetter
    first: Recipient
    longest: Recipient
    """The one with the longest values."""
    readers: int = 0
    longest_values: int = -1


@dataclass(frozen=True, slots=True)
class UnwritableLetter:
    """A person whose letter cannot be written, and why."""

    edition: str
    address: str
    reason: str
    line: int | None

    def __str__(self) -> str:
        return f"cannot be written for {self.address}: {f'line {self.line}: ' if self.line else ''}{self.reason}"


@dataclass(slots=True)
class LetterTally:
    """Counts letters by kind. Its size does not grow with the number of readers."""

    kinds: dict[Hashable, LetterKind] = field(default_factory=dict)
    readers: int = 0
    overflow: int = 0
    """Readers whose kind of letter is one more than MOST_KINDS."""
    failures: dict[tuple[str, str], UnwritableLetter] = field(default_factory=dict)
    """The first person of each edition and reason."""
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many people have that."""

    def add(self, edition: str, compiled: CompiledLetter, recipient: Recipient, *, number: int = 1) -> None:
        """Count a reader's letter; `number` is 0 for an invented reader."""
        self.readers += number
        try:
            encode_to_address(recipient)
            if isinstance(compiled, DynamicLetter):
                composed, values = compiled.choose_variant(recipient.values)
                length = sum(map(len, values))
            else:
                composed, length = compiled.composed, sum(map(len, recipient.values.values()))
        except Exception as error:  # any error in a template is told to its organiser
            self.fail(edition, recipient.address, error, number=number)
            return
        self._count((edition, composed.octets, composed.subject), edition, compiled, recipient, length, number)

    def _count(
        self, key: Hashable, edition: str, compiled: CompiledLetter, recipient: Recipient, length: int, number: int
    ) -> None:
        kind = self.kinds.get(key)
        if kind is None:
            if len(self.kinds) >= MOST_KINDS:
                self.overflow += number
                return
            kind = self.kinds[key] = LetterKind(edition, compiled, recipient, recipient)
        kind.readers += number
        if length > kind.longest_values:
            kind.longest, kind.longest_values = recipient, length

    def fail(self, edition: str, address: str, error: Exception, *, number: int = 1) -> None:
        """Count a reader whose letter cannot be written; an invented reader's trouble is nobody's."""
        if number == 0:
            return
        reason, line = getattr(error, "reason", str(error)), getattr(error, "line", None)
        key = (edition, reason)
        if key not in self.failures and len(self.failures) >= MOST_KINDS:
            key = next(reversed(self.failures))
        self.failures.setdefault(key, UnwritableLetter(edition, address, reason, line))
        self.failed[key] += number
