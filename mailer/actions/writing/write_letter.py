"""From a delivery to its letter: the campaign's text with this reader's words in it, or a notice."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.delivery import Delivery, Kind
from mailer.domain.mailing_list import MailingList
from mailer.errors import DatabaseUnavailable
from mailer.mail.compose import ComposedLetter, compose
from mailer.mail.dkim import choose_signer, sign
from mailer.mail.letter import Letter
from mailer.mail.letterhead import Letterhead
from mailer.mail.manuscript import read_manuscript
from mailer.mail.notice import compose_notice
from mailer.mail.personalise import Recipient, personalise
from mailer.mail.wrap import Cover, wrap_original
from mailer.store import mailing_lists, revisions
from mailer.store.gate import Wanted

_log = structlog.get_logger()

_KEPT = 64


@dataclass(frozen=True, slots=True)
class Written:
    """A letter, and what the gate is asked with."""

    delivery: Delivery
    letter: Letter
    wanted: Wanted


class LetterWriter:
    """Writes letters; what it composed once, per revision and reader's language, it keeps for the next reader."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._composed: dict[tuple[int, str | None], ComposedLetter] = {}

    async def write_many(self, deliveries: Sequence[Delivery], now: datetime) -> list[Written | tuple[Delivery, str]]:
        """The letters of claimed deliveries, dated `now` or as they were; or why one cannot be written."""
        return [await self._try(one, one.dated_at or now) for one in deliveries]

    async def _try(self, delivery: Delivery, dated_at: datetime) -> Written | tuple[Delivery, str]:
        try:
            letter = await self.write(delivery, dated_at)
        except DatabaseUnavailable:
            raise
        except Exception as trouble:  # whatever a template does must not stop other people's letters
            _log.exception("letter cannot be written", delivery=delivery.id, campaign=delivery.campaign_id)
            return delivery, str(trouble)
        return Written(delivery, letter, _wanted(delivery, dated_at))

    async def write(self, delivery: Delivery, dated_at: datetime) -> Letter:
        """The letter of a delivery, signed where we have a key: for the same delivery and date, the same octets.

        Raises MailerError (ManuscriptRefused, NotFound) or a template's own error where it cannot be written.
        """
        letter = await self._unsigned(delivery, dated_at)
        signer = choose_signer(self._app.signers, letter)
        return letter if signer is None else await asyncio.to_thread(sign, signer, letter, dated_at)

    async def _unsigned(self, delivery: Delivery, dated_at: datetime) -> Letter:
        if delivery.kind is not Kind.CAMPAIGN:
            return await self._notice(delivery, dated_at)
        key = (delivery.revision_id or 0, delivery.language)
        if (composed := self._composed.get(key)) is None:
            composed = await self._compose(delivery)
            if len(self._composed) >= _KEPT:
                self._composed.pop(next(iter(self._composed)))
            self._composed[key] = composed
        return personalise(composed, _recipient(delivery, dated_at))

    async def _compose(self, delivery: Delivery) -> ComposedLetter:
        def read(tx: Connection) -> tuple[str, MailingList]:
            return revisions.manuscript(tx, delivery.revision_id or 0), mailing_lists.get(
                tx, delivery.mailing_list_id or 0
            )

        text, mailing_list = await self._app.database.read(read)
        manuscript = read_manuscript(text, mailing_list.language)
        language = self._app.language(delivery.language, manuscript.language)
        letterhead = self._app.letterhead(mailing_list)
        return await asyncio.to_thread(
            compose, manuscript, letterhead, self._app.templates, language, delivery.campaign_id
        )

    async def _notice(self, delivery: Delivery, dated_at: datetime) -> Letter:
        letterhead = None
        if delivery.mailing_list_id is not None:
            mailing_list = await self._app.database.read(mailing_lists.get, delivery.mailing_list_id)
            letterhead = self._app.letterhead(mailing_list)
        if delivery.kind is Kind.WRAPPED:
            return await asyncio.to_thread(_wrapped, self._app, delivery, letterhead, dated_at)
        return compose_notice(delivery, letterhead, self._app.house, self._app.templates, dated_at)


def _wanted(delivery: Delivery, dated_at: datetime) -> Wanted:
    of_reader = delivery.kind is Kind.CAMPAIGN
    kept = delivery.values | ({"name": delivery.name} if delivery.name else {})
    return Wanted(
        delivery_id=delivery.id,
        claim_id=delivery.claim_id,
        campaign_id=delivery.campaign_id,
        suppression_key=delivery.suppression_key,
        dated_at=dated_at,
        revision_id=delivery.revision_id,
        language=delivery.language,
        values=(kept or None) if of_reader else None,
        corrections=delivery.corrections,
    )


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
    )
