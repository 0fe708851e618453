"""From a delivery to its letter: the campaign's text with this reader's words in it, or a notice."""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.delivery import Delivery, Kind
from mailer.domain.mailing_list import MailingList
from mailer.mail.compile_letter import CompiledLetter, compile_letter
from mailer.mail.letter import Letter
from mailer.mail.letterhead import Letterhead
from mailer.mail.manuscript import read_manuscript
from mailer.mail.notice import compose_notice
from mailer.mail.personalise import Recipient
from mailer.mail.wrap import Cover, wrap_original
from mailer.store import mailing_lists, revisions

_KEPT = 64


class LetterWriter:
    """Writes letters; what it compiled once, per revision and reader's language, it keeps for the next reader."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._compiled: dict[tuple[int, str | None], CompiledLetter] = {}

    async def write(self, delivery: Delivery, dated_at: datetime) -> Letter:
        """The letter of a delivery: for the same delivery and date, the same octets.

        Raises MailerError (ManuscriptRefused, LetterUnwritable, NotFound) or a template's own error where it cannot
        be written.
        """
        if delivery.kind is not Kind.CAMPAIGN:
            return await self._notice(delivery, dated_at)
        key = (delivery.revision_id or 0, delivery.language)
        if (compiled := self._compiled.get(key)) is None:
            compiled = await self._compile(delivery)
            if len(self._compiled) >= _KEPT:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = compiled
        return compiled.write(_recipient(delivery, dated_at))

    async def _compile(self, delivery: Delivery) -> CompiledLetter:
        def read(tx: Connection) -> tuple[str, MailingList]:
            return revisions.manuscript(tx, delivery.revision_id or 0), mailing_lists.get(
                tx, delivery.mailing_list_id or 0
            )

        text, mailing_list = await self._app.database.read(read)
        manuscript = read_manuscript(text, mailing_list.language)
        language = self._app.language(delivery.language, manuscript.language)
        letterhead = self._app.letterhead(mailing_list)
        return await asyncio.to_thread(
            compile_letter, manuscript, letterhead, self._app.templates, language, delivery.campaign_id
        )

    async def _notice(self, delivery: Delivery, dated_at: datetime) -> Letter:
        letterhead = None
        if delivery.mailing_list_id is not None:
            mailing_list = await self._app.database.read(mailing_lists.get, delivery.mailing_list_id)
            letterhead = self._app.letterhead(mailing_list)
        if delivery.kind is Kind.WRAPPED:
            return await asyncio.to_thread(_wrapped, self._app, delivery, letterhead, dated_at)
        return compose_notice(delivery, letterhead, self._app.house, self._app.templates, dated_at)


def _wrapped(app: App, delivery: Delivery, letterhead: Letterhead | None, dated_at: datetime) -> Letter:
    """A person's mail to the list's owner, or to the service's."""
    house, told = app.house, delivery.values
    language = app.language(delivery.language)
    intro = app.templates.render("notices/wrapped.txt", language, recipient=told["recipient"], sender=told["sender"])
    cover = Cover(
        from_name=letterhead.mailing_list.title if letterhead else house.name,
        from_address=letterhead.address() if letterhead else f"postmaster@{house.domain}",
        to=delivery.address,
        reply_to=told["sender"],
        subject=told["subject"] or told["recipient"],
        message_id=house.message_id(delivery.id),
        dated_at=dated_at,
        list_id=letterhead.list_id if letterhead else None,
        intro=intro.strip() + "\n",
    )
    content = wrap_original(base64.b64decode(told["raw"]), cover)
    return Letter(house.return_path(delivery.id), delivery.address, content)


def _recipient(delivery: Delivery, dated_at: datetime) -> Recipient:
    return Recipient(
        delivery_id=delivery.id,
        subscription_id=delivery.subscription_id or 0,
        address=delivery.address,
        name=delivery.name,
        attributes=delivery.values,
        dated_at=dated_at,
        language=delivery.language,
    )
