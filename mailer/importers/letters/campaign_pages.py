"""Campaigns that Mailchimp exports: a page of HTML each, and a table that says when each was sent."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import unescape

from mailer.domain.letters.archive_paths import slug_of
from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.errors import TableRefused
from mailer.importers.export_times import parse_export_time
from mailer.importers.letters.mail_letter import clean_text
from mailer.mail.message.html_to_text import html_to_text
from mailer.mail.message.text_decoding import decode_text

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_NAMES = ("unique id", "title", "subject")
_DATES = ("send date", "sent at", "send time", "date")


def read_campaign_table(octets: bytes) -> dict[str, tuple[str, datetime]]:
    """Subject and date of each campaign of a table, by slugs of its id, its title and its subject."""
    rows = csv.DictReader(io.StringIO(decode_text(octets, "utf-8").removeprefix("\ufeff"), newline=""))
    found: dict[str, tuple[str, datetime]] = {}
    try:
        for row in rows:
            cells = {str(name or "").strip().lower(): str(cell or "").strip() for name, cell in row.items()}
            date = next((cells[name] for name in _DATES if cells.get(name)), "")
            sent_at = parse_export_time(date, zone="UTC", day_first=False)
            if sent_at is None:
                continue
            for name in _NAMES:
                if cells.get(name):
                    found.setdefault(slug_of(cells[name]), (cells.get("subject") or cells[name], sent_at))
    except csv.Error as error:
        raise TableRefused(f"the table of campaigns cannot be read: {error}") from None
    return found


def is_campaign_table(head: bytes) -> bool:
    """Whether a file that begins so is a table of sent campaigns."""
    columns = {one.strip(' "\ufeff').lower() for one in decode_text(head.split(b"\n")[0], "utf-8").split(",")}
    return bool(columns & set(_DATES)) and len(columns & set(_NAMES)) > 1


def read_campaign_page(name: str, octets: bytes, table: Mapping[str, tuple[str, datetime]]) -> EarlierLetter:
    """The letter of a page of HTML whose file is called `name`. Raises TableRefused where no table says its date."""
    html = decode_text(octets, "utf-8")
    title = " ".join(unescape(found[1]).split()) if (found := _TITLE.search(html)) else ""
    subject, sent_at = _find_row(_slugs(name, title), table)
    text = clean_text(html_to_text(html))
    if not text:
        raise TableRefused("a page without a text: left out")
    digest = hashlib.sha256(octets).hexdigest()[:32]
    return EarlierLetter(
        message_id=f"{digest}@campaign.invalid", sent_at=sent_at, subject=clean_text(subject), author=None, text=text
    )


def _slugs(name: str, title: str) -> list[str]:
    """What the table may call it: `123_spring-news.html` is the id, or the title, or both."""
    stem = name.rpartition("/")[2].rpartition(".")[0]
    return [slug_of(one) for one in (stem, *re.split(r"[_ ]", stem, maxsplit=1), title) if one]


def _find_row(slugs: Iterable[str], table: Mapping[str, tuple[str, datetime]]) -> tuple[str, datetime]:
    row = next((table[one] for one in slugs if one in table), None)
    if row is None:
        raise TableRefused("no table of campaigns says when it was sent: left out")
    return row
