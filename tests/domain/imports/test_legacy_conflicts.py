"""Tables of lists that moved here, and what they must not claim."""

from __future__ import annotations

import pytest
from starlette.routing import Route

from mailer.app import App
from mailer.domain.imports.legacy_conflicts import OWN_SEGMENTS, refuse_conflicts
from mailer.domain.imports.legacy_list import LINK_PREFIXES, LegacyList, LegacySoftware
from mailer.entrypoints.web.application import web_app
from mailer.entrypoints.web.public.token_pages import PURPOSES
from mailer.errors import SettingsRefused


def legacy(software: LegacySoftware, *paths: str, name: str = "talk", address: str = "talk@old.example") -> LegacyList:
    """A list that moved here."""
    return LegacyList(
        list_name="appeals",
        software=software,
        name=name,
        addresses=(address,),
        paths=paths or LINK_PREFIXES[software],
    )


def test_all_usual_paths_stand_beside_each_other() -> None:
    refuse_conflicts([legacy(one, address=f"{one}@old.example") for one in LegacySoftware])


@pytest.mark.parametrize("path", ["/join", "/archive/talk", "/Console", "/static", "/leave"])
def test_our_own_pages_are_refused(path: str) -> None:
    with pytest.raises(SettingsRefused, match=f"appeals: the path {path} is one of our own pages"):
        refuse_conflicts([legacy(LegacySoftware.OTHER, path)])


def test_two_tables_with_the_same_links_or_addresses_are_refused() -> None:
    phplist, other = legacy(LegacySoftware.PHPLIST), legacy(LegacySoftware.OTHER, "/lists/old", address="x@old.example")
    mailman = legacy(LegacySoftware.MAILMAN21)

    with pytest.raises(SettingsRefused, match="share links below /lists"):
        refuse_conflicts([phplist, other])
    with pytest.raises(SettingsRefused, match="both called talk"):
        refuse_conflicts([mailman, mailman])
    with pytest.raises(SettingsRefused, match="share the address talk@old"):
        refuse_conflicts([mailman, legacy(LegacySoftware.SYMPA, address="Talk@old.example")])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_our_own_pages_are_all_known(app: App) -> None:
    first = {route.path.split("/")[1] for route in web_app(app).routes if isinstance(route, Route)}

    assert (first - {"", "{way}"}) | set(PURPOSES) <= OWN_SEGMENTS
