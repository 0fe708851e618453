"""From a delivery to its letter: the campaign's text with this reader's words in it, or a notice."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.delivery import Delivery, Kind
from mailer.domain.mailing_list import MailingList
from mailer.domain.site import Letterhead
from mailer.errors import DatabaseUnavailable, ManuscriptRefused
from mailer.mail.compose.campaign_file import read_manuscript
from mailer.mail.compose.compile_letter import CompiledLetter, compile_letter, is_scripted
from mailer.mail.compose.forward import compose_forward
from mailer.mail.compose.notice import compose_notice
from mailer.mail.compose.personalise import Recipient
from mailer.mail.dkim.signing import Unsigned, choose_signer, finish, prepare, sign
from mailer.mail.message.letter import Letter
from mailer.network.signing_pool import Signing
from mailer.store import campaigns, incoming_mails, mailing_lists, revisions
from mailer.store.queue.gate import Wanted

_log = structlog.get_logger()

_KEPT = 64


@dataclass(frozen=True, slots=True)
class Written:
    """A letter, and what the gate is asked with."""

    delivery: Delivery
    letter: Letter
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A delivery whose letter cannot be written, and why."""

    delivery: Delivery
    why: str


def needs_check(tx: Connection, campaign_id: int) -> bool:
    """Whether values of a reader may keep a letter of this campaign from being written, or its text cannot be read."""
    campaign = campaigns.get(tx, campaign_id)
    language = mailing_lists.get(tx, campaign.mailing_list_id).language
    newest = (revisions.manuscript(tx, number) for number in revisions.newest(tx, campaign_id).values())
    try:
        return any(is_scripted(read_manuscript(text, language)) for text in newest)
    except ManuscriptRefused:  # an older version of us took it
        return True


class LetterWriter:
    """Writes letters; what it compiled once, per revision and reader's language, it keeps for the next reader."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._compiled: dict[tuple[int, str | None], CompiledLetter] = {}

    async def write_many(self, deliveries: Sequence[Delivery], now: datetime) -> list[Written | Unwritten]:
        """The letters of claimed deliveries, dated `now` or as they were; or why one cannot be written.

        What may take long is written by another thread; they are signed by other processes, or by that thread.
        """
        jobs = [(one, await self._job(one, one.dated_at or now)) for one in deliveries]
        app = self._app
        slow = any(isinstance(job, Exception) or job.slow for _, job in jobs)
        if slow or (app.signers and app.signing is None):
            made = await asyncio.to_thread(self._made, jobs, now)
        else:
            made = self._made(jobs, now)
        return made if app.signing is None else await self._signed_elsewhere(app.signing, made)

    async def _signed_elsewhere(self, signing: Signing, made: list[Written | Unwritten]) -> list[Written | Unwritten]:
        """With their signatures, made by other processes."""
        places = {signer: place for place, signer in enumerate(self._app.signers)}
        unsigned: list[tuple[int, Written, Unsigned]] = []
        batch: list[tuple[int, bytes]] = []
        for number, one in enumerate(made):
            if isinstance(one, Written) and (signer := choose_signer(self._app.signers, one.letter)):
                unsigned.append((number, one, prepare(signer, one.letter, one.wanted.dated_at)))
                batch.append((places[signer], unsigned[-1][2].octets))
        signatures = await signing.signatures(batch) if batch else []
        for (number, one, waiting), signed in zip(unsigned, signatures, strict=True):
            made[number] = replace(one, letter=finish(waiting, signed))
        return made

    async def write(self, delivery: Delivery, dated_at: datetime) -> Letter:
        """The letter of a delivery, signed where we have a key: for the same delivery and date, the same octets.

        Raises MailerError (ManuscriptRefused, LetterUnwritable, NotFound) or a template's own error where it cannot
        be written.
        """
        job = await self._job(delivery, dated_at)
        if isinstance(job, Exception):
            raise job
        return await asyncio.to_thread(self._signed, job, dated_at)

    async def check_many(self, deliveries: Sequence[Delivery], now: datetime) -> Unwritten | None:
        """The first of these campaign deliveries whose letter cannot be written, and why; None where all can be."""
        jobs = [(one, await self._job(one, now)) for one in deliveries]
        return await asyncio.to_thread(_first_refused, jobs)

    async def _job(self, delivery: Delivery, dated_at: datetime) -> _Job | Exception:
        """What makes the letter, once all that it needs of the ledger is at hand."""
        try:
            if delivery.kind is not Kind.CAMPAIGN:
                return _Job(await self._notice(delivery, dated_at), slow=True)
            compiled = await self._compiled_for(delivery)
        except DatabaseUnavailable:
            raise
        except Exception as trouble:  # whatever a template does must not stop other people's letters
            return trouble
        return _Job(partial(_to_reader, compiled, delivery, dated_at), slow=compiled.needs_check, compiled=compiled)

    async def _compiled_for(self, delivery: Delivery) -> CompiledLetter:
        key = (delivery.revision_id or 0, delivery.language)
        if (compiled := self._compiled.get(key)) is None:
            compiled = await self._compile(delivery)
            if len(self._compiled) >= _KEPT:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = compiled
        return compiled

    async def _compile(self, delivery: Delivery) -> CompiledLetter:
        def read(tx: Connection) -> tuple[str, MailingList]:
            mailing_list = mailing_lists.get(tx, delivery.mailing_list_id or 0)
            return revisions.text_of(tx, delivery.revision_id or 0, mailing_list)

        text, mailing_list = await self._app.database.read(read)
        manuscript = read_manuscript(text, mailing_list.language)
        language = self._app.language(delivery.language, manuscript.language)
        letterhead = self._app.letterhead(mailing_list)
        return await asyncio.to_thread(
            compile_letter, manuscript, letterhead, self._app.templates, language, delivery.campaign_id
        )

    async def _notice(self, delivery: Delivery, dated_at: datetime) -> Callable[[], Letter]:
        app, letterhead = self._app, await self._letterhead(delivery)
        if delivery.kind is not Kind.WRAPPED:
            return partial(compose_notice, delivery, letterhead, app.house, app.templates, dated_at)
        if "raw" in delivery.values:  # queued by a version that kept it here
            original = base64.b64decode(delivery.values["raw"])
        else:
            original = await app.database.read(incoming_mails.octets, delivery.values["incoming"])
        return partial(compose_forward, delivery, letterhead, app.house, app.templates, dated_at, original)

    async def _letterhead(self, delivery: Delivery) -> Letterhead | None:
        if delivery.mailing_list_id is None:
            return None
        return self._app.letterhead(await self._app.database.read(mailing_lists.get, delivery.mailing_list_id))

    def _made(self, jobs: Sequence[tuple[Delivery, _Job | Exception]], now: datetime) -> list[Written | Unwritten]:
        return [self._tried(delivery, job, delivery.dated_at or now) for delivery, job in jobs]

    def _tried(self, delivery: Delivery, job: _Job | Exception, dated_at: datetime) -> Written | Unwritten:
        try:
            if isinstance(job, Exception):
                raise job
            letter = self._signed(job, dated_at, elsewhere=self._app.signing is not None)
        except Exception as trouble:  # as above
            _log.warning("letter cannot be written", delivery=delivery.id, campaign=delivery.campaign_id, exc_info=True)
            return Unwritten(delivery, str(trouble))
        return Written(delivery, letter, _wanted(delivery, job.compiled, dated_at))

    def _signed(self, job: _Job, dated_at: datetime, *, elsewhere: bool = False) -> Letter:
        letter = job.make()
        if not self._app.signers or elsewhere:
            return letter
        signer = choose_signer(self._app.signers, letter)
        return letter if signer is None else sign(signer, letter, dated_at)


@dataclass(frozen=True, slots=True)
class _Job:
    make: Callable[[], Letter]
    slow: bool
    compiled: CompiledLetter | None = None


def _first_refused(jobs: Sequence[tuple[Delivery, _Job | Exception]]) -> Unwritten | None:
    for delivery, job in jobs:
        try:
            if isinstance(job, Exception):
                raise job
            if job.compiled is not None:
                job.compiled.check(_recipient(delivery, delivery.queued_at))
        except Exception as trouble:  # whatever a template does, its organiser is told of it
            return Unwritten(delivery, str(trouble))
    return None


def _to_reader(compiled: CompiledLetter, delivery: Delivery, dated_at: datetime) -> Letter:
    return compiled.write(_recipient(delivery, dated_at))


def _wanted(delivery: Delivery, compiled: CompiledLetter | None, dated_at: datetime) -> Wanted:
    kept = None
    if compiled is not None:
        known = delivery.values if delivery.name is None else {**delivery.values, "name": delivery.name}
        kept = {name: known[name] for name in compiled.names if name in known} or None
    return Wanted(
        delivery_id=delivery.id,
        claim_id=delivery.claim_id,
        campaign_id=delivery.campaign_id,
        suppression_key=delivery.suppression_key,
        dated_at=dated_at,
        revision_id=delivery.revision_id,
        language=delivery.language,
        values=kept,
        corrections=delivery.corrections,
    )


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
