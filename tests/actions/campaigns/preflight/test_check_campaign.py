"""A campaign is checked before it is sent: each rule is tripped by one campaign, and not by the one beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mailer.actions.accounts.organisers import give_role
from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.preflight import render_readers
from mailer.actions.campaigns.preflight.check_campaign import QUICK, WHOLE, CheckScope, check_campaign
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Role
from mailer.domain.letters.preflight import PreflightReport, PreflightRule, PreflightSeverity
from mailer.errors import CampaignFileRefused, CheckFailed, NotFound, WrongState
from mailer.mail.dkim.dns_record import format_key_record
from mailer.mail.dkim.signing import Signer
from mailer.network.link_check import LinkClient
from mailer.settings.spam_check_table import SpamCheckSettings
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    DOMAIN,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
)
from tests.support.dns_zone import Zone
from tests.support.fake_relay import FakeRelay
from tests.support.fake_spam_filters import fake_rspamd, fake_spamd, rspamd_answer, spamd_answer
from tests.support.fake_web_server import FakeWebServer, http_answer

BLOCKING, WARNING, FINE = PreflightSeverity
TEA = "---\nsubject: Tea\n---\nHello {{ name or 'you' }}, come to tea in the old barn.\n"
TURKISH = "---\nsubject: Çay\nlanguage: tr\n---\nMerhaba {{ name or '' }}, eski ambara çaya gel.\nMerhaba\n"
# Of the readers for whom it is rehearsed none has a name of three letters.
ODD = "---\nsubject: Tea\n---\nHello{% if name|length == 3 %} {{ name.split(' ')[1] }}{% endif %}, come.\n"
LINKS = "---\nsubject: Tea\n---\nCome: [here](https://forum.example.org/{}), [there](https://forum.example.org/ok).\n"
PEOPLE = (f"{ROSA},Rosa,en", "emma@example.org,Ema,en", "leyla@example.org,Lea,en", "zoe@example.org,Zoe,")
HOST = "forum.example.org"


@pytest.fixture
async def house(app: App) -> App:
    """Ada's list, with four readers and a postal address."""
    await open_list(app)
    await set_list(app, ADMIN, "appeals", postal_address="Seed Circle, Mill Lane 3, Cologne")
    await import_rows(app, *PEOPLE)
    return app


async def draft(app: App, *texts: str) -> int:
    named = {f"{place}.md": text for place, text in enumerate(texts or (APPEAL,))}
    return await new_campaign(app, ADMIN, list_name="appeals", texts=named)


async def check(app: App, campaign_id: int, scope: CheckScope = WHOLE, who: Actor = ADMIN) -> PreflightReport:
    return await check_campaign(app, who, campaign_id, scope)


def messages(report: PreflightReport, rule: PreflightRule) -> list[tuple[str, str]]:
    """(severity, message) of what is not in order."""
    return [(one.severity.value, one.message) for one in report.results if one.rule is rule and one.severity != FINE]


async def test_a_campaign_in_order_has_one_warning_and_says_what_was_not_looked_at(house: App) -> None:
    report = await check(house, await draft(house))

    wrong = [(one.rule, one.message) for one in report.results if one.severity is not FINE]
    assert wrong == [(PreflightRule.DKIM, f"the letter is not signed: no [[dkim]] signs for {DOMAIN}")]
    assert (report.blocks, report.readers) == (False, 4)
    looked_at = {one.rule for one in report.results}
    assert looked_at >= {PreflightRule.TEXT, PreflightRule.AUDIENCE, PreflightRule.SIZE, PreflightRule.CONTRAST}
    assert looked_at >= {PreflightRule.HEADER, PreflightRule.LINK, PreflightRule.FOOTER, PreflightRule.RELAY}
    assert [one.partition(":")[0] for one in report.left_out] == [
        "DKIM, SPF, DMARC, MX and PTR in the DNS",
        "a spam filter's score",
        "whether links of the letters answer",
    ]


async def test_mistakes_and_doubts_of_each_text_are_told_with_their_line(house: App) -> None:
    number = await draft(house, TEA, TURKISH.replace("ba\n", "ba, TK\n"))
    saved = await load_draft(house, ADMIN, number, "en")
    text = saved.text.replace("come to", "come [by](http://example.org) to")
    await save_draft(house, ADMIN, number, "en", version=saved.version, text=text)

    report = await check(house, number)

    [error] = [one for one in report.results if one.rule is PreflightRule.TEXT and one.severity is BLOCKING]
    [doubt] = [one for one in report.results if one.rule is PreflightRule.DOUBT]
    assert (error.edition, error.line) == ("en", text[: text.index("http://example.org")].count("\n") + 1)
    assert (doubt.edition, doubt.line, doubt.message) == ("tr", 6, "TK was left in the text")
    assert report.results[0] == error


async def test_the_letter_of_every_reader_is_written_and_the_first_that_cannot_be_is_named(
    house: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_readers, "CHUNK", 2)
    number = await draft(house, ODD)

    report = await check(house, number)
    seen: list[int] = []
    await check_campaign(house, ADMIN, number, WHOLE, seen.append)

    assert messages(report, PreflightRule.RECIPIENT) == [
        (
            "blocking",
            "the letter for emma@example.org (and 2 others) cannot be written: list object has no element 1",
        )
    ]
    assert seen == [2, 4]
    [counted] = [one.message for one in report.results if one.rule is PreflightRule.LETTERS]
    assert counted.startswith("letters that can be written: 1 of 4, ")


async def test_who_may_not_see_people_is_not_told_whose_letter_it_is(house: App) -> None:
    viewer = await give_role(house, ADMIN, "vera@example.org", Role.VIEWER, list_name="appeals")
    number = await draft(house, ODD)

    vera = Actor(name=viewer.address, door=Door.CONSOLE, grants=viewer.grants, organiser_id=viewer.id)
    report = await check(house, number, who=vera)

    [(_, message)] = messages(report, PreflightRule.RECIPIENT)
    assert message.startswith("the letter for … (and 2 others)")


async def test_editions_that_are_missing_or_older_than_their_source_are_told(house: App) -> None:
    await import_rows(house, "mehmet@example.org,Mehmet,tr")
    number = await draft(house, TEA, TURKISH)
    alone = await draft(house)
    saved = await load_draft(house, ADMIN, number, "en")
    await save_draft(house, ADMIN, number, "en", version=saved.version, text=saved.text + "\nAnd tea.\n")

    stale, missing = await check(house, number), await check(house, alone)

    behind = "en was changed after this edition; bring tr up to date, then say so"
    assert messages(stale, PreflightRule.EDITION) == [("warning", behind)]
    assert messages(missing, PreflightRule.EDITION) == [
        ("warning", "readers of tr get en, as there is no such edition: 1")
    ]


async def test_what_all_editions_have_in_common_stands_once(house: App) -> None:
    both, alone = await check(house, await draft(house, TEA, TURKISH)), await check(house, await draft(house, TEA))

    unsigned = [[one.edition for one in report.results if one.rule is PreflightRule.DKIM] for report in (both, alone)]
    sizes = [one.edition for one in both.results if one.rule is PreflightRule.SIZE]
    assert unsigned == [[None], ["en"]]
    assert sizes == ["en", "tr"]


async def test_an_audience_of_nobody_blocks_and_one_that_changed_much_is_a_warning(app: App, clock: Clock) -> None:
    await open_list(app)
    nobody = await check(app, await draft(app))
    await import_rows(app, *(f"reader{number}@example.org,,en" for number in range(20)))
    await launch_campaign(app)
    clock.advance(days=1)
    same = await check(app, await draft(app))
    await import_rows(app, *(f"more{number}@example.org,,en" for number in range(11)))
    grown = await check(app, await draft(app))

    assert messages(nobody, PreflightRule.AUDIENCE) == [
        ("blocking", "nobody would get it: the list has no confirmed reader")
    ]
    assert messages(same, PreflightRule.AUDIENCE) == []
    assert messages(grown, PreflightRule.AUDIENCE) == [
        ("warning", "31 people would get it, 55% more than campaign 2 (20)")
    ]


async def test_letters_without_a_postal_address_are_a_warning(app: App) -> None:
    await open_list(app)

    [(severity, message)] = messages(await check(app, await draft(app)), PreflightRule.FOOTER)

    assert (severity, "no postal address" in message) == ("warning", True)


async def test_a_relay_that_is_away_or_takes_smaller_letters_only_blocks(house: App, relay: FakeRelay) -> None:
    number = await draft(house)
    assert messages(await check(house, number), PreflightRule.RELAY) == []

    relay.offers = ("SIZE 5000",)
    [(small, why)] = messages(await check(house, number), PreflightRule.RELAY)
    relay.stop_listening()
    [(away, _)] = messages(await check(house, number), PreflightRule.RELAY)

    assert (small, away) == ("blocking", "blocking")
    assert "takes letters of 5000 octets at most" in why
    assert relay.letters == []


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_relay_with_a_certificate_that_nobody_signed_blocks(house: App, tls: str) -> None:
    async with FakeRelay(tls=tls) as secure:
        named = replace(house.relays[0], port=secure.port, tls=tls)  # type: ignore[arg-type]
        report = await check(replace(house, relays=(named,)), await draft(house))
        [(severity, message)] = messages(report, PreflightRule.RELAY)

    assert severity == "blocking"
    assert "certificate" in message


async def test_a_spam_filter_that_is_named_is_asked_for_each_edition(house: App) -> None:
    number = await draft(house, TEA, TURKISH)
    grave, spam = spamd_answer(2.8, DEAR_FRIEND=2.7), rspamd_answer(16, R_BAD=16)
    async with (
        fake_spamd(grave) as spamd,
        fake_rspamd(spam) as rspamd,
    ):
        table = SpamCheckSettings(spamassassin=f"127.0.0.1:{spamd.port}", rspamd=f"http://127.0.0.1:{rspamd.port}")
        asking = replace(house, spam_check=table)
        found = messages(await check(asking, number), PreflightRule.SPAM)
        await check(asking, number, QUICK)

    assert len(spamd.letters) == len(rspamd.letters) == 2
    assert found == [
        ("blocking", "rspamd gives it 16 of the 15 points of spam: R_BAD 16"),
        ("blocking", "rspamd gives it 16 of the 15 points of spam: R_BAD 16"),
        ("warning", "SpamAssassin gives it 2.8 of the 5 points of spam: DEAR_FRIEND 2.7"),
        ("warning", "SpamAssassin gives it 2.8 of the 5 points of spam: DEAR_FRIEND 2.7"),
    ]
    assert b"/leave/" in spamd.letters[0]
    assert not any(one.encode() in letter for one in ("emma@", "zoe@") for letter in spamd.letters[1:])


async def test_a_spam_filter_that_is_away_is_a_warning(house: App) -> None:
    async with fake_spamd(b"") as spamd:
        table = SpamCheckSettings(spamassassin=f"127.0.0.1:{spamd.port}")
    found = messages(await check(replace(house, spam_check=table), await draft(house)), PreflightRule.SPAM)

    assert [severity for severity, _ in found] == ["warning"]


@pytest.fixture
async def web() -> AsyncIterator[FakeWebServer]:
    async with FakeWebServer(HOST) as server:
        server.answers["/ok"] = http_answer(b"Come!")
        server.answers["/old"] = http_answer(b"", "301 Moved", "Location: /ok")
        server.answers["/broken"] = http_answer(b"", "500 Broken")
        yield server


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("ok", []),
        ("old", []),
        ("gone", [("blocking", f"https://{HOST}/gone answers 404: there is no such page")]),
        ("broken", [("warning", f"https://{HOST}/broken answers 500")]),
    ],
)
async def test_links_are_asked_when_one_wants_it(
    house: App, web: FakeWebServer, path: str, found: list[tuple[str, str]]
) -> None:
    async def resolve(_host: str, _port: int) -> Sequence[tuple[str, int]]:
        return [("127.0.0.1", web.port)]

    number = await draft(house, LINKS.format(path))
    await check(house, number)
    assert web.requests == []

    asked = CheckScope(links=True, link_client=LinkClient(resolve=resolve, make_ssl_context=web.make_ssl_context))

    assert messages(await check(house, number, asked), PreflightRule.LINK) == found


@pytest.fixture(scope="module")
def signer() -> Signer:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Signer(domain="lists.unser-verein.de", selector="mailer", key=key)


def real_house(app: App, zone: Zone, signer: Signer) -> App:
    """The house with names of its own, so that the DNS is asked."""
    named = {"name": "Unser Verein", "domain": "lists.unser-verein.de", "owner": "ada@unser-verein.de"}
    site = replace(app.site, url="https://lists.unser-verein.de", signed=True, **named)  # type: ignore[arg-type]
    return replace(app, dns=zone.dns(), site=site, signers=(signer,))


def zone_of(signer: Signer, **changed: list[str]) -> Zone:
    text = format_key_record(signer)
    records = {
        f"{signer.record_name}. TXT": [" ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))],
        "lists.unser-verein.de. TXT": ['"v=spf1 mx ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"'],
        "lists.unser-verein.de. MX": ["10 mail.unser-verein.de."],
        "mail.unser-verein.de. A": ["203.0.113.25"],
        "_dmarc.lists.unser-verein.de. TXT": ['"v=DMARC1; p=none"'],
    }
    return Zone({key: changed.get(key.partition(".")[0], data) for key, data in records.items()})


async def test_what_receivers_look_up_is_looked_up(house: App, signer: Signer) -> None:
    number = await draft(house)
    async with zone_of(signer) as zone:
        report = await check(real_house(house, zone, signer), number)

    for rule in (PreflightRule.DKIM, PreflightRule.SPF, PreflightRule.DMARC, PreflightRule.MX):
        assert messages(report, rule) == [], rule
        assert any(one.rule is rule for one in report.results)


@pytest.mark.parametrize(
    ("name", "data", "rule", "severity"),
    [
        ("mailer", [], PreflightRule.DKIM, "blocking"),
        ("mailer", ['"v=DKIM1; k=rsa; p="'], PreflightRule.DKIM, "blocking"),
        ("lists", [], PreflightRule.SPF, "blocking"),
        ("_dmarc", [], PreflightRule.DMARC, "warning"),
        ("_dmarc", ['"v=DMARC1; p=reject; adkim=r"'], PreflightRule.DMARC, None),
    ],
)
async def test_a_record_that_is_missing_or_wrong_is_told(
    house: App, signer: Signer, name: str, data: list[str], rule: PreflightRule, severity: str | None
) -> None:
    number = await draft(house)
    async with zone_of(signer, **{name: data}) as zone:
        found = messages(await check(real_house(house, zone, signer), number), rule)

    assert {one for one, _ in found} == ({severity} if severity else set())


async def test_the_quick_part_asks_nobody(house: App, relay: FakeRelay, signer: Signer) -> None:
    number = await draft(house)
    async with zone_of(signer) as zone:
        report = await check(real_house(house, zone, signer), number, QUICK)
        assert zone.queries == []

    assert relay.connections == 0
    assert (report.readers, report.blocks) == (4, False)
    assert len(report.left_out) == 1


async def test_scheduling_is_refused_for_what_blocks_unless_there_is_a_reason(house: App) -> None:
    number = await draft(house, "---\nsubject: Tea\n---\nUse `*|FNAME|*` in it.\n")
    hour = {"local_time": "2027-03-02T09:00", "zone": "UTC"}

    with pytest.raises(CheckFailed, match=r"“\*\|FNAME\|\*” was left in the letter.*--anyway REASON"):
        await schedule(house, ADMIN, number, **hour)
    with pytest.raises(WrongState, match="why"):
        await schedule(house, ADMIN, number, anyway="  ", **hour)
    scheduled = await schedule(house, ADMIN, number, anyway=" It is  about\nMailchimp. ", **hour)
    moved = await send_now(house, ADMIN, number, wait_s=60, anyway="Still about Mailchimp.")

    assert scheduled.anyway_reason == "It is about Mailchimp."
    assert (moved.anyway, moved.anyway_reason) == (True, "Still about Mailchimp.")


async def test_no_reason_lets_a_letter_pass_that_cannot_be_written(house: App) -> None:
    number = await draft(house, ODD)
    broken = await draft(house)
    saved = await load_draft(house, ADMIN, broken, "en")
    await save_draft(house, ADMIN, broken, "en", version=saved.version, text=saved.text.replace("bring", "{{ x }}"))

    with pytest.raises(CheckFailed, match=r"emma@example.org.*Mend it$"):
        await send_now(house, ADMIN, number, wait_s=0, anyway="We know them all.")
    with pytest.raises(CampaignFileRefused):
        await send_now(house, ADMIN, broken, wait_s=0, anyway="We know them all.")


async def test_no_such_campaign_is_not_found(app: App) -> None:
    with pytest.raises(NotFound):
        await check(app, 99)
