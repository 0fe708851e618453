"""ExportFormat: how one product's export is recognised and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mailer.domain.subscription import SubscriptionState
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.person_row import ConsentRow, PersonRow, SuppressedKey
from mailer.importers.source_files import SourceFile


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOptions:
    """What an organiser says about an export."""

    source_list: str | None = None
    """The list's name in the other software, where the export has several."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Our column -> headings whose cells it is made of, joined by blanks: name -> (Vorname, Nachname)."""
    ignored: frozenset[str] = frozenset()
    """Headings of columns to leave out."""
    state: SubscriptionState | None = None
    """The state of all people of an export that has none. Rows that say that their person left stay so."""
    zone: str | None = None
    """The time zone of times that have none: Europe/Berlin."""
    encoding: str | None = None
    """Of texts, where the guess is wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportRows:
    """The rows of an export, read lazily."""

    rows: Iterator[tuple[int, PersonRow | BadRow | LeftBehind]]
    """Each row with the number of its line; 0 where there are no lines. One person may have several rows."""
    guessed: tuple[str, ...] = ()
    """What was guessed about the layout, as texts for people."""
    suppressed_keys: Iterable[SuppressedKey] = ()
    """Of an export of ours: people to keep out whose addresses it does not tell. Each iteration reads them anew."""
    consents: Iterable[ConsentRow | BadRow] = ()
    """Of an export of ours: its consent record, oldest first; for people of `rows`. Each iteration reads it anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportFormat:
    """One product's export."""

    name: str
    """For --from and records: `mailchimp`."""
    title: str
    """For people: "Mailchimp's audience export"."""
    find_files: Callable[[Sequence[SourceFile]], tuple[SourceFile, ...]]
    """Those of the files that are such an export's, by their names and first octets; empty where it is none."""
    read: Callable[[Sequence[SourceFile], ReadOptions], ExportRows]
    """Reads the files that `find_files` gave. Raises TableRefused for an export that cannot be imported as it is."""
