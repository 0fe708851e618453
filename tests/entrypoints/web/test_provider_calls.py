"""POST /hooks/PROVIDER: a verified call's events are recorded once; any other call changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from mailer.actions.subscriptions.restore_person import restore_person
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.network.sns_client import SnsClient
from mailer.store.people_tables import returned
from tests.support.app_helpers import ADMIN, EMMA, ROSA, import_rows, launch_campaign, open_list, send_campaigns
from tests.support.fake_web_server import FakeWebServer, http_answer
from tests.support.provider_calls import (
    CERTIFICATE,
    SNS_HOST,
    ProviderKeys,
    brevo_bounce,
    certificate,
    mailgun_failed,
    mailjet_bounce,
    pem,
    postmark_bounce,
    sendgrid_bounce,
    ses_bounce,
)
from tests.support.running_service import RunningService, running_service

PROVIDERS, MALLORYS = ProviderKeys(), ProviderKeys()
CERTIFICATE_PATH = CERTIFICATE.removeprefix(f"https://{SNS_HOST}")
COMPLAINTS: dict[str, Any] = {
    "ses": {"notificationType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": ROSA}]}},
    "mailgun": mailgun_failed(event="complained"),
    "postmark": postmark_bounce(RecordType="SpamComplaint", kind="SpamComplaint"),
    "sendgrid": [sendgrid_bounce(event="spamreport")],
    "brevo": brevo_bounce(event="spam"),
    "mailjet": [mailjet_bounce(event="spam")],
}


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite: the database is not the point."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mailer.db')}"


@pytest.fixture
async def amazon() -> AsyncIterator[FakeWebServer]:
    """Its SNS server, with the certificate."""
    async with FakeWebServer(SNS_HOST) as running:
        running.answers[CERTIFICATE_PATH] = http_answer(pem(certificate(PROVIDERS.sns)))
        yield running


@pytest.fixture
async def service(app: App, amazon: FakeWebServer) -> AsyncIterator[RunningService]:
    """The running service; Rosa and Emma have been sent a letter."""
    app = replace(app, providers=PROVIDERS.providers, sns=SnsClient(amazon.fetch()))
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    await launch_campaign(app)
    await send_campaigns(app)
    async with running_service(app) as running:
        yield running


async def posted(service: RunningService, provider: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    return (await service.browser.post(f"/hooks/{provider}", content=body, headers=headers)).status_code


async def called(service: RunningService, provider: str, payload: Any) -> int:
    return await posted(service, provider, *PROVIDERS.call(provider, payload))


async def state_of(service: RunningService, address: str = ROSA) -> str:
    return str((await show_person(service.app, ADMIN, address)).subscriptions["appeals"])


async def came_back(service: RunningService) -> list[tuple[str, str, str]]:
    """What is written down: kind, weight and way."""

    def work(tx: Connection) -> list[tuple[str, str, str]]:
        found = tx.execute(select(returned.c.kind, returned.c.weight, returned.c.way).order_by(returned.c.way))
        return [(str(row.kind), str(row.weight), str(row.way)) for row in found]

    return await service.app.database.read(work)


async def letter_to(service: RunningService, address: str) -> int:
    """The number of the letter that somebody was sent."""

    def work(tx: Connection) -> int:
        sql = "SELECT d.id FROM delivery d JOIN subscription s ON s.id = d.subscription_id JOIN subscriber p"
        return int(
            tx.execute(text(f"{sql} ON p.id = s.subscriber_id WHERE p.address = :a"), {"a": address}).scalar_one()
        )

    return await service.app.database.read(work)


async def test_a_complaint_at_any_provider_stops_the_letters(service, relay):
    readers = {provider: f"{provider}@example.org" for provider in COMPLAINTS}
    await import_rows(service.app, *(f"{reader},," for reader in readers.values()))
    await launch_campaign(service.app)
    service.app.wakeups.notify_all()
    await relay.wait_for(4 + len(readers))
    payload = {one: json.loads(json.dumps(COMPLAINTS[one]).replace(ROSA, reader)) for one, reader in readers.items()}

    answered = [await called(service, one, payload[one]) for one in (*payload, *payload)]

    assert answered == [200] * 12
    assert {await state_of(service, reader) for reader in readers.values()} == {"unsubscribed"}
    assert await state_of(service, EMMA) == "confirmed"
    assert await came_back(service) == [("complaint", "ignore", provider) for provider in sorted(readers)]


async def test_bounces_are_recorded_whatever_names_the_delivery(service):
    letter = await letter_to(service, EMMA)
    path, message_id = service.app.site.return_path(letter), service.app.site.message_id(letter)

    answered = [
        await called(service, "ses", ses_bounce("elsewhere@example.net", source=path)),
        await called(
            service, "mailgun", mailgun_failed(EMMA, sender="x@mg.example", message_id=message_id.strip("<>"))
        ),
        await called(service, "sendgrid", [sendgrid_bounce(EMMA, message_id=message_id)]),
        await called(
            service, "brevo", [brevo_bounce(ROSA, message_id="<a@shop.example>"), brevo_bounce("x@y.example")]
        ),
        await called(service, "mailjet", [mailjet_bounce(ROSA), mailjet_bounce(ROSA, event="open")]),
        await called(service, "postmark", postmark_bounce("nobody@example.net")),
    ]

    assert answered == [200] * 6
    # Three tell of Emma's letter, which is one thing that came back.
    assert await came_back(service) == [("bounce", "hard", "mailjet"), ("bounce", "hard", "ses")]


async def test_forged_calls_are_refused_and_change_nothing(service):
    for provider, payload in COMPLAINTS.items():
        body, headers = MALLORYS.call(provider, payload)
        if provider == "mailgun":
            body = body.replace(b'"signature": "', b'"signature": "0')
        headers.pop("authorization", None)

        assert await posted(service, provider, body, headers) == 403
    assert await state_of(service) == "confirmed"
    assert await came_back(service) == []


async def test_mailguns_signature_with_another_body_is_refused(service):
    honest = PROVIDERS.mailgun(mailgun_failed(event="delivered"))
    forged = PROVIDERS.mailgun(COMPLAINTS["mailgun"])

    answered = [await posted(service, "mailgun", body) for body in (honest, forged, honest)]

    assert answered == [200, 403, 200]
    assert await state_of(service) == "confirmed"


async def test_old_signatures_and_old_events_are_refused(service, clock):
    calls = {provider: PROVIDERS.call(provider, payload) for provider, payload in COMPLAINTS.items()}
    clock.advance(hours=26)

    assert [await posted(service, provider, *call) for provider, call in calls.items()] == [403] * 6
    assert await state_of(service) == "confirmed"


@pytest.mark.parametrize("again", [{"hours": 20}, {"hours": 40}])
async def test_a_call_repeated_after_a_restart_ends_no_later_subscription(service, clock, again):
    old = PROVIDERS.call("mailjet", COMPLAINTS["mailjet"])
    first = await posted(service, "mailjet", *old)
    await restore_person(service.app, ADMIN, ROSA, list_name="appeals")
    clock.advance(**again)
    await launch_campaign(service.app)
    await send_campaigns(service.app)
    service.app.known_calls.forget(f"mailjet {hashlib.sha256(old[0]).hexdigest()}")

    second = await posted(service, "mailjet", *old)

    assert (first, second) == (200, 200 if again["hours"] < 25 else 403)
    assert await state_of(service) == "confirmed"


async def test_old_events_in_a_group_are_skipped(service):
    old, new = mailjet_bounce(EMMA, event="spam", time=1803887978 - 30 * 3600), mailjet_bounce(ROSA, event="spam")

    assert await called(service, "mailjet", [old, new]) == 200
    assert [await state_of(service, address) for address in (ROSA, EMMA)] == ["unsubscribed", "confirmed"]


async def test_garbage_is_answered_with_400_or_403(service):
    login = PROVIDERS.call("brevo", {})[1]
    garbage = [b"", b"{", b"[1, 2", b"\xff\xfe", b"[" * 200_000]
    other_things = [b"null", b"7", b'"x"', b"{}", b"[]"]

    for body in (*garbage, *other_things):
        unauthenticated = (posted(service, provider, body) for provider in ("ses", "mailgun"))
        proven = (posted(service, provider, body, login) for provider in ("postmark", "brevo", "mailjet"))
        signed = posted(service, "sendgrid", body, PROVIDERS.sendgrid_headers(body))

        assert await asyncio.gather(*unauthenticated) == [400, 400]
        assert await asyncio.gather(*proven, signed) == [400 if body in garbage else 200] * 4


async def test_an_unconfigured_provider_and_another_method_are_404(service):
    found = [await service.browser.get("/hooks/mailgun"), await service.browser.post("/hooks/pigeon", content=b"{}")]

    assert [answer.status_code for answer in found] == [404, 404]


async def test_a_call_with_many_events_is_accepted_and_an_endless_one_is_not(service):
    many = [sendgrid_bounce(f"person{number}@example.org", event="delivered") for number in range(2000)]

    answered = [
        await called(service, "sendgrid", [*many, *COMPLAINTS["sendgrid"]]),
        await posted(service, "sendgrid", b"x" * (2**20 + 1)),
    ]

    assert answered == [200, 413]
    assert await state_of(service) == "unsubscribed"


async def test_a_call_that_could_not_be_recorded_gets_503_and_is_accepted_when_repeated(service):
    async def rename(old: str, new: str) -> None:
        await service.app.database.write(lambda tx: tx.execute(text(f"ALTER TABLE {old} RENAME TO {new}")) and None)

    body = PROVIDERS.mailgun(COMPLAINTS["mailgun"])
    await rename("returned", "away")
    first = await posted(service, "mailgun", body)
    await rename("away", "returned")
    second = await posted(service, "mailgun", body)

    assert (first, second) == (503, 200)
    assert await state_of(service) == "unsubscribed"


async def test_a_subscription_to_our_topic_is_confirmed_and_to_another_not(service, amazon):
    token = "2336412f37fb687f5d51e6e241d7700a"
    topic = "arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Areturns"
    confirmed = f"/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}"
    amazon.answers[confirmed] = http_answer(b"<ConfirmSubscriptionResponse/>")
    others = "arn:aws:sns:eu-west-1:123456789012:others"

    answered = [
        await posted(service, "ses", PROVIDERS.confirmation(TopicArn=others)),
        await posted(service, "ses", MALLORYS.confirmation()),
        await posted(service, "ses", PROVIDERS.confirmation(SubscribeURL="https://127.0.0.1/latest/meta-data")),
        await posted(service, "ses", PROVIDERS.confirmation(Type="UnsubscribeConfirmation")),
    ]

    assert answered == [403, 403, 200, 200]
    assert amazon.requested_paths == [CERTIFICATE_PATH, confirmed]


async def test_a_call_gets_503_while_amazons_certificate_cannot_be_fetched(service, amazon):
    there = amazon.answers.pop(CERTIFICATE_PATH)
    body = PROVIDERS.notification(json.dumps(COMPLAINTS["ses"]))

    first = await posted(service, "ses", body)
    amazon.answers[CERTIFICATE_PATH] = there
    second = await posted(service, "ses", body)

    assert (first, second) == (503, 200)
    assert await state_of(service) == "unsubscribed"


async def test_text_that_is_no_event_is_accepted_and_changes_nothing(service):
    body = PROVIDERS.notification("Successfully validated SNS topic for Amazon SES event publishing.")

    assert await posted(service, "ses", body) == 200


async def test_concurrent_calls_are_all_recorded(service):
    calls = (called(service, provider, payload) for provider, payload in COMPLAINTS.items())

    assert await asyncio.gather(*calls) == [200] * 6
    assert {kind for kind, *_ in await came_back(service)} == {"complaint"}
