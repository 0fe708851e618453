"""Letters with pictures, attachments and a calendar, through the real queue to the relay, signed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from icalendar import Calendar

from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.pause_resume_cancel import pause, resume
from mailer.actions.campaigns.send_test import send_test
from mailer.actions.delivery.send import send
from mailer.actions.delivery.send_worker import start_worker
from mailer.actions.lists.media import add_media
from mailer.actions.lists.set_design import LogoFile, set_design
from mailer.app import App
from mailer.mail.dkim.signing import Signer
from mailer.relay.route import Priority
from tests.support.app_helpers import (
    ADMIN,
    BEA,
    DOMAIN,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    send_campaigns,
    send_notices,
)
from tests.support.fake_relay import FakeRelay
from tests.support.letter_checks import SentLetter, check_letter
from tests.support.list_letter_checks import check_signature
from tests.support.media_samples import PDF, photo
from tests.support.signed_mail import dkim_record, rsa_key

SIGNER = Signer(domain=DOMAIN, selector="s1", key=rsa_key(1024))
ZONE = {f"s1._domainkey.{DOMAIN}.": dkim_record()}


async def _text(app: App) -> str:
    apples = await add_media(app, ADMIN, list_name="appeals", name="apples.jpg", octets=photo(2400, 1600))
    programme = await add_media(app, ADMIN, list_name="appeals", name="Şenlik programı.pdf", octets=PDF)
    return f"""---
subject: Come to the harvest, {{{{ name or "friend" }}}}
pictures: inline
attachments: [{programme.path}]
calendar: true
event: {{name: Harvest forum, place: The old mill, starts: 2027-12-04T19:00, zone: Europe/Berlin}}
---
Dear {{{{ name or "friend" }}}},

![Red apples in a basket]({apples.path})

come and see them.
"""


async def test_everybody_gets_the_files_and_each_signature_verifies(app: App, relay: FakeRelay, clock: Clock) -> None:
    clock.now = datetime(2026, 3, 1, 12, tzinfo=UTC)  # a verifier believes no signature from the future
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Müjgân,de", f"{BEA},,tr")
    signed = replace(app, signers=(SIGNER,))
    await set_design(app, ADMIN, "appeals", accent_color="#224488", logo=LogoFile("l.png", photo(200, 80, "PNG")))

    await launch_campaign(signed, **{"en.md": await _text(app)})
    await send_campaigns(signed)

    assert len(relay.letters) == 3
    for one in relay.letters:
        sent = SentLetter(one.content, one.sender, one.recipient)
        assert check_letter(sent) == []
        assert check_signature(sent, ZONE) == []
        letter = parse_letter(one)
        programme, calendar = letter.iter_attachments()
        assert (programme.get_filename(), programme.get_content()) == ("Şenlik programı.pdf", PDF)
        (entry,) = Calendar.from_ical(calendar.get_content()).walk("VEVENT")
        assert str(entry["uid"]) == f"campaign-1@{DOMAIN}"
        (picture,) = [part for part in letter.walk() if part.get_content_type() == "image/jpeg"]
        assert len(picture.get_content()) < 200_000
        # The list's logo goes along with the pictures.
        assert [part.get_content_type() for part in letter.walk()].count("image/png") == 1


async def test_a_test_letter_brings_its_files_along(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    campaign = await launch_campaign(app, **{"en.md": await _text(app)})

    await send_test(app, ADMIN, campaign, [ROSA])
    await send_notices(app)

    (letter,) = map(parse_letter, relay.letters)
    assert str(letter["Subject"]).startswith("[Test]")
    assert [part.get_filename() for part in letter.iter_attachments()] == ["Şenlik programı.pdf", "Harvest forum.ics"]


async def test_a_correction_takes_an_attachment_out(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    text = await _text(app)
    campaign = await launch_campaign(app, **{"en.md": text})
    await pause(app, ADMIN, campaign)

    without = "\n".join(line for line in text.split("\n") if not line.startswith("attachments"))
    await correct(app, ADMIN, campaign, {"en.md": without})
    await resume(app, ADMIN, campaign)
    await send_campaigns(app)

    (letter,) = map(parse_letter, relay.letters)
    assert [part.get_filename() for part in letter.iter_attachments()] == ["Harvest forum.ics"]


@pytest.mark.slow
async def test_letters_that_are_large_wait_in_small_numbers(app: App, relay: FakeRelay) -> None:
    """Forty would be 270 MB of memory."""
    many = replace(app, relays=(replace(app.relays[0], connections=40),))
    await open_list(app)
    await import_rows(app, *(f"reader{number}@example.org,,en" for number in range(40)))
    file = await add_media(app, ADMIN, list_name="appeals", name="seeds.txt", octets=b"a bean\n" * 700_000)
    await launch_campaign(many, **{"en.md": f"---\nsubject: Come\nattachments: [{file.path}]\n---\nCome all of you.\n"})
    # One connection opens, and is stuck with its first letter.
    holds = [relay.holds("dot", nth=1), *(relay.holds("greeting", nth=number) for number in range(2, 41))]
    worker = await start_worker(many, Priority.CAMPAIGNS)
    sending = asyncio.create_task(send(worker))

    await holds[0].reached.wait()
    for _ in range(1000):  # the loop turns as long as there is anything to be rendered
        await asyncio.sleep(0)
    ahead = [len(one.letter.content) for route in worker.routes for one in route.ready]
    for hold in holds:
        hold.released.set()
    await sending

    assert len(relay.letters) == 40
    # With the one on its way they are 64 million octets at most.
    assert len(ahead) == 64_000_000 // ahead[0] - 1 == 8
