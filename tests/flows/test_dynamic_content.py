"""A campaign whose text depends on the person, from the file to the letters."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.app import App
from mailer.errors import CampaignFileRefused
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    ROSA,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay

TEXT = """---
subject: Tea
---
{% if language == "de" %}Guten Tag{% else %}Hello{% endif %}, {{ name or "friend" }}{% if not name %}: who?{% endif %}

"""


async def test_each_reader_gets_what_the_conditions_say(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,de", f"{EMMA},Emma,en", "nameless@example.org,,")

    await launch_campaign(app, **{"tea.md": TEXT})
    await send_campaigns(app)

    texts = {letter.recipient: text_of(letter) for letter in relay.letters}
    assert "Guten Tag, Rosa\r\n" in texts[ROSA]
    assert "Hello, Emma\r\n" in texts[EMMA]
    assert "Hello, friend: who?\r\n" in texts["nameless@example.org"]


async def test_a_condition_that_fails_for_somebody_is_told_when_the_file_is_handed_in(app: App) -> None:
    await open_list(app)

    with pytest.raises(
        CampaignFileRefused, match=r"tea\.md: line 6: list object has no element 1 \(for a reader of whom"
    ):
        await new_campaign(app, ADMIN, list_name="appeals", texts={"tea.md": f"{TEXT}{{{{ name.split()[1] }}}}\n"})
