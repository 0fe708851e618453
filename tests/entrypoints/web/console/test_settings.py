"""Settings: sending, and the audit log in words."""

from __future__ import annotations

import pytest

from mailer.actions.accounts.organisers import give_role
from mailer.app import App
from mailer.domain.accounts.actor import Door
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Role
from mailer.store.accounts import audit_log
from tests.support.app_helpers import ADMIN, BEA, ROOT
from tests.support.console_client import ConsoleClient

SETTINGS = "/console/settings"


async def test_sending_shows_relays_and_keys_and_checks_again(app: App, ada: ConsoleClient) -> None:
    page = (await ada.get(f"{SETTINGS}/sending")).text
    assert "not checked yet" in page
    assert str(app.relays[0]) in page
    assert "Letters are not signed" in page

    checked = await ada.send_form(f"{SETTINGS}/sending/check")
    assert checked.headers["location"] == f"{SETTINGS}/sending?done=checked"

    page = (await ada.get(f"{SETTINGS}/sending")).text
    assert f"relay {app.relays[0]}" in page
    assert "again every ten minutes" in page


async def test_sending_is_for_site_owners(emma: ConsoleClient) -> None:
    assert (await emma.get(f"{SETTINGS}/sending")).status_code == 403
    assert (await emma.send_form(f"{SETTINGS}/sending/check")).status_code == 403
    page = (await emma.get(SETTINGS)).text
    assert f"{SETTINGS}/organisers" in page
    assert f"{SETTINGS}/sending" not in page


async def test_the_audit_log_says_who_did_what_and_pages_on(app: App, ada: ConsoleClient) -> None:
    for number in range(60):
        await give_role(app, ADMIN, f"person{number}@example.org", Role.VIEWER, list_name="appeals")

    first = (await ada.get(f"{SETTINGS}/audit")).text
    assert "added an organiser" in first
    assert "unix user ada" in first
    assert "person59@example.org" in first
    after = first.split("after=")[1].split('"')[0]
    second = (await ada.get(f"{SETTINGS}/audit?after={after}")).text

    assert "person0@example.org" in second
    assert "person59@example.org" not in second
    assert (await ada.get(f"{SETTINGS}/audit?after=nothing")).status_code == 404


async def test_a_list_owner_sees_the_lines_of_her_list_only(app: App, emma: ConsoleClient) -> None:
    await give_role(app, ADMIN, BEA, Role.VIEWER, list_name="news")

    page = await emma.get(f"{SETTINGS}/audit")

    assert "emma@example.org" in page.text
    assert BEA not in page.text
    assert (await emma.get(f"{SETTINGS}/audit?list=news")).status_code == 403


@pytest.mark.parametrize("act", Act)
def test_every_act_and_door_has_words(act: Act) -> None:
    text = (ROOT / "templates" / "console" / "audit_words.html.j2").read_text()

    assert f'  "{act}": _("' in text
    assert all(f'"{door}": _("' in text for door in Door)


async def test_an_act_of_a_later_version_is_shown_as_it_is(app: App, ada: ConsoleClient) -> None:
    def work(tx: object) -> None:
        audit_log.record(
            tx,  # type: ignore[arg-type]
            ADMIN,
            "fly to the moon",  # type: ignore[arg-type]
            subject="rocket <1>",
            before={"height": 1, "crew": ["a", "b"]},
            after={"height": None, "fuel": {"kind": "hope"}, "ready": True},
            now=app.clock(),
        )

    await app.database.write(work)

    page = (await ada.get(f"{SETTINGS}/audit")).text

    assert "fly to the moon" in page
    assert "rocket &lt;1&gt;" in page
    assert "kind hope" in page
