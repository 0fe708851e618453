"""Read files that Mailman's commands printed, alone or beside a source that knows more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.mailman.listing_lines import read_listing_lines
from mailer.importers.mailman.listing_names import ListingName, ListingRole, ListingStatus, parse_listing_name
from mailer.importers.mailman.member_listings import Listing, combine_listings
from mailer.importers.member_row import ReadRow
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFile


def read_listings(files: Sequence[SourceFile], options: ReadOptions) -> tuple[list[ReadRow], list[str]]:
    """The rows of all files together, and what was guessed. Raises TableRefused."""
    listings: list[Listing] = []
    guessed = []
    for file in files:
        try:
            lines, guess = read_listing_lines(file, options.encoding)
        except TableRefused as refusal:
            raise TableRefused(f"{file.base_name} {refusal}") from None
        listings.append((parse_listing_name(file.base_name), lines))
        if guess:
            guessed.append(f"{file.base_name}: {guess}")
    names = [name for name, _ in listings]
    if names and all(name.role is ListingRole.ANY for name in names):
        raise TableRefused("members of any role are in one file: print readers, owners and moderators apart (--role)")
    return list(combine_listings(listings)), [*guessed, *_unknown(names)]


def _unknown(names: Sequence[ListingName]) -> Iterator[str]:
    readers = [name for name in names if name.role is ListingRole.MEMBER]
    if readers and not any(name.status for name in readers):
        yield "no file says whose letters are off (--nomail): all are read as readers who get letters"
    if readers and not any(name.mode for name in readers):
        yield "no file says who reads digests (--digest): all are read as readers of each letter"
    if readers and all(name.status not in {None, ListingStatus.ENABLED} for name in readers):
        yield "only members whose letters are off are in these files"


def add_listings(primary: Iterable[ReadRow], listed: Iterable[ReadRow], place: str) -> Iterator[ReadRow]:
    """The rows of `primary`, stopped too where a listing says so, and roles that only listings name.

    A reader whom only a listing has is refused: of the two one is older, and the person may have left between.
    """
    rows = {row.address.key: row for _, row in listed if isinstance(row, PersonRow)}
    known = set()
    for line, row in primary:
        if isinstance(row, PersonRow):
            known.add(row.address.key)
            beside = rows.get(row.address.key)
            yield line, _with_listing(row, beside) if beside else row
        else:
            yield line, row
    for line, row in listed:
        if not isinstance(row, PersonRow):
            yield line, row
        elif row.address.key not in known:
            if row.state is None:
                yield line, row
            else:
                reason = f"{row.address.addr_spec} is no member in {place}: may have left"
                yield line, BadRow(line, reason)


def _with_listing(row: PersonRow, beside: PersonRow) -> PersonRow:
    address = beside.address if row.address.addr_spec.islower() else row.address
    if row.suppressions or row.state is None:
        return replace(row, address=address, role=row.role or beside.role)
    evidence = {**row.evidence, **beside.evidence}
    return replace(
        row, address=address, role=row.role or beside.role, suppressions=beside.suppressions, evidence=evidence
    )
