"""The files in which other software imports people: who must not get letters is never among its subscribers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mailer.actions.exports.new_folder import new_text_file
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import MailStatus, SuppressionReason, mail_status
from mailer.importers.people_csv import write_plain_cells
from mailer.importers.person_row import escape_formula
from mailer.store.exports.people_pages import PersonRecord

_NUMBER = re.compile(r"[+-]?[\d\s().,/-]+")
_QUOTED = re.compile(r'[\\"(),:;<>@\[\].]')


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerShape:
    """What one product imports."""

    files: Mapping[str, frozenset[MailStatus]]
    """The names of its files, and whose rows each holds; who is in none is left out."""
    heading: Sequence[str]
    """The first row; empty where there is none."""
    row: Callable[[PersonRecord, MailStatus, Sequence[str]], Sequence[str]]
    """The cells of a person, given all names of attributes; a file without a heading has one cell a line."""
    attributes: bool = False
    """Whether each attribute has a column behind those of the heading."""
    notes: str = ""
    """How it is imported there: commands.txt."""
    mode_files: Mapping[str, str] | None = None
    """Delivery mode -> file, for people who get letters; None where there are no modes."""


class PeerFiles:
    """The open files of one export."""

    def __init__(self, shape: PeerShape, attributes: Sequence[str], files: Mapping[str, TextIO]) -> None:
        self.people = self.left_out = 0
        self._shape, self._attributes, self._files = shape, attributes, files

    def write(self, page: Iterable[PersonRecord]) -> None:
        """Write the rows of these people. Raises OSError."""
        rows: dict[str, list[Sequence[str]]] = {name: [] for name in self._files}
        for one in page:
            status = _status(one)
            if (name := self._file_of(one, status)) is None:
                self.left_out += 1
                continue
            self.people += 1
            rows[name].append(self._shape.row(one, status, self._attributes))
        for name, some in rows.items():
            if self._shape.heading:
                write_plain_cells(self._files[name], some)
            else:
                self._files[name].writelines(f"{cells[0]}\n" for cells in some)

    def _file_of(self, one: PersonRecord, status: MailStatus) -> str | None:
        if status is MailStatus.MAILED and self._shape.mode_files is not None:
            return self._shape.mode_files[one.delivery_mode]
        return next((name for name, statuses in self._shape.files.items() if status in statuses), None)


@contextmanager
def open_peer_files(shape: PeerShape, folder: Path, attributes: Sequence[str]) -> Iterator[PeerFiles]:
    """Open the files of an export in a folder, with their headings. Raises OSError."""
    folder.mkdir(0o700, exist_ok=True)
    with ExitStack() as opened:
        names = dict.fromkeys((*(shape.mode_files or {}).values(), *shape.files))
        files = {name: opened.enter_context(new_text_file(folder / name)) for name in names}
        if shape.heading:
            for file in files.values():
                write_plain_cells(file, [[*shape.heading, *(attributes if shape.attributes else ())]])
        if shape.notes:
            opened.enter_context(new_text_file(folder / "commands.txt")).write(shape.notes)
        yield PeerFiles(shape, attributes, files)


def _status(one: PersonRecord) -> MailStatus:
    reasons = [SuppressionReason(entry.split()[0]) for entry in one.suppressed.split("; ") if entry]
    return mail_status(SubscriptionState(one.state), reasons)


def _safe(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would run; numbers and telephone numbers stay."""
    return cell if _NUMBER.fullmatch(cell) else escape_formula(cell)


def _listmonk_row(one: PersonRecord, _status: MailStatus, _attributes: Sequence[str]) -> list[str]:
    known = {"language": one.language, "zone": one.zone, **one.attributes}
    attributes = {name: value for name, value in known.items() if value}
    return [one.email, _safe(one.name), json.dumps(attributes, ensure_ascii=False)]


def _mailchimp_row(one: PersonRecord, _status: MailStatus, attributes: Sequence[str]) -> list[str]:
    first, _, last = one.name.rpartition(" ") if " " in one.name else (one.name, "", "")
    own = [one.email, _safe(first), _safe(last), one.language, one.zone, one.agreed_at]
    return [*own, *(_safe(one.attributes.get(name, "")) for name in attributes)]


def _ghost_row(one: PersonRecord, status: MailStatus, _attributes: Sequence[str]) -> list[str]:
    words = {"language": one.language, "zone": one.zone, **one.attributes}
    note = "; ".join(f"{name}: {value}" for name, value in words.items() if value and name != "labels")
    subscribed = "true" if status is MailStatus.MAILED else "false"
    created_at = one.agreed_at or one.changed_at
    return [
        one.email,
        _safe(one.name),
        _safe(note),
        subscribed,
        "false",
        "",
        created_at,
        one.attributes.get("labels", ""),
    ]


def _mailman_row(one: PersonRecord, status: MailStatus, _attributes: Sequence[str]) -> list[str]:
    name = " ".join(one.name.split())
    if status is MailStatus.BANNED or not name:
        return [one.email]
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}" <{one.email}>' if _QUOTED.search(name) else f"{name} <{one.email}>"]


_MAILMAN_MODES = {"": "regular", "each": "regular", DeliveryMode.DIGEST_PLAIN: "plain"}
_MAILMAN_FILES = {mode: f"{_MAILMAN_MODES.get(mode, 'mime')}.txt" for mode in ("", *DeliveryMode)}
_COMMANDS = """\
# Mailman 3. -W: no welcome message. Everybody here agreed; who left or bounced is in no file.
mailman addmembers -W -d regular regular.txt LIST
mailman addmembers -W -d mime mime.txt LIST
mailman addmembers -W -d plain plain.txt LIST
# Members who chose to get nothing for now:
mailman addmembers -W -d disabled disabled.txt LIST
# The addresses of banned.txt: put them on the list's page "Ban list", before anything else.
"""
_LEFT = frozenset({MailStatus.UNSUBSCRIBED, MailStatus.PAUSED})
_BLOCKED = frozenset({MailStatus.BANNED, MailStatus.COMPLAINED, MailStatus.BOUNCED})
_MAILED = frozenset({MailStatus.MAILED})
_SHAPES = {
    "listmonk": PeerShape(
        files={"confirmed.csv": _MAILED, "unsubscribed.csv": _LEFT, "blocklisted.csv": _BLOCKED},
        heading=("email", "name", "attributes"),
        row=_listmonk_row,
        notes=(
            "Subscribers > Import, in this order:\n"
            'blocklisted.csv: mode "Blocklist"\n'
            'unsubscribed.csv: mode "Subscribe", subscription status "Unsubscribed"\n'
            'confirmed.csv: mode "Subscribe", subscription status "Confirmed", without "Overwrite"\n'
        ),
    ),
    "mailchimp": PeerShape(
        files={
            "subscribed.csv": _MAILED,
            "unsubscribed.csv": _LEFT | {MailStatus.BANNED, MailStatus.COMPLAINED},
            "cleaned.csv": frozenset({MailStatus.BOUNCED}),
        },
        heading=("Email Address", "First Name", "Last Name", "Language", "Timezone", "Agreed at"),
        row=_mailchimp_row,
        attributes=True,
        notes=(
            "Audience > Import contacts, one file after the other, cleaned.csv and unsubscribed.csv first.\n"
            "Choose the status that the file is called after: cleaned, unsubscribed, subscribed.\n"
        ),
    ),
    "mailman": PeerShape(
        files={"disabled.txt": frozenset({MailStatus.PAUSED}), "banned.txt": frozenset({MailStatus.BANNED})},
        heading=(),
        row=_mailman_row,
        notes=_COMMANDS,
        mode_files=_MAILMAN_FILES,
    ),
    "ghost": PeerShape(
        files={"members.csv": _MAILED | _LEFT | {MailStatus.COMPLAINED, MailStatus.BOUNCED}},
        heading=(
            *("email", "name", "note", "subscribed_to_emails", "complimentary_plan", "stripe_customer_id"),
            *("created_at", "labels"),
        ),
        row=_ghost_row,
        notes="Members > Import members: members.csv. Who must not get letters is in it as not subscribed.\n",
    ),
}


PEERS = tuple(_SHAPES)
"""The products."""


def peer_shape(name: str) -> PeerShape:
    """The shape of one of PEERS."""
    return _SHAPES[name]
