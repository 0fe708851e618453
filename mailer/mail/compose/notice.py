"""A notice: a letter the service writes itself, as plain text and as HTML."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from babel import Locale

from mailer.domain.delivery import Delivery, Kind
from mailer.domain.language import choose_language
from mailer.domain.site import House, Letterhead
from mailer.domain.subscription import CONFIRM_WITHIN, REJOIN_WITHIN
from mailer.domain.token import Purpose
from mailer.errors import NotFound
from mailer.mail.compose.notice_paragraphs import NoticeWords, one_line, read_words, write_text
from mailer.mail.compose.templates import SOURCE_LANGUAGE, Templates
from mailer.mail.message.header_writer import header_field, phrase, text_field
from mailer.mail.message.letter import Letter
from mailer.mail.message.quoted_printable import encode_quoted_printable

_LINKS = {
    Kind.CONFIRM: ("confirm", Purpose.CONFIRM),
    Kind.UNCLEAR: ("confirm", Purpose.CONFIRM),
    Kind.ALREADY: ("leave", Purpose.LEAVE),
    Kind.WELCOME: ("leave", Purpose.LEAVE),
    Kind.GOODBYE: ("rejoin", Purpose.REJOIN),
    Kind.LEAVING: ("leave", Purpose.LEAVE),
    Kind.PROBE: ("leave", Purpose.LEAVE),
}
"""The page and the purpose of the personal link in each kind that has one."""
_OTHERS = {Kind.HELP, Kind.WHICH, Kind.SPOKEN, Kind.QUIET, Kind.PAUSED, Kind.WEEKLY}
_DAYS = {Kind.CONFIRM: CONFIRM_WITHIN.days, Kind.GOODBYE: REJOIN_WITHIN.days}
_ANSWERS = {
    Kind.CONFIRM: Letterhead.confirm_address,
    Kind.UNCLEAR: Letterhead.confirm_address,
    Kind.LEAVING: Letterhead.leave_reply_address,
    Kind.ALREADY: Letterhead.reply_address,
    Kind.WELCOME: Letterhead.reply_address,
    Kind.SPOKEN: Letterhead.reply_address,
    Kind.PROBE: Letterhead.reply_address,
}
"""Where a reply goes that may say yes, no, or stop."""
_WITH_WAY_OUT = {Kind.WELCOME, Kind.PROBE}
"""What goes to readers as the list's letters do."""
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,480}@[!-;=?-~]{1,480}>")


def compose_notice(
    delivery: Delivery, letterhead: Letterhead | None, house: House, templates: Templates, dated_at: datetime
) -> Letter:
    """The letter of one notice delivery, the same octets for the same input.

    Its kind is one of those with a personal link (NotFound without a mailing list or a subscription), or help, which,
    spoken, quiet, paused, weekly; the others are composed elsewhere: ValueError. It says Auto-Submitted:
    `auto-replied` where `values["replied"]` is true, or `values["in_reply_to"]` is a Message-ID, which In-Reply-To then
    names (RFC 3834 section 5). `dated_at` is aware.
    """
    if delivery.kind not in {*_LINKS, *_OTHERS}:
        raise ValueError(f"a {delivery.kind} letter is not composed from a notice template")
    link = _link(delivery, letterhead, house)
    words, html = _write(delivery, letterhead, house, templates, link)
    fields = _fields(delivery, letterhead, house, words.subject, dated_at)
    if letterhead is not None:
        fields += _list_fields(delivery, letterhead, link)
    # Quoted-printable never holds "=_" (RFC 2045 section 6.7), so no part can hold the boundary.
    boundary = f"=_{house.keyring.fingerprint('boundary', house.message_id(delivery.id))}"
    fields.append(header_field("Content-Type", ("multipart/alternative;", f'boundary="{boundary}"')))
    parts = (
        b"--%b\r\n%b" % (boundary.encode(), _part(subtype, text))
        for subtype, text in (("plain", write_text(words)), ("html", html))
    )
    content = b"%b\r\n%b--%b--\r\n" % (b"".join(fields), b"".join(parts), boundary.encode())
    return Letter(house.return_path(delivery.id), delivery.address, content)


def _link(delivery: Delivery, letterhead: Letterhead | None, house: House) -> str | None:
    """The personal link, where the kind has one."""
    if delivery.kind not in _LINKS:
        return None
    if letterhead is None or delivery.subscription_id is None:
        raise NotFound(f"delivery {delivery.id}, a {delivery.kind} notice, names no subscription of a mailing list")
    page, purpose = _LINKS[delivery.kind]
    return house.link(page, purpose, delivery.subscription_id)


def _write(
    delivery: Delivery, letterhead: Letterhead | None, house: House, templates: Templates, link: str | None
) -> tuple[NoticeWords, str]:
    """What it says, and the same as HTML, in the reader's language, else the list's, else English."""
    wanted = (delivery.language, letterhead.mailing_list.language if letterhead else None)
    language = choose_language(wanted, templates.languages) or SOURCE_LANGUAGE
    source = templates.render(
        f"notices/{delivery.kind}.md",
        language,
        house=house,
        letterhead=letterhead,
        title=one_line(letterhead.mailing_list.title) if letterhead else None,
        description=one_line(letterhead.mailing_list.description) if letterhead else None,
        link=link,
        days=_DAYS.get(delivery.kind),
        never_link=house.link("never", Purpose.NEVER, delivery.subscription_id or 0),
        **_values(delivery, house, language),
    )
    words = read_words(source)
    html = templates.render("notices/layout.html", language, subject=words.subject, body=words.body, foot=words.foot)
    return words, html


def _values(delivery: Delivery, house: House, language: str) -> dict[str, Any]:
    """What some kinds say beside the rest."""
    told = delivery.values
    return {
        "invited": bool(told.get("invited")),
        "lists": [
            (one_line(name), house.link("leave", Purpose.LEAVE, number)) for name, number in told.get("lists", [])
        ],
        "spoken": Locale.parse(language, sep="-").get_language_name(told["spoken"]) if "spoken" in told else None,
        "asked": told.get("asked"),
        "confirmed": told.get("confirmed"),
        "told": {name: _one_line(value) for name, value in told.items()},
    }


def _one_line(value: Any) -> Any:
    """A value whose texts, however deep in lists they stand, can begin no passage of their own."""
    if isinstance(value, str):
        return one_line(value)
    return [_one_line(one) for one in value] if isinstance(value, list | tuple) else value


def _fields(
    delivery: Delivery, letterhead: Letterhead | None, house: House, subject: str, dated_at: datetime
) -> list[bytes]:
    """The fields every notice has, but for the Content-Type."""
    name = letterhead.mailing_list.title if letterhead else house.name
    address = letterhead.address() if letterhead else f"postmaster@{house.domain}"
    answered = str(delivery.values.get("in_reply_to", ""))
    names_it = _MESSAGE_ID.fullmatch(answered) is not None
    is_reply = names_it or delivery.values.get("replied") is True
    fields = [
        header_field("From", (*phrase(name), f"<{address}>")),
        header_field("To", (delivery.address,)),
        text_field("Subject", subject),
        header_field("Date", (format_datetime(dated_at.astimezone(UTC)),)),
        header_field("Message-ID", (house.message_id(delivery.id),)),
        header_field("Auto-Submitted", ("auto-replied" if is_reply else "auto-generated",)),
        header_field("X-Auto-Response-Suppress", ("All",)),
        header_field("MIME-Version", ("1.0",)),
    ]
    if house.signed:
        fields.append(header_field("CFBL-Address", house.complaint_address.split()))
        fields.append(header_field("CFBL-Feedback-ID", (house.feedback_id(delivery.id),)))
    if names_it:
        fields += [header_field(name, (answered,)) for name in ("In-Reply-To", "References")]
    return fields


def _list_fields(delivery: Delivery, letterhead: Letterhead, link: str | None) -> list[bytes]:
    """The fields of a notice that belongs to a mailing list (RFC 2369, RFC 2919, RFC 8058)."""
    fields = [header_field("List-Id", (f"<{letterhead.list_id}>",))]
    if delivery.subscription_id is not None and (answered := _ANSWERS.get(delivery.kind)):
        fields.append(header_field("Reply-To", (answered(letterhead, delivery.subscription_id),)))
    if delivery.kind in _WITH_WAY_OUT and delivery.subscription_id is not None:
        leave_address = letterhead.leave_address(delivery.subscription_id)
        fields += [
            header_field("List-Unsubscribe", (f"<{link}>,", f"<mailto:{leave_address}>")),
            header_field("List-Unsubscribe-Post", ("List-Unsubscribe=One-Click",)),
            header_field("List-Post", ("NO",)),
            header_field("List-Help", (f"<mailto:{letterhead.address('help')}>",)),
            header_field("List-Owner", (f"<mailto:{letterhead.address('owner')}>",)),
        ]
    return fields


def _part(subtype: str, text: str) -> bytes:
    return (
        header_field("Content-Type", (f"text/{subtype};", "charset=utf-8"))
        + header_field("Content-Transfer-Encoding", ("quoted-printable",))
        + b"\r\n"
        + encode_quoted_printable(text)
        + b"\r\n"
    )
