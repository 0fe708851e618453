"""Finds sample settings, with which no campaign may leave this machine: its links would lead nowhere."""

from __future__ import annotations

from mailer.app import App
from mailer.domain.sample_settings import describe_sample_settings, is_loopback


def find_sample_settings(app: App) -> str | None:
    """Which values of [service] are sample ones, in words; None if none is, or if every relay is on this machine.

    A relay on this machine is for trying things out, or a mail server of its own; then only `mailer doctor` warns.
    """
    if all(is_loopback(relay.host) for relay in app.relays):
        return None
    site = app.site
    return describe_sample_settings(name=site.name, domain=site.domain, url=site.url, owner=site.owner)
