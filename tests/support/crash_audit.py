"""The sink's log against the ledger's report: who is lost, who was mailed twice, and whether both tell one story."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.crash_harness import ReportRow


@dataclass(frozen=True, slots=True)
class AcceptedLetter:
    """A letter the sink wrote down before it said 250."""

    recipient: str
    digest: str
    """SHA-256 of the octets as they travelled."""
    connection: int
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditResult:
    """What the comparison found: addresses, by what is the matter with them."""

    lost: list[str]
    """Without a letter, though the ledger says accepted or does not know them."""
    repeats: list[str]
    """An address for every copy after the first."""
    altered: list[str]
    """Whose copies were not the same octets."""
    uncounted: list[str]
    """Who got more copies than the report admits to tries."""
    repeated_before_last: list[str]
    """Whose repeated letter was not the last on its connection: no crash explains that."""
    contradicting: list[str]
    """Accepted in the report and not in the sink, or the other way round and not known to be uncertain."""
    unexpected: list[str]
    """Mailed, but not of the audience; or in the report twice."""

    def broken_promises(self, most_repeats: int, *, at_a_crash: bool = True) -> dict[str, list[str]]:
        """The promises that do not hold, with the first addresses; empty where all do.

        A repeat that no crash made (but a worker that slept beyond its lease) may come anywhere on its connection.
        """
        found = {
            "lost": self.lost,
            "more repeats than connections and kills": self.repeats if len(self.repeats) > most_repeats else [],
            "altered": self.altered,
            "unmarked": self.uncounted,
            "in midstream": self.repeated_before_last if at_a_crash else [],
            "disagreeing": self.contradicting,
            "strangers": self.unexpected,
        }
        return {what: [f"{len(who)}", *who[:5]] for what, who in found.items() if who}


def read_log(log: Path, after: int = 0) -> list[AcceptedLetter]:
    """The letters of a log, from octet `after` on."""
    with log.open("rb") as file:
        file.seek(after)
        lines = file.read().decode().splitlines()
    words = (line.split() for line in lines)
    return [AcceptedLetter(address, digest, int(number), float(at)) for address, digest, number, at in words]


def audit_letters(people: Collection[str], report: Sequence[ReportRow], taken: Sequence[AcceptedLetter]) -> AuditResult:
    """Hold an audience, the ledger's report of it and the sink's letters against each other."""
    rows = {row.address: row for row in report}
    copies = Counter(letter.recipient for letter in taken)
    twice = {address for address, number in copies.items() if number > 1}
    octets = defaultdict[str, set[str]](set)
    for letter in taken:
        octets[letter.recipient].add(letter.digest)
    accepted = {row.address for row in report if row.state == "accepted"}
    uncertain = {row.address for row in report if row.state == "uncertain"}
    return AuditResult(
        lost=[one for one in people if not copies[one] and (one not in rows or one in accepted)],
        repeats=[one for one in sorted(twice) for _ in range(copies[one] - 1)],
        altered=[one for one in sorted(twice) if len(octets[one]) > 1],
        uncounted=[one for one in sorted(twice) if one in rows and rows[one].attempts < copies[one]],
        repeated_before_last=_repeated_before_last(taken),
        contradicting=sorted((accepted - set(copies)) | (set(copies) - accepted - uncertain)),
        unexpected=sorted((set(copies) | set(rows)) - set(people)) + _listed_twice(report),
    )


def _repeated_before_last(taken: Sequence[AcceptedLetter]) -> list[str]:
    """Repeated later, although another letter followed on the same connection: its answer had been heard."""
    last_copy = {letter.recipient: number for number, letter in enumerate(taken)}
    last_on_line = {letter.connection: number for number, letter in enumerate(taken)}
    return [
        letter.recipient
        for number, letter in enumerate(taken)
        if last_copy[letter.recipient] != number and last_on_line[letter.connection] != number
    ]


def _listed_twice(report: Sequence[ReportRow]) -> list[str]:
    return [address for address, number in Counter(row.address for row in report).items() if number > 1]
