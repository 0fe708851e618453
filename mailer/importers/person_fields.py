"""The parts of a PersonRow that all products' exports give alike: address, name, language, zone, attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from mailer.domain.address import Address, parse_address
from mailer.domain.subscription import SubscriptionState
from mailer.errors import AddressRefused, TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.column_words import column_for_heading, is_departed_file_name, normalize_heading, read_flag
from mailer.importers.export_format import ReadOptions
from mailer.importers.headed_table import TableCells
from mailer.importers.language_cell import read_language
from mailer.importers.person_cells import clean_cell, find_zone_name, full_name
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFile
from mailer.importers.table_columns import LAST_NAMES, attribute_name

_MAX_VALUE = 500
_MEANINGS = {"name", "first_name", "last_name", "language", "zone"}
Record = TypeVar("Record")


@dataclass(slots=True)
class PersonFields:
    """What a row says of who a person is."""

    name: str | None = None
    language: str | None = None
    zone: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add_attribute(self, name: str, value: str) -> None:
        """Keep an attribute; one that is empty is not kept, one that is too long is left out with a remark."""
        if len(value) > _MAX_VALUE:
            self.remarks.append(f"{name} has more than {_MAX_VALUE} characters: left out")
        elif value:
            self.attributes[name] = value

    def add_language(self, text: str) -> None:
        """Keep the language that a text names; one that is not known is left out with a remark."""
        if text and (tag := read_language(text)) is None:
            self.remarks.append(f"{text!r} is not a language: left out")
        elif text:
            self.language = tag

    def add_zone(self, text: str) -> None:
        """Keep the time zone that a text names; one that is not known is left out with a remark."""
        if text and (zone := find_zone_name(text)) is None:
            self.remarks.append(f"{text!r} is not a time zone like Europe/Berlin: left out")
        elif text:
            self.zone = zone

    def add_json(self, value: Mapping[str, object]) -> None:
        """Keep all members of an object of JSON as attributes; a language among them counts as the person's, too."""
        for key, text in flatten_json(value):
            name = json_attribute_name(key)
            if name is None:
                self.remarks.append(f"{key!r} cannot be the name of an attribute: left out")
                continue
            self.add_attribute(name, text)
            if column_for_heading(key) == "language":
                self.language = read_language(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldColumns:
    """Which columns of a table hold fields of a person; the key of each with its meaning or its attribute's name."""

    meanings: tuple[tuple[str, str], ...]
    attributes: tuple[tuple[str, str], ...]

    def read(self, cells: TableCells) -> PersonFields:
        """The fields in the cells of a row."""
        by_meaning = {meaning: cells[key] for key, meaning in self.meanings if cells[key]}
        fields = PersonFields(name=full_name(by_meaning))
        fields.add_language(by_meaning.get("language", ""))
        fields.add_zone(by_meaning.get("zone", ""))
        for key, name in self.attributes:
            if cells[key]:
                fields.add_attribute(name, cells[key])
        return fields


def field_columns(columns: Iterable[tuple[str, str]], options: ReadOptions) -> FieldColumns:
    """Sort the columns (key, heading) that people have made: those with known headings have a meaning.

    `options` may give headings a meaning, and leave columns out. Headings without a letter of a to z become column_N.
    """
    columns = list(columns)
    chosen = {heading.casefold(): meaning for meaning, headings in options.columns.items() for heading in headings}
    ignored = {heading.casefold() for heading in options.ignored}
    meanings: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for at, (key, heading) in enumerate(columns, 1):
        meaning = chosen.get(heading.casefold()) or column_for_heading(heading)
        if not heading or heading.casefold() in ignored:
            continue
        if meaning in _MEANINGS and meaning not in meanings:
            meanings[meaning] = key
            continue
        name = json_attribute_name(heading) or f"column_{at}"
        attributes[name if name not in attributes else f"{name}_{at}"] = key
    if meanings.get("name") and "first_name" in meanings and "last_name" not in meanings:
        heading = next(heading for key, heading in columns if key == meanings["name"])
        if normalize_heading(heading) in LAST_NAMES:
            meanings["last_name"] = meanings.pop("name")
    return FieldColumns(
        meanings=tuple((key, meaning) for meaning, key in meanings.items()),
        attributes=tuple((key, name) for name, key in attributes.items()),
    )


def read_yes(cells: TableCells, column: str) -> bool:
    """Whether a cell is a yes, in any of the languages of spreadsheets; an empty or missing one is a no.

    Raises TableRefused for anything else.
    """
    cell = cells.get(column, "")
    flag = read_flag(cell) if cell else False
    if flag is None:
        raise TableRefused(f"{column} is {cell!r}: it must be true or false")
    return flag


def state_of_all(file: SourceFile, options: ReadOptions) -> SubscriptionState | None:
    """The state of all people of a table without any: unsubscribed if its name says so, else what `options` say."""
    return SubscriptionState.UNSUBSCRIBED if is_departed_file_name(file.base_name) else options.state


def read_address(text: str) -> Address:
    """Parse an address. Raises TableRefused."""
    if not text:
        raise TableRefused("has no address")
    try:
        return parse_address(text)
    except AddressRefused as refusal:
        raise TableRefused(str(refusal)) from None


@lru_cache(maxsize=4096)
def json_attribute_name(key: str) -> str | None:
    """The name of the attribute that a heading or key becomes; None where it has no letters of a to z."""
    name = attribute_name(key, 0, None)
    return None if name == "column_1" else name


def flatten_json(value: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The members of an object as texts, those of objects in it as `outer_inner`; nulls are left out."""
    for key, member in value.items():
        name = f"{prefix}_{key}" if prefix else key
        if isinstance(member, Mapping):
            yield from flatten_json(member, name)
        elif (text := json_text(member)) != "":
            yield name, text


def json_text(value: object) -> str:
    """A value of JSON as text: `true`, `1.5`, the members of a list with commas between them."""
    if isinstance(value, str):
        return clean_cell(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return join_texts([json_text(one) for one in value])
    if isinstance(value, Mapping):
        return join_texts([f"{key}: {text}" for key, text in flatten_json(value)])
    return str(value)


def join_texts(texts: Sequence[str]) -> str:
    """Texts with commas between them, or semicolons where one has a comma."""
    return ("; " if any("," in text for text in texts) else ", ").join(filter(None, texts))


def keep_known(evidence: Mapping[str, str | None]) -> dict[str, str]:
    """The evidence without what is empty."""
    return {key: value for key, value in evidence.items() if value}


def parse_rows(
    rows: Iterable[tuple[int, Record | BadRow]], parse: Callable[[Record], PersonRow | None], place: str = ""
) -> Iterator[tuple[int, PersonRow | BadRow]]:
    """The person of each row; None is passed over, and a row that `parse` refuses (TableRefused) is a BadRow."""
    for number, row in rows:
        if isinstance(row, BadRow):
            yield number, row
            continue
        try:
            person = parse(row)
        except TableRefused as refusal:
            yield number, BadRow(number, str(refusal), place)
            continue
        if person is not None:
            yield number, person


def earliest(*times: datetime | None) -> datetime | None:
    """The earliest of the times that are known."""
    return min((one for one in times if one is not None), default=None)
