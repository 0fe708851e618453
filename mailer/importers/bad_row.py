"""BadRow and LeftBehind: what of an export does not come along, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported, and why."""

    line: int
    """The number of the line on which it ends; 0 where the file has no lines."""
    reason: str
    place: str = ""
    """What stands for the line's number where there is none, and which file it is where there are several."""

    @property
    def where(self) -> str:
        """The place for people: `line 7`, `members.csv, line 7`, `ban_list: ^.*@spam`."""
        return ", ".join(filter(None, (self.place, f"line {self.line}" if self.line else "")))


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Something of the list, not of one person, that is not taken over: a pattern of bans, a footer."""

    place: str
    reason: str
