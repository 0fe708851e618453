"""Tags and attributes of a template as they are written, with the places of expressions in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailer.mail.templates.template_values import ValueKind


@dataclass(frozen=True, slots=True)
class Inserted:
    """The place of an expression in an attribute or a style."""

    kind: ValueKind


Pieces = list["str | Inserted"]


@dataclass(slots=True)
class Attribute:
    """An attribute as written."""

    name: str
    line: int
    pieces: Pieces = field(default_factory=list)
    has_value: bool = False

    @property
    def literal(self) -> str | None:
        """Its value, where no expression stands in it."""
        return None if any(isinstance(one, Inserted) for one in self.pieces) else "".join(map(str, self.pieces))


@dataclass(slots=True)
class Tag:
    """A tag as written."""

    name: str
    line: int
    is_end: bool = False
    is_conditional: bool = False
    """Whether it stands in a comment that only Outlook reads."""
    is_closed: bool = False
    """Whether it ends in />."""
    attributes: list[Attribute] = field(default_factory=list)
    content: Pieces | None = None
    """Of a style or title: what stands in it."""
