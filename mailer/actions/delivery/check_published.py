"""Check what receivers look up in the DNS about our domain, our keys and the addresses that our mail leaves from."""

from __future__ import annotations

import asyncio

from mailer.app import App
from mailer.domain.health_check import HealthCheck
from mailer.domain.sample_settings import describe_sample_settings
from mailer.network.check_domain import check_domain
from mailer.network.check_keys import check_keys
from mailer.network.check_senders import check_senders
from mailer.network.public_address import own_addresses


def is_published(app: App) -> bool:
    """Whether there is anything to look up: not with sample settings, nor where no name server is known."""
    site = app.site
    samples = describe_sample_settings(name=site.name, domain=site.domain, url=site.url, owner=site.owner)
    return app.dns is not None and samples is None


async def check_published(app: App) -> list[HealthCheck]:
    """The checks of what receivers look up; none where `is_published` says no."""
    dns, domain, signers = app.dns, app.site.domain, list(app.signers)
    if dns is None or not is_published(app):
        return []
    groups = await asyncio.gather(
        check_domain(dns, domain, signers),
        check_senders(dns, domain, [relay.host for relay in app.relays], own_addresses()),
        check_keys(dns, signers),
    )
    return [check for group in groups for check in group]
