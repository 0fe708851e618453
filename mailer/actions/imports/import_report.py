"""ImportReport: what an import does, or would do, to how many people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailer.actions.imports.import_decision import ImportDecision
from mailer.domain.imports.import_run import NEW_READERS, Outcome
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.person_row import EvidenceGrade, ListRole, PersonRow
from mailer.store.imports.known_people import KnownPerson

MAX_REPORTED = 10_000
"""The most bad rows, remarks and things left behind that are listed one by one."""
EXAMPLES = 10
_ROLES_WITH_RIGHTS = (ListRole.OWNER, ListRole.MODERATOR)
_MAILED = {Outcome.CONFIRMED, Outcome.CHANGED, Outcome.UNCHANGED}


@dataclass(frozen=True, slots=True)
class ImportExample:
    """What an import does to one person."""

    address: str
    name: str | None
    outcome: Outcome
    line: int
    """The number of the line in its file; 0 where there are none."""


@dataclass(frozen=True, slots=True)
class ImportedRole:
    """An owner or moderator of the list elsewhere."""

    address: str
    role: ListRole


@dataclass(slots=True)
class ReadReport:
    """What reading an export gave, besides people."""

    rows: int = 0
    """Rows so far, bad and repeated ones included."""
    bad_rows: int = 0
    bad: list[BadRow] = field(default_factory=list)
    """The first MAX_REPORTED."""
    remarks: list[BadRow] = field(default_factory=list)
    """The first MAX_REPORTED remarks on cells that were left out of rows that were imported."""
    left_behind: list[LeftBehind] = field(default_factory=list)
    """The first MAX_REPORTED things of the list that do not come along."""
    repeated: int = 0
    """Further rows of people; they are merged into the first."""
    guessed: tuple[str, ...] = ()
    """What was guessed about the layout, as texts for people."""


@dataclass(slots=True)
class PeopleReport:
    """What an import does, or would do, to the people of an export."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    grades: Counter[EvidenceGrade] = field(default_factory=Counter)
    """How well it is proved that those agreed who become confirmed."""
    digest_readers: int = 0
    """Readers who chose digests elsewhere, and are mailed each letter until there are digests."""
    languages_unknown: int = 0
    """People who come onto the list without a language."""
    roles: list[ImportedRole] = field(default_factory=list)
    """The first MAX_REPORTED owners and moderators elsewhere; they get no rights by an import."""
    preferences: Counter[str] = field(default_factory=Counter)
    """How many people chose what elsewhere that has no meaning here: own_posts, moderated."""
    _examples: dict[Outcome, list[ImportExample]] = field(default_factory=dict)

    def add(self, row: PersonRow, line: int, known: KnownPerson, decision: ImportDecision) -> None:
        """Count one person."""
        outcome = decision.outcome
        self.counts[outcome] += 1
        if outcome in NEW_READERS:
            if row.state is SubscriptionState.CONFIRMED and outcome is not Outcome.PENDING:
                self.grades[row.evidence_grade] += 1
            if row.language is None and known.language is None:
                self.languages_unknown += 1
        if row.delivery_mode is not DeliveryMode.EACH and outcome in _MAILED:
            self.digest_readers += 1
        if row.preferences:
            self.preferences.update(row.preferences.keys())
        if row.role in _ROLES_WITH_RIGHTS and len(self.roles) < MAX_REPORTED:
            self.roles.append(ImportedRole(row.address.addr_spec, row.role))
        examples = self._examples.setdefault(outcome, [])
        if len(examples) < EXAMPLES:
            examples.append(ImportExample(row.address.addr_spec, row.name, outcome, line))

    @property
    def examples(self) -> tuple[ImportExample, ...]:
        """Up to EXAMPLES people, of as many outcomes as there are."""
        places = [(at, one) for examples in self._examples.values() for at, one in enumerate(examples)]
        chosen = sorted(places, key=lambda place: place[0])[:EXAMPLES]
        order = list(Outcome)
        return tuple(sorted((one for _, one in chosen), key=lambda one: (order.index(one.outcome), one.line)))


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import has done. Each row is counted once: as a person's, repeated or bad."""

    run: int
    """The number of the import."""
    people: PeopleReport
    read: ReadReport

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many people had which outcome; only outcomes that occur."""
        return self.people.counts

    @property
    def added(self) -> int:
        """How many people were put on the list (or invited)."""
        return self._count(*NEW_READERS)

    @property
    def known(self) -> int:
        """How many were on the list (or invited) before; their details were updated."""
        return self._count(Outcome.CHANGED, Outcome.UNCHANGED)

    @property
    def kept_out(self) -> int:
        """How many were not put on the list: they left, declined or are suppressed, here or in the table."""
        return self._count(Outcome.UNSUBSCRIBED, Outcome.SUPPRESSED_ONLY, Outcome.NOT_TAKEN_OVER, Outcome.OVERRULED)

    @property
    def repeated(self) -> int:
        """How many further rows of people there were; the last one counts."""
        return self.read.repeated

    @property
    def bad_rows(self) -> int:
        """How many rows could not be used."""
        return self.read.bad_rows

    @property
    def bad(self) -> Sequence[BadRow]:
        """The first MAX_REPORTED bad rows."""
        return self.read.bad

    @property
    def remarks(self) -> Sequence[BadRow]:
        """The first MAX_REPORTED remarks on cells that were left out of rows that were imported."""
        return self.read.remarks

    @property
    def guessed(self) -> tuple[str, ...]:
        """What was guessed about the layout of the table, as texts for people."""
        return self.read.guessed

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.counts_total + self.repeated + self.bad_rows

    @property
    def counts_total(self) -> int:
        """How many people there were."""
        return self.people.counts.total()

    def _count(self, *outcomes: Outcome) -> int:
        return sum(self.people.counts[one] for one in outcomes)
