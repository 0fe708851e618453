"""Pictures that go along in a letter, attachments, and the event for calendars."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from icalendar import Calendar

from mailer.domain.letters.media import MOST_ATTACHED_OCTETS, MediaFile
from mailer.domain.site import ListIdentity
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compose_letter import ComposedLetter, compose_letter
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.personalise import Recipient, personalise
from mailer.mail.compose.templates import Templates
from mailer.mail.media.prepare_media import prepare_media
from tests.support.letter_checks import SentLetter, check_letter
from tests.support.media_samples import PDF, photo

APPLES = prepare_media(photo(), "apples.jpg")
PROGRAMME = prepare_media(PDF, "Şenlik programı.pdf")
EVENT = "event: {name: Harvest forum, place: The old mill, starts: 2026-12-04T19:00, zone: Europe/Berlin}"
Compose = Callable[..., ComposedLetter]


def letter_text(*keys: str, body: str = "") -> str:
    """A campaign file with these lines of front matter."""
    return "\n".join(["---", "subject: Come to the harvest", *keys, "---", body or _with_picture()])


def _with_picture() -> str:
    picture = f"![Red apples in a basket]({APPLES.path})"
    return f'Dear {{{{ name or "friend" }}}}, come and see.\n\n{picture}\n\nSee you there.\n'


@pytest.fixture
def compose(list_identity: ListIdentity, templates: Templates) -> Compose:
    """Compose a text with these files at hand."""

    def of(text: str, *files: MediaFile, missing: frozenset[str] = frozenset()) -> ComposedLetter:
        resources = LetterResources(media={one.path: one for one in files}, missing=missing)
        return compose_letter(parse_campaign_file(text, "en"), list_identity, templates, "en", 42, resources)

    return of


def read(composed: ComposedLetter, rosa: Recipient) -> EmailMessage:
    """The letter for Rosa, as mail programs see it; it has no fault that is checked."""
    letter = personalise(composed, rosa)
    assert check_letter(SentLetter(letter.content, letter.return_path, letter.recipient)) == []
    message = message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def shape(part: EmailMessage) -> object:
    """The types of a message and its parts."""
    kind = part.get_content_type()
    return (kind, [shape(one) for one in part.iter_parts()]) if part.is_multipart() else kind  # type: ignore[arg-type]


ALTERNATIVE = ("multipart/alternative", ["text/plain", "text/html"])


def test_a_hosted_picture_is_linked_with_its_size_and_nothing_goes_along(compose: Compose, rosa: Recipient) -> None:
    message = read(compose(letter_text(), APPLES), rosa)

    assert shape(message) == ALTERNATIVE
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    (picture,) = re.findall("<img[^>]+>", html)
    assert f'src="https://lists.example.org{APPLES.path}"' in picture


def test_an_inline_picture_goes_along_and_the_html_shows_it(compose: Compose, rosa: Recipient) -> None:
    message = read(compose(letter_text("pictures: inline"), APPLES), rosa)

    assert shape(message) == (
        "multipart/alternative",
        ["text/plain", ("multipart/related", ["text/html", "image/jpeg"])],
    )
    related = list(message.iter_parts())[1]
    assert related.get_param("type") == "text/html"
    html, picture = related.iter_parts()
    assert picture.get_content() == APPLES.content
    assert picture["Content-Disposition"].content_disposition == "inline"
    own_id = picture["Content-ID"].strip("<>")
    assert f'src="cid:{own_id}"' in html.get_content()
    assert 'src="https://' not in html.get_content()
    assert own_id == f"{APPLES.digest[:32]}.{APPLES.name}@lists.example.org"


def test_a_picture_that_stands_twice_goes_along_once(compose: Compose, rosa: Recipient) -> None:
    message = read(compose(letter_text("pictures: inline", body=_with_picture() * 2), APPLES), rosa)

    assert str(shape(message)).count("image/jpeg") == 1


def test_attachments_go_along_under_their_own_names(compose: Compose, rosa: Recipient) -> None:
    text = letter_text(f"attachments: [{PROGRAMME.path}, {APPLES.path}]")

    message = read(compose(text, PROGRAMME, APPLES), rosa)

    assert shape(message) == ("multipart/mixed", [ALTERNATIVE, "application/pdf", "image/jpeg"])
    programme, apples = message.iter_attachments()
    assert (programme.get_filename(), programme.get_content()) == ("Şenlik programı.pdf", PDF)
    assert (apples.get_filename(), apples.get_content()) == (APPLES.name, APPLES.content)


def test_inline_pictures_and_attachments_go_together(compose: Compose, rosa: Recipient) -> None:
    text = letter_text("pictures: inline", "attachments:", f"  - {PROGRAMME.path}", EVENT, "calendar: true")

    message = read(compose(text, PROGRAMME, APPLES), rosa)

    related = ("multipart/related", ["text/html", "image/jpeg"])
    assert shape(message) == (
        "multipart/mixed",
        [("multipart/alternative", ["text/plain", related]), "application/pdf", "text/calendar"],
    )


def test_the_event_goes_along_for_calendars_when_asked(compose: Compose, rosa: Recipient) -> None:
    message = read(compose(letter_text(EVENT, "calendar: yes"), APPLES), rosa)

    (file,) = message.iter_attachments()
    entry = Calendar.from_ical(file.get_content()).walk("VEVENT")[0]
    assert (str(entry["uid"]), str(entry["summary"])) == ("campaign-42@lists.example.org", "Harvest forum")
    assert file.get_filename() == "Harvest forum.ics"
    assert file["Content-Type"].params.get("charset") == "utf-8"
    assert shape(read(compose(letter_text(EVENT, "calendar: false"), APPLES), rosa)) == ALTERNATIVE


def test_a_link_with_a_readers_value_is_not_in_the_calendar(compose: Compose, rosa: Recipient) -> None:
    action = "action: {label: Come, url: 'https://example.org/?n={{ name or \"\" }}'}"

    (file,) = read(compose(letter_text(EVENT, "calendar: true", action), APPLES), rosa).iter_attachments()

    assert "URL" not in file.get_content()


def test_the_same_letter_has_the_same_octets_and_files_are_not_copied(compose: Compose, rosa: Recipient) -> None:
    large = replace(PROGRAMME, content=PDF * 10_000, size=len(PDF) * 10_000)
    text = letter_text("pictures: inline", f"attachments: [{large.path}]", EVENT, "calendar: true")

    first, second = compose(text, large, APPLES), compose(text, large, APPLES)

    assert personalise(first, rosa).content == personalise(second, rosa).content
    (one,) = (piece for piece in first.octets if len(piece) > large.size)
    assert any(piece is one for piece in second.octets)


def test_a_letter_with_files_differs_from_one_without_only_in_its_files(compose: Compose, rosa: Recipient) -> None:
    plain = personalise(compose(letter_text(), APPLES), rosa).content
    with_file = personalise(compose(letter_text(f"attachments: [{PROGRAMME.path}]"), PROGRAMME, APPLES), rosa).content

    assert plain.partition(b"\r\n\r\n")[2] in with_file


@pytest.mark.parametrize(
    ("keys", "words", "line"),
    [
        (["pictures: both"], "`hosted`", 3),
        (["attachments: programme.pdf"], "must be a list", 3),
        (["attachments: [programme.pdf]"], "is not the path of a file", 3),
        (["attachments: [/media/../etc/passwd]"], "is not the path of a file", 3),
        ([f"attachments: [{', '.join(f'/media/{n:032}/a.pdf' for n in range(11))}]"], "are 11; the most is 10", 3),
        (["calendar: perhaps", EVENT], "is true or false", 3),
        (["tags: [a]", "calendar: true"], "there is no event", 4),
    ],
)
def test_mistakes_in_these_keys_are_refused_by_line(compose: Compose, keys: list[str], words: str, line: int) -> None:
    with pytest.raises(CampaignFileRefused, match=words) as refused:
        compose(letter_text(*keys), APPLES)

    assert refused.value.line == line


def test_a_file_that_there_is_not_is_refused_by_line(compose: Compose) -> None:
    missing = frozenset({APPLES.path, PROGRAMME.path})

    with pytest.raises(CampaignFileRefused, match="there is no file") as in_body:
        compose(letter_text(), missing=frozenset({APPLES.path}))
    with pytest.raises(CampaignFileRefused, match="there is no file") as attached:
        compose(letter_text(f"attachments: [{PROGRAMME.path}]", body="Come."), missing=missing)
    assert compose(letter_text(body="Come all of you."), missing=missing)

    assert (in_body.value.line, attached.value.line) == (6, 3)


def test_an_attachment_cannot_be_shown_as_a_picture(compose: Compose) -> None:
    with pytest.raises(CampaignFileRefused, match=r"is no picture; link to it") as refused:
        compose(letter_text(body=f"Come.\n\n![The programme]({PROGRAMME.path})\n"), PROGRAMME)

    assert refused.value.line == 6
    assert compose(letter_text(body=f"Come. [The programme]({PROGRAMME.path})\n"), PROGRAMME)


def test_more_than_many_servers_take_is_refused(compose: Compose) -> None:
    half = replace(PROGRAMME, size=MOST_ATTACHED_OCTETS // 2 + 1)
    other = replace(half, digest="0" * 64)

    with pytest.raises(CampaignFileRefused, match="the most is 7000000") as refused:
        compose(letter_text(f"attachments: [{half.path}, {other.path}]"), half, other, APPLES)

    assert refused.value.line == 3


def test_a_text_full_of_beginnings_of_pictures_keeps_nobody_busy(compose: Compose) -> None:
    began = time.process_time()

    with pytest.raises(CampaignFileRefused):
        compose(letter_text(body="![" * 49_000))
    compose(letter_text(body="`" + "![ " * 300 + "`"))
    assert time.process_time() - began < 5


def test_a_file_that_stands_as_a_picture_is_refused_among_other_brackets(compose: Compose) -> None:
    body = f"[a] ![b](https://a.example.org/b.jpg)\n[file]({PROGRAMME.path}) [c] ![the file]({PROGRAMME.path})\n"

    with pytest.raises(CampaignFileRefused, match="is no picture"):
        compose(letter_text(body=body), PROGRAMME)
    compose(letter_text(body=f"![b]({APPLES.path}) [file]({PROGRAMME.path})\n"), APPLES, PROGRAMME)
