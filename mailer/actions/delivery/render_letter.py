"""LetterRenderer: renders and signs the letters of deliveries, of campaigns and notices."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from mailer.actions.delivery.trial_letter import delivery_of_campaign, mark_as_test
from mailer.app import App
from mailer.domain.delivery import Delivery, Kind
from mailer.domain.site import ListIdentity
from mailer.errors import DatabaseUnavailable
from mailer.mail.compose.campaign_file import CampaignFile, parse_campaign_file
from mailer.mail.compose.compile_letter import CompiledLetter, compile_letter
from mailer.mail.compose.forward import compose_forward
from mailer.mail.compose.notice import compose_notice
from mailer.mail.compose.personalise import Recipient
from mailer.mail.dkim.signing import UnsignedLetter, attach_signature, choose_signer, prepare_signature, sign_letter
from mailer.mail.message.letter import Letter
from mailer.network.signing_pool import SigningPool
from mailer.store import incoming_mails, mailing_lists
from mailer.store.letters import letter_sources
from mailer.store.letters.letter_sources import LetterSource
from mailer.store.queue.gate import HandoffRequest

_log = structlog.get_logger()

_CACHE_SIZE = 64


@dataclass(frozen=True, slots=True)
class RenderedLetter:
    """A letter that is ready to be sent, and the request to the gate for it."""

    delivery: Delivery
    letter: Letter
    handoff: HandoffRequest


@dataclass(frozen=True, slots=True)
class RenderFailure:
    """A delivery whose letter cannot be rendered."""

    delivery: Delivery
    reason: str


class LetterRenderer:
    """Renders letters; caches compiled texts by revision and language."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._compiled: dict[tuple[int, str | None], CompiledLetter] = {}

    async def render_many(self, deliveries: Sequence[Delivery], now: datetime) -> list[RenderedLetter | RenderFailure]:
        """Render claimed deliveries, dated `now` or as before: each a letter, or why it cannot be rendered.

        Slow letters are rendered in another thread. They are signed by the signing pool, or else in that thread.
        """
        jobs = [(one, await self._prepare_job(one, one.dated_at or now)) for one in deliveries]
        app = self._app
        slow = any(isinstance(job, Exception) or job.slow for _, job in jobs)
        if slow or (app.signers and app.signing_pool is None):
            results = await asyncio.to_thread(self._render_jobs, jobs, now)
        else:
            results = self._render_jobs(jobs, now)
        return results if app.signing_pool is None else await self._sign_in_processes(app.signing_pool, results)

    async def _sign_in_processes(
        self, signing: SigningPool, results: list[RenderedLetter | RenderFailure]
    ) -> list[RenderedLetter | RenderFailure]:
        """Add signatures that the processes of the signing pool make."""
        places = {signer: place for place, signer in enumerate(self._app.signers)}
        unsigned: list[tuple[int, RenderedLetter, UnsignedLetter]] = []
        batch: list[tuple[int, bytes]] = []
        for number, one in enumerate(results):
            if isinstance(one, RenderedLetter) and (signer := choose_signer(self._app.signers, one.letter)):
                unsigned.append((number, one, prepare_signature(signer, one.letter, one.handoff.dated_at)))
                batch.append((places[signer], unsigned[-1][2].octets))
        signatures = await signing.sign(batch) if batch else []
        for (number, one, waiting), signature in zip(unsigned, signatures, strict=True):
            results[number] = replace(one, letter=attach_signature(waiting, signature))
        return results

    async def render(self, delivery: Delivery, dated_at: datetime) -> Letter:
        """The letter of a delivery, signed if there is a key. The same delivery and date give the same octets.

        Raises CampaignFileRefused, LetterRenderFailed, NotFound, or a template's own error.
        """
        job = await self._prepare_job(delivery, dated_at)
        if isinstance(job, Exception):
            raise job
        return await asyncio.to_thread(self._render_and_sign, job, dated_at)

    async def _prepare_job(self, delivery: Delivery, dated_at: datetime) -> _RenderJob | Exception:
        """Read what the letter needs from the database; returns the job that renders it, or why that fails."""
        try:
            if delivery.kind is Kind.TEST:
                as_campaign = delivery_of_campaign(delivery)
                manuscript, source = await self._load_text(as_campaign)
                test = (mark_as_test(manuscript), source, as_campaign, dated_at)
                return _RenderJob(partial(self._render_test, *test), slow=True)
            if delivery.kind is not Kind.CAMPAIGN:
                return _RenderJob(await self._prepare_notice(delivery, dated_at), slow=True)
            compiled = await self.get_compiled(delivery)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # an error in one template must not stop other letters
            return error
        return _RenderJob(
            partial(_render_for_recipient, compiled, delivery, dated_at), slow=compiled.needs_check, compiled=compiled
        )

    async def get_compiled(self, delivery: Delivery) -> CompiledLetter:
        """The letter of a campaign's delivery, compiled once for all with its text and language. Raises as `render`."""
        key = (delivery.revision_id or 0, delivery.language)
        if (compiled := self._compiled.get(key)) is None:
            compiled = await self._compile(delivery)
            if len(self._compiled) >= _CACHE_SIZE:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = compiled
        return compiled

    async def _compile(self, delivery: Delivery) -> CompiledLetter:
        return await asyncio.to_thread(self._compile_text, *await self._load_text(delivery), delivery)

    async def _load_text(self, delivery: Delivery) -> tuple[CampaignFile, LetterSource]:
        def read(tx: Connection) -> LetterSource:
            mailing_list = mailing_lists.get(tx, delivery.mailing_list_id or 0)
            return letter_sources.load_source(tx, delivery.revision_id or 0, mailing_list)

        source = await self._app.database.read(read)
        return parse_campaign_file(source.manuscript, source.mailing_list.language), source

    def _compile_text(self, manuscript: CampaignFile, source: LetterSource, delivery: Delivery) -> CompiledLetter:
        language = self._app.language(delivery.language, manuscript.language)
        identity = self._app.list_identity(source.mailing_list)
        return compile_letter(
            manuscript, identity, self._app.templates, language, delivery.campaign_id, source.resources
        )

    def _render_test(
        self, manuscript: CampaignFile, source: LetterSource, delivery: Delivery, dated_at: datetime
    ) -> Letter:
        return _render_for_recipient(self._compile_text(manuscript, source, delivery), delivery, dated_at)

    async def _prepare_notice(self, delivery: Delivery, dated_at: datetime) -> Callable[[], Letter]:
        app, identity = self._app, await self._list_identity(delivery)
        if delivery.kind is not Kind.FORWARDED:
            return partial(compose_notice, delivery, identity, app.site, app.templates, dated_at)
        if "raw" in delivery.values:  # queued by an older version that stored it here
            original = base64.b64decode(delivery.values["raw"])
        else:
            original = await app.database.read(incoming_mails.load_raw, delivery.values["incoming"])
        return partial(compose_forward, delivery, identity, app.site, app.templates, dated_at, original)

    async def _list_identity(self, delivery: Delivery) -> ListIdentity | None:
        if delivery.mailing_list_id is None:
            return None
        return self._app.list_identity(await self._app.database.read(mailing_lists.get, delivery.mailing_list_id))

    def _render_jobs(
        self, jobs: Sequence[tuple[Delivery, _RenderJob | Exception]], now: datetime
    ) -> list[RenderedLetter | RenderFailure]:
        return [self._render_job(delivery, job, delivery.dated_at or now) for delivery, job in jobs]

    def _render_job(
        self, delivery: Delivery, job: _RenderJob | Exception, dated_at: datetime
    ) -> RenderedLetter | RenderFailure:
        try:
            if isinstance(job, Exception):
                raise job
            letter = self._render_and_sign(job, dated_at, unsigned=self._app.signing_pool is not None)
        except Exception as error:  # an error in one template must not stop other letters
            _log.warning("failed to render letter", delivery=delivery.id, campaign=delivery.campaign_id, exc_info=True)
            return RenderFailure(delivery, str(error))
        return RenderedLetter(delivery, letter, _handoff_request(delivery, job.compiled, dated_at))

    def _render_and_sign(self, job: _RenderJob, dated_at: datetime, *, unsigned: bool = False) -> Letter:
        letter = job.make()
        if not self._app.signers or unsigned:
            return letter
        signer = choose_signer(self._app.signers, letter)
        return letter if signer is None else sign_letter(signer, letter, dated_at)


@dataclass(frozen=True, slots=True)
class _RenderJob:
    make: Callable[[], Letter]
    slow: bool
    compiled: CompiledLetter | None = None


def _render_for_recipient(compiled: CompiledLetter, delivery: Delivery, dated_at: datetime) -> Letter:
    return compiled.write(_recipient(delivery, dated_at))


def _handoff_request(delivery: Delivery, compiled: CompiledLetter | None, dated_at: datetime) -> HandoffRequest:
    kept = None
    if compiled is not None:
        known = delivery.values if delivery.name is None else {**delivery.values, "name": delivery.name}
        kept = {name: known[name] for name in compiled.names if name in known} or None
    return HandoffRequest(
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
