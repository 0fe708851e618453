"""The launch checks again what time may have changed; what blocks pauses the campaign, and says what helps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import pause, resume
from mailer.actions.campaigns.preflight import check_launch
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.letters.preflight import PreflightResult
from mailer.errors import WrongState
from mailer.mail.dkim.signing import Signer
from mailer.settings.spam_check_table import SpamCheckSettings
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    ROSA,
    import_rows,
    launch_campaign,
    open_list,
    recipients,
    send_campaigns,
)
from tests.support.dns_zone import Zone
from tests.support.fake_relay import FakeRelay
from tests.support.fake_spam_filters import fake_spamd, spamd_answer

TURKISH = "---\nsubject: Çay\nlanguage: tr\n---\nMerhaba {{ name or '' }}, eski ambara çaya gel.\n"
TEA = "---\nsubject: Tea\n---\nHello {{ name or 'you' }}, come to tea in the old barn.\n"


@pytest.fixture
async def house(app: App) -> App:
    """Ada's list, with two readers."""
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,tr")
    return app


async def state_of(app: App, campaign_id: int) -> Campaign:
    return (await campaign_status(app, ADMIN, campaign_id)).campaign


async def test_what_a_spam_filter_calls_spam_is_held_until_there_is_a_reason(house: App, relay: FakeRelay) -> None:
    async with fake_spamd(spamd_answer(7.1, BAD_WORDS=7.1)) as spamd:
        asking = replace(house, spam_check=SpamCheckSettings(spamassassin=f"127.0.0.1:{spamd.port}"))
        number = await launch_campaign(asking)
        await send_campaigns(asking)
        held, sent = await state_of(asking, number), list(relay.letters)
        with pytest.raises(WrongState, match="why"):
            await resume(asking, ADMIN, number, anyway=" ")
        await resume(asking, ADMIN, number)
        await launch_due(asking)
        still = await state_of(asking, number)
        resumed = await resume(asking, ADMIN, number, anyway="We wrote to them.")
        await launch_due(asking)
        await send_campaigns(asking)

    assert (held.state, held.checked_at, sent) == (CampaignState.PAUSED, None, [])
    assert held.remark == (
        "not sent: en: SpamAssassin gives it 7.1 of the 5 points of spam: BAD_WORDS 7.1 (Change what these rules "
        f"name.). Mend that, then `mailer campaign resume {number}`; or resume it with --anyway REASON"
    )
    assert still.state is CampaignState.PAUSED, "it is checked again, not let through"
    assert (resumed.state, resumed.anyway_reason) == (CampaignState.LAUNCHING, "We wrote to them.")
    assert sorted(recipients(relay)) == [EMMA, ROSA]
    assert len(spamd.letters) == 2, "with a reason nobody is asked"


async def test_a_key_that_is_not_published_holds_a_launch(house: App, relay: FakeRelay) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signer = Signer(domain="lists.unser-verein.de", selector="mailer", key=key)
    named = {"name": "Unser Verein", "domain": "lists.unser-verein.de", "owner": "ada@unser-verein.de"}
    site = replace(house.site, url="https://lists.unser-verein.de", signed=True, **named)
    records = {
        "lists.unser-verein.de. TXT": ['"v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"'],
        "lists.unser-verein.de. MX": ["10 mail.unser-verein.de."],
        "mail.unser-verein.de. A": ["203.0.113.25"],
    }
    async with Zone(records) as zone:
        number = await launch_campaign(replace(house, dns=zone.dns(), site=site, signers=(signer,)))
        held = await state_of(house, number)

    assert held.state is CampaignState.PAUSED
    assert "dkim mailer._domainkey.lists.unser-verein.de: there is no TXT record" in (held.remark or "")


async def test_a_filter_or_name_server_that_does_not_answer_holds_nothing(house: App) -> None:
    async with fake_spamd(b"") as spamd:
        away = SpamCheckSettings(spamassassin=f"127.0.0.1:{spamd.port}")

    number = await launch_campaign(replace(house, spam_check=away))

    launched = await state_of(house, number)
    assert (launched.state, launched.checked_at) == (CampaignState.SENDING, house.clock())


async def test_a_check_that_breaks_holds_nothing(house: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> tuple[list[PreflightResult], list[str]]:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(check_launch, "check_spam", broken)

    assert (await state_of(house, await launch_campaign(house))).state is CampaignState.SENDING


async def test_a_campaign_that_passed_goes_on_at_once_when_it_is_resumed(house: App) -> None:
    number = await launch_campaign(house)
    await pause(house, ADMIN, number)

    assert (await resume(house, ADMIN, number)).state is CampaignState.SENDING


async def test_every_edition_and_language_is_looked_at_though_few_readers_are(
    house: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter without conditions is tried for one reader of each language; the rest of the audience is alike."""
    monkeypatch.setattr(check_launch, "_CHUNK", 1)
    seen: list[tuple[str, str | None]] = []
    checked = check_launch.check_letters

    def spy(app: App, tally: check_launch.LetterTally) -> check_launch.CheckedLetters:
        seen.extend((one.edition, one.first.language) for one in tally.kinds.values())
        return checked(app, tally)

    monkeypatch.setattr(check_launch, "check_letters", spy)
    await import_rows(house, "jo@example.org,Jo,de", "sam@example.org,Sam,")
    number = await new_campaign(house, ADMIN, list_name="appeals", texts={"en.md": TEA, "tr.md": TURKISH})
    await send_now(house, ADMIN, number, wait_s=0)
    await launch_due(house)

    assert {edition for edition, _ in seen} == {"en", "tr"}
    assert {language for _, language in seen} >= {"en", "tr", "de"}


async def test_nobody_in_the_audience_is_no_obstacle_to_a_launch(app: App) -> None:
    await open_list(app)
    number = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": APPEAL})
    await send_now(app, ADMIN, number, wait_s=0)
    await launch_due(app)

    assert (await state_of(app, number)).state in {CampaignState.SENDING, CampaignState.SENT}
