"""What letters are made with besides text and list: kept at the launch, and compared when one is shown later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailer import __version__
from mailer.app import App


def describe_making(app: App) -> dict[str, Any]:
    """The present version, names of the site, first key of the secret, and DKIM keys."""
    return {
        "version": __version__,
        "name": app.site.name,
        "domain": app.site.domain,
        "url": app.site.url,
        "key": app.site.keyring.keys[0][0],
        "signers": [one.record_name for one in app.signers],
    }


def find_changes(app: App, made_with: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Why a letter written now may have other octets than at its launch, one sentence each; empty where it has not."""
    if made_with is None:
        return ("it was launched by a version before 0.7, which kept less of what its letters were made with",)
    now = describe_making(app)
    return tuple(
        f"{_NAMES[name]} {_format(made_with.get(name))} at the launch, and {_format(value)} now"
        for name, value in now.items()
        if made_with.get(name) != value
    )


_NAMES = {
    "version": "the version of mailer, whose templates stand around the text, was",
    "name": "the site's name was",
    "domain": "the site's domain was",
    "url": "the site's url was",
    "key": "the key of the secret that signs links was",
    "signers": "the DKIM keys were",
}


def _format(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
