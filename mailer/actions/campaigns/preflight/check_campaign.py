"""Checks a campaign before it is sent: everything, or what takes no time and asks nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from mailer.actions.campaigns.checked_drafts import CampaignDrafts, CheckedDrafts, check_loaded, load_drafts
from mailer.actions.campaigns.preflight.check_letters import CheckedLetters, check_letters
from mailer.actions.campaigns.preflight.check_outside import (
    check_dns,
    check_links,
    check_relays,
    check_spam,
    results_of_checks,
)
from mailer.actions.campaigns.preflight.check_plan import check_audience, check_editions, check_footer, check_texts
from mailer.actions.campaigns.preflight.render_readers import tally_drafts
from mailer.actions.delivery.refuse_sample_settings import find_sample_settings
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.audience_count import AudienceCount
from mailer.domain.campaign import Campaign
from mailer.domain.health_check import CheckGroup
from mailer.domain.letters.preflight import (
    CANNOT_BE_WRITTEN,
    PreflightReport,
    PreflightResult,
    PreflightRule,
    blocking,
    blocking_results,
    hide_people,
    sort_results,
)
from mailer.errors import CheckFailed
from mailer.network.link_check import LinkClient
from mailer.store import campaigns
from mailer.store.counts import audience_counts


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckScope:
    """What a check looks at."""

    everything: bool = True
    """Else only what takes no time and asks nobody: a few readers, and no other server."""
    links: bool = False
    """Whether the servers that links lead to are asked."""
    link_client: LinkClient = field(default_factory=LinkClient)


_LEFT_TO_OTHERS = frozenset({PreflightRule.TEXT, PreflightRule.AUDIENCE, PreflightRule.SETTINGS})
QUICK, WHOLE = CheckScope(everything=False), CheckScope()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Facts:
    loaded: CampaignDrafts
    audience: AudienceCount
    last: Campaign | None


async def check_campaign(
    app: App,
    actor: Actor,
    campaign_id: int,
    scope: CheckScope = WHOLE,
    progress: Callable[[int], None] = lambda _: None,
    *,
    languages: Collection[str] | None = None,
) -> PreflightReport:
    """Everything that speaks against sending the drafts of a campaign now, and what is in order; nothing is changed.

    `languages` are the editions that are sent; empty: all; None: as was chosen. `progress` is told how many readers'
    letters have been written. People are named only to who may see them. Raises NotFound, NotPermitted.
    """
    facts = await app.database.read(_load, app, actor, campaign_id, languages)
    checked = await check_loaded(app, facts.loaded)
    planned = _check_plan(app, checked, facts)
    tally = await tally_drafts(app, checked, everybody=scope.everything, progress=progress)
    letters = await asyncio.to_thread(check_letters, app, tally)
    outside, left_out = await _check_outside(app, letters, scope)
    report = PreflightReport(
        campaign_id=campaign_id,
        checked_at=app.clock(),
        results=sort_results([*planned, *letters.results, *outside]),
        digest=facts.loaded.digest,
        readers=tally.readers,
        left_out=tuple(left_out),
    )
    may_see = actor.may(Permission.SEE_PEOPLE, facts.loaded.mailing_list.id)
    return report if may_see else hide_people(report)


async def require_no_blocker(
    app: App, actor: Actor, campaign_id: int, *, anyway: bool, languages: Collection[str] | None = None
) -> None:
    """Raise CheckFailed if the quick part of the check finds what blocks; `anyway`: a reason to send it was given.

    Mistakes in the texts are left to whoever freezes them, and to a list that nobody reads yet people may come.
    """
    report = await check_campaign(app, actor, campaign_id, QUICK, languages=languages)
    found = [one for one in blocking_results(report.results, anyway=anyway) if one.rule not in _LEFT_TO_OTHERS]
    if found:
        first = found[0].sentence().rstrip(".")
        more = f"; and {len(found) - 1} more: mailer campaign check {campaign_id}" if len(found) > 1 else ""
        way = "" if found[0].rule in CANNOT_BE_WRITTEN else ", or say why it goes all the same: --anyway REASON"
        raise CheckFailed(f"{first}{more}. Mend it{way}")


def _load(tx: Connection, app: App, actor: Actor, campaign_id: int, languages: Collection[str] | None) -> _Facts:
    loaded = load_drafts(tx, actor, Permission.READ, campaign_id)
    if languages is not None:
        loaded = replace(loaded, campaign=replace(loaded.campaign, languages=tuple(languages) or None))
    return _Facts(
        loaded=loaded,
        audience=audience_counts.load_for(tx, loaded.campaign, app.clock()),
        last=campaigns.last_of_list(tx, loaded.mailing_list.id, campaign_id),
    )


def _check_plan(app: App, checked: CheckedDrafts, facts: _Facts) -> list[PreflightResult]:
    results = [
        *check_texts(checked),
        *check_editions(checked, facts.audience),
        *check_audience(checked, facts.audience, facts.last),
        *check_footer(facts.loaded.mailing_list),
    ]
    if (why := find_sample_settings(app)) is not None:
        results.append(blocking(PreflightRule.SETTINGS, f"[service] in settings.toml: {why}", "Mend that first."))
    return results


async def _check_outside(
    app: App, letters: CheckedLetters, scope: CheckScope
) -> tuple[list[PreflightResult], list[str]]:
    """What others say of it, and what they were not asked."""
    if not scope.everything:
        known = results_of_checks(app.health.of_group(CheckGroup.SENDING))
        return [one for one in known if one.rule is not PreflightRule.RELAY], [
            "whether every reader's letter can be written, relays, the DNS and spam filters (the launch looks at them)"
        ]
    (in_dns, no_dns), relays, (spam, no_spam) = await asyncio.gather(
        check_dns(app), check_relays(app, letters.most_octets), check_spam(app, letters.samples)
    )
    results, left_out = [*in_dns, *relays, *spam], [*no_dns, *no_spam]
    if scope.links:
        results += await check_links(letters.links, scope.link_client)
    elif letters.links:
        left_out.append(f"whether links of the letters answer: {len(letters.links)}")
    return results, left_out
