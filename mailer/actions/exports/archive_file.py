"""Writes archive.mbox of an export: the letters as the list's archive shows them, and those from before it moved."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from pathlib import Path

from sqlalchemy import Connection

from mailer.actions.archive.archive_page import articles_of
from mailer.actions.archive.open_archive import OpenArchive
from mailer.actions.exports.new_folder import new_binary_file
from mailer.app import App
from mailer.domain.letters.archive import ArchivedLetter
from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.domain.mailing_list import ArchiveMode, MailingList
from mailer.mail.compose.archive_letter import ArchiveArticle
from mailer.mail.message.html_to_text import html_to_text
from mailer.store.letters import archive as archived
from mailer.store.letters import earlier_letters

ARCHIVE = "archive.mbox"
_CHUNK = 20
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


async def write_archive_file(app: App, mailing_list: MailingList, file: Path) -> int:
    """Write the letters that the archive of a list shows, each edition a mail; returns how many. Raises OSError.

    Without an archive, and without letters in it, there is no file.
    """
    if mailing_list.archive is ArchiveMode.OFF:
        return 0
    written = 0
    with new_binary_file(file) as out:
        async for mail, sent_at in _mails(app, mailing_list):
            await asyncio.to_thread(out.write, _entry(mail, sent_at))
            written += 1
    if not written:
        await asyncio.to_thread(file.unlink)
    return written


def _entry(mail: EmailMessage, sent_at: datetime) -> bytes:
    """A mail as mboxrd has it (RFC 4155)."""
    line = f"From MAILER-DAEMON {sent_at.astimezone(UTC):%a %b %d %H:%M:%S %Y}\n"
    return line.encode() + _FROM.sub(rb">\1", mail.as_bytes(policy=default)) + b"\n"


async def _mails(app: App, mailing_list: MailingList) -> AsyncIterator[tuple[EmailMessage, datetime]]:
    last: EarlierLetter | None = None
    while page := await app.database.read(earlier_letters.list_letters, mailing_list.id, last, _CHUNK):
        last = page[-1]
        for one in page:
            letter = await app.database.read(earlier_letters.find_letter, mailing_list.id, letter_id=one.id)
            if letter is not None:
                yield _earlier_mail(app, mailing_list, letter), letter.sent_at
    archive = OpenArchive(mailing_list=mailing_list)
    letters = await app.database.read(archived.list_letters, mailing_list.id)
    for begin in range(0, len(letters), _CHUNK):
        for own in await app.database.read(_add_editions, letters[begin : begin + _CHUNK]):
            articles = await articles_of(app, archive, own.editions)
            for edition in own.editions:
                if (article := articles.get(edition.revision_id)) is not None:
                    yield _own_mail(app, mailing_list, own, article), own.launched_at


def _add_editions(tx: Connection, letters: list[ArchivedLetter]) -> list[ArchivedLetter]:
    return archived.add_editions(tx, letters)


def _earlier_mail(app: App, mailing_list: MailingList, letter: EarlierLetter) -> EmailMessage:
    author = letter.author or mailing_list.title
    mail = _new_mail(app, mailing_list, author, letter.sent_at, letter.subject, letter.message_id)
    mail.set_content(letter.text)
    return mail


def _own_mail(app: App, mailing_list: MailingList, letter: ArchivedLetter, article: ArchiveArticle) -> EmailMessage:
    identity = f"archive.{letter.campaign_id}.{article.language}@{app.site.domain}"
    mail = _new_mail(app, mailing_list, mailing_list.title, letter.launched_at, article.title, identity)
    mail["Content-Language"] = article.language
    link = f"{article.action_label}: {article.action_url}" if article.action_url else ""
    parts = (article.lead, html_to_text(article.body), link, article.closing)
    mail.set_content("\n\n".join(filter(None, parts)))
    mail.add_alternative(article.body, subtype="html")
    return mail


def _new_mail(
    app: App, mailing_list: MailingList, author: str, sent_at: datetime, subject: str, message_id: str
) -> EmailMessage:
    identity = app.list_identity(mailing_list)
    mail = EmailMessage(policy=default)
    mail["From"] = Address(display_name=_one_line(author), addr_spec=identity.address())
    mail["Date"] = format_datetime(sent_at.astimezone(UTC))
    mail["Subject"] = _one_line(subject)
    mail["Message-ID"] = f"<{_one_line(message_id)}>"
    mail["List-Id"] = f"<{identity.list_id}>"
    return mail


def _one_line(text: str) -> str:
    return " ".join(text.split())
