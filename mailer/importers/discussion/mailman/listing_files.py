"""Read files that Mailman's commands printed, alone or beside a source that knows more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.errors import TableRefused
from mailer.importers.column_words import is_departed_file_name
from mailer.importers.discussion.mailman.listing_lines import read_listing_lines
from mailer.importers.discussion.mailman.listing_names import (
    ListingName,
    ListingRole,
    ListingStatus,
    parse_listing_name,
)
from mailer.importers.discussion.mailman.member_listings import Listing, combine_listings
from mailer.importers.export_format import ReadOptions
from mailer.importers.member_row import ReadRow
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
        listings.append((_listing_name(file), lines))
        if guess:
            guessed.append(f"{file.base_name}: {guess}")
    names = [name for name, _ in listings]
    if names and all(name.role is ListingRole.ANY for name in names):
        raise TableRefused("members of any role are in one file: print readers, owners and moderators apart (--role)")
    return list(combine_listings(listings)), [*guessed, *_unknown(names)]


def _listing_name(file: SourceFile) -> ListingName:
    """What the name of a file says. Raises TableRefused where it says, in no words of Mailman, that people left."""
    name = parse_listing_name(file.plain_name)
    if name.status is None and name.role is ListingRole.MEMBER and is_departed_file_name(file.plain_name):
        raise TableRefused(
            f"{file.base_name}: by its name the people in it are no readers, and not what else: call it "
            "-nomail-bybounce, -nomail-byuser or -nomail-byadmin, as Mailman does, or leave it out"
        )
    return name


def _unknown(names: Sequence[ListingName]) -> Iterator[str]:
    readers = [name for name in names if name.role is ListingRole.MEMBER]
    if readers and not any(name.status for name in readers):
        yield "no file says whose letters are off (--nomail): all are read as readers who get letters"
    if readers and not any(name.mode for name in readers):
        yield "no file says who reads digests (--digest): all are read as readers of each letter"
    if readers and all(name.status not in {None, ListingStatus.ENABLED} for name in readers):
        yield "only members whose letters are off are in these files"
