"""Letters for the checks before the launch: whole ones by hand, with one thing wrong, and real ones of the house."""

from __future__ import annotations

from datetime import UTC, datetime

from mailer.domain.keyring import Keyring
from mailer.domain.letters.preflight import PreflightResult, PreflightSeverity
from mailer.domain.mailing_list import MailingList
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import compile_letter
from mailer.mail.compose.personalise import Recipient
from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import Letter
from mailer.mail.preflight.sample_letter import SampleLetter
from tests.support.app_helpers import ADA, APPEAL, DOMAIN, ROOT, ROSA

SITE_URL = f"https://{DOMAIN}"
LEAVE = f"{SITE_URL}/leave/{'a' * 29}"
WORDS = "The orchard is open on Saturday, and everybody brings apples."
HEADER = {
    "From": f"Open Appeals <appeals@{DOMAIN}>",
    "To": ROSA,
    "Subject": "Come to the orchard",
    "Date": "Mon, 01 Mar 2027 08:00:00 +0000",
    "Message-ID": f"<1@{DOMAIN}>",
    "List-Id": f"Open Appeals <appeals.{DOMAIN}>",
    "List-Unsubscribe": f"<{LEAVE}>, <mailto:appeals-leave@{DOMAIN}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "MIME-Version": "1.0",
    "Content-Type": 'multipart/alternative; boundary="b"',
}


def written_letter(
    body: str = "", *, words: str = WORDS, head: str = "", extra: str = "", values: tuple[str, ...] = (), **fields: str
) -> SampleLetter:
    """A letter in order, but for what is given: HTML after its words, a style sheet, header fields ("" leaves one out).

    `extra` are lines of the header.
    """
    named = HEADER | {name.replace("_", "-"): value for name, value in fields.items()}
    page = (
        f'<!doctype html><html lang="en"><head><title>Come</title>{head}</head><body><p>{words}</p>{body}'
        f'<p><a href="{LEAVE}">Leave</a></p></body></html>'
    )
    lines = [f"{name}: {value}" for name, value in named.items() if value]
    parts = [
        "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n",
        f"{words}\n\nLeave: {LEAVE}\n",
        "--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 7bit\n",
        f"{page}\n--b--\n",
    ]
    text = "\n".join(["\n".join([*lines, *extra.splitlines()]), "", *parts])
    content = text.encode("ascii", "xmlcharrefreplace").replace(b"\n", b"\r\n")
    return SampleLetter(Letter(f"return+1@{DOMAIN}", ROSA, content), frozenset(values))


def house_letter(text: str = APPEAL, language: str = "en", **of_list: str) -> SampleLetter:
    """The letter of a campaign file with the house's templates, to Rosa."""
    house = Site(
        name="Open Letters",
        domain=DOMAIN,
        url=SITE_URL,
        owner="owner@example.net",
        keyring=Keyring(b"p" * 32, ((1, b"k" * 32),)),
    )
    mailing_list = MailingList(
        id=1, name="appeals", title="Open Appeals", description="", language=language, owner=ADA, **of_list
    )  # type: ignore[arg-type]
    compiled = compile_letter(
        parse_campaign_file(text, language),
        ListIdentity(site=house, mailing_list=mailing_list),
        Templates(ROOT / "templates", ROOT / "mailer" / "locale"),
        language,
        7,
    )
    rosa = Recipient(
        delivery_id=1,
        subscription_id=1,
        address=ROSA,
        name="Rosa",
        attributes={},
        dated_at=datetime(2027, 3, 1, 8, 0, tzinfo=UTC),
    )
    return SampleLetter(compiled.write(rosa), frozenset({"Rosa"}))


def wrong(results: object) -> list[tuple[str, str]]:
    """(severity, message) of the results that are not fine."""
    return [
        (one.severity.value, one.message)
        for one in results  # type: ignore[attr-defined]
        if isinstance(one, PreflightResult) and one.severity is not PreflightSeverity.FINE
    ]
