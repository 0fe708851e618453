"""The check at the launch: the letters of the frozen audience, and what others say; what blocks holds the campaign."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from mailer.actions.campaigns.preflight.check_letters import CheckedLetters, check_letters
from mailer.actions.campaigns.preflight.check_outside import check_dns, check_spam
from mailer.actions.campaigns.preflight.letter_tally import LetterTally
from mailer.actions.delivery.needs_check import needs_check
from mailer.actions.delivery.render_letter import LetterRenderer
from mailer.app import App
from mailer.domain.campaign import Campaign
from mailer.domain.delivery import Delivery
from mailer.domain.letters.edition_choice import choose_edition
from mailer.domain.letters.preflight import PreflightResult, blocking_results, sort_results
from mailer.domain.token import NOBODY
from mailer.errors import DatabaseUnavailable
from mailer.mail.compose.personalise import Recipient
from mailer.store import mailing_lists, revisions
from mailer.store.counts import audience_counts
from mailer.store.queue import deliveries

_log = structlog.get_logger()

_CHUNK = 1000
"""Letters test-rendered at a time."""


async def find_obstacle(app: App, campaign: Campaign) -> str | None:
    """Why a launched campaign must not be sent, in one sentence for its organisers; None if nothing blocks it.

    A letter with conditions is tried for everybody in the audience, any other once for each edition and language.
    With a reason to send it anyway, only letters that cannot be written block, and nobody outside is asked. Relays are
    left out: letters wait for those.
    """
    tally = await _tally_audience(app, campaign)
    if tally.failures:
        number, first = tally.failed.total(), next(iter(tally.failures.values()))
        return f"{first}; and for {number - 1} others" if number > 1 else str(first)
    letters = await asyncio.to_thread(check_letters, app, tally)
    results = [*letters.results]
    if campaign.anyway_reason is None and not app.wakeups.closing.is_set():
        results += await _ask_others(app, letters)
    found = blocking_results(sort_results(results), anyway=campaign.anyway_reason is not None)
    if not found:
        return None
    more = f"; and {len(found) - 1} more (mailer campaign check {campaign.id})" if len(found) > 1 else ""
    return (
        f"not sent: {found[0].sentence().rstrip('.')}{more}. Mend that, then `mailer campaign resume {campaign.id}`; "
        "or resume it with --anyway REASON"
    )


async def _ask_others(app: App, letters: CheckedLetters) -> Sequence[PreflightResult]:
    try:
        (in_dns, _), (of_filters, _) = await asyncio.gather(check_dns(app), check_spam(app, letters.samples))
    except Exception:  # what we ask others must not keep a launch from happening
        _log.exception("failed to check a launch")
        return []
    return [*in_dns, *of_filters]


async def _tally_audience(app: App, campaign: Campaign) -> LetterTally:
    """The letters of the deliveries that wait: of all if they depend on their readers, else a few and each language."""
    renderer, tally, after = LetterRenderer(app), LetterTally(), 0
    of_everybody = await app.database.read(needs_check, campaign.id)
    editions = await app.database.read(revisions.newest_by_language, campaign.id)
    by_revision = {number: language for language, number in editions.items()}
    while not app.wakeups.closing.is_set():
        some = await app.database.read(deliveries.list_waiting, campaign.id, after, _CHUNK)
        if not some:
            break
        await _tally_deliveries(renderer, tally, some, by_revision)
        if not of_everybody:
            # The first thousand need not have all languages.
            invented = await app.database.read(_reader_of_each_language, app, campaign, some[0], editions)
            await _tally_deliveries(renderer, tally, invented, by_revision)
            break
        after = some[-1].subscription_id or 0
    return tally


async def _tally_deliveries(
    renderer: LetterRenderer, tally: LetterTally, some: Sequence[Delivery], by_revision: Mapping[int, str]
) -> None:
    ready = []
    for one in some:
        edition = by_revision.get(one.revision_id or 0, "")
        try:
            ready.append((edition, await renderer.get_compiled(one), _recipient(one), int(one.id != NOBODY)))
        except DatabaseUnavailable:
            raise
        except Exception as error:  # any error in a template is told to its organiser
            tally.fail(edition, one.address, error)

    def add_all() -> None:
        for edition, compiled, recipient, number in ready:
            tally.add(edition, compiled, recipient, number=number)

    await asyncio.to_thread(add_all)


def _reader_of_each_language(
    tx: Connection, app: App, campaign: Campaign, like: Delivery, editions: Mapping[str, int]
) -> list[Delivery]:
    """A delivery to an invented reader of each language of the list's readers, who has the edition that they get."""
    mailing_list = mailing_lists.get(tx, campaign.mailing_list_id)
    invented = replace(like, id=NOBODY, address=mailing_list.owner, name=None, values={})
    found = []
    for tag in audience_counts.load(tx, mailing_list.id, app.clock()).languages:
        chosen = choose_edition(tag, list(editions), mailing_list.language, campaign.languages).language
        found.append(replace(invented, language=tag or None, revision_id=editions[chosen]))
    return found


def _recipient(delivery: Delivery) -> Recipient:
    """The reader, with links that lead nowhere: the letter is only looked at."""
    return Recipient(
        delivery_id=NOBODY,
        subscription_id=NOBODY,
        address=delivery.address,
        name=delivery.name,
        attributes=delivery.values,
        dated_at=delivery.queued_at,
        language=delivery.language,
    )
