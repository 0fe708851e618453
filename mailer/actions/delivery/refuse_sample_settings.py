"""No campaign leaves this machine with sample settings: its readers would get links that lead nowhere."""

from __future__ import annotations

from mailer.app import App
from mailer.domain.sample_settings import describe_sample_settings, is_loopback


def find_sample_settings(app: App) -> str | None:
    """What of [service] is not to be seen by readers, in words; None where nothing is, or no relay is elsewhere.

    With a relay on this machine one tries things out; or it is a mail server of one's own: `mailer doctor` warns then.
    """
    if all(is_loopback(relay.host) for relay in app.relays):
        return None
    house = app.site
    return describe_sample_settings(name=house.name, domain=house.domain, url=house.url, owner=house.owner)
