"""Refuses [[legacy]] tables whose links or addresses would be taken for those of another, or for our own pages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from mailer.domain.imports.legacy_list import LegacyList
from mailer.errors import SettingsRefused

OWN_SEGMENTS = frozenset(
    {
        ".well-known",
        "archive",
        "confirm",
        "console",
        "favicon.ico",
        "health",
        "hooks",
        "join",
        "leave",
        "media",
        "never",
        "rejoin",
        "robots.txt",
        "static",
        "view",
        "webmention",
    }
)
"""With what the paths of our own pages begin."""


def refuse_conflicts(legacy_lists: Sequence[LegacyList]) -> None:
    """Raise SettingsRefused where a path is one of our own pages, or two tables claim the same link or address."""
    for one in legacy_lists:
        for path in one.paths:
            if path.split("/")[1].casefold() in OWN_SEGMENTS:
                raise SettingsRefused(f"[[legacy]] {one.list_name}: the path {path} is one of our own pages")
    for one, other in combinations(legacy_lists, 2):
        _refuse_conflict(one, other)


def _refuse_conflict(one: LegacyList, other: LegacyList) -> None:
    both = f"[[legacy]] {one.list_name} ({one.software}) and {other.list_name} ({other.software})"
    if one.software is not other.software:
        for path in one.paths:
            for its in other.paths:
                if f"{path}/".startswith(f"{its}/") or f"{its}/".startswith(f"{path}/"):
                    raise SettingsRefused(f"{both} share links below {path}: give one of them other `paths`")
    elif one.name.casefold() == other.name.casefold():
        raise SettingsRefused(f"{both} are both called {one.name} in old links: give each its own `name`")
    shared = {address.casefold() for address in one.addresses} & {address.casefold() for address in other.addresses}
    if shared:
        raise SettingsRefused(f"{both} share the address {min(shared)}: leave it to one of them")
