"""Notices: letters that the service writes itself, as plain text and HTML, from the templates in `notices/`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from babel import Locale

from mailer.domain.accounts.sign_in import LETTER_LIFETIME, letter_secrets, show_code
from mailer.domain.delivery import Delivery, Kind
from mailer.domain.language import choose_language
from mailer.domain.site import ListIdentity, Site
from mailer.domain.subscription import CONFIRM_WITHIN, REJOIN_WITHIN
from mailer.domain.token import Purpose
from mailer.errors import NotFound
from mailer.mail.compose.notice_paragraphs import (
    NoticeText,
    collapse_whitespace,
    parse_notice_text,
    render_notice_as_text,
)
from mailer.mail.compose.templates import SOURCE_LANGUAGE, Templates
from mailer.mail.message.header_writer import format_field, format_phrase, format_text_field
from mailer.mail.message.letter import Letter
from mailer.mail.message.quoted_printable import encode_quoted_printable

_LINK_PAGES = {
    Kind.CONFIRM: ("confirm", Purpose.CONFIRM),
    Kind.UNCLEAR_ANSWER: ("confirm", Purpose.CONFIRM),
    Kind.ALREADY_SUBSCRIBED: ("leave", Purpose.LEAVE),
    Kind.WELCOME: ("leave", Purpose.LEAVE),
    Kind.GOODBYE: ("rejoin", Purpose.REJOIN),
    Kind.CONFIRM_LEAVING: ("leave", Purpose.LEAVE),
    Kind.PROBE: ("leave", Purpose.LEAVE),
}
"""(page, token purpose) of the personal link, for each kind that has one."""
_KINDS_WITHOUT_LINK = {
    Kind.HELP,
    Kind.SUBSCRIPTIONS,
    Kind.LANGUAGE_CHANGED,
    Kind.LIST_THROTTLED,
    Kind.PAUSED,
    Kind.WEEKLY,
    Kind.SIGN_IN,
}
_LINK_DAYS = {Kind.CONFIRM: CONFIRM_WITHIN.days, Kind.GOODBYE: REJOIN_WITHIN.days}
_REPLY_ADDRESSES = {
    Kind.CONFIRM: ListIdentity.confirm_address,
    Kind.UNCLEAR_ANSWER: ListIdentity.confirm_address,
    Kind.CONFIRM_LEAVING: ListIdentity.leave_reply_address,
    Kind.ALREADY_SUBSCRIBED: ListIdentity.reply_address,
    Kind.WELCOME: ListIdentity.reply_address,
    Kind.LANGUAGE_CHANGED: ListIdentity.reply_address,
    Kind.PROBE: ListIdentity.reply_address,
}
"""The address for replies that may say yes, no or stop."""
_WITH_LIST_UNSUBSCRIBE = {Kind.WELCOME, Kind.PROBE}
"""Kinds that subscribers get as they get the list's letters, and so with List-Unsubscribe."""
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,480}@[!-;=?-~]{1,480}>")


def compose_notice(
    delivery: Delivery, list_identity: ListIdentity | None, site: Site, templates: Templates, dated_at: datetime
) -> Letter:
    """The letter of one notice delivery; the same octets for the same input. `dated_at` is timezone-aware.

    If `values["in_reply_to"]` is a Message-ID, the letter names it in In-Reply-To (RFC 3834 section 5). In that case,
    and if `values["replied"]` is true, it has Auto-Submitted: auto-replied, else auto-generated.

    Raises NotFound for a kind with a personal link if there is no mailing list or subscription, and ValueError for the
    kinds composed elsewhere (campaign, forwarded).
    """
    if delivery.kind not in {*_LINK_PAGES, *_KINDS_WITHOUT_LINK}:
        raise ValueError(f"a {delivery.kind} letter is not composed from a notice template")
    link = _personal_link(delivery, list_identity, site)
    notice_text, html = _render_notice(delivery, list_identity, site, templates, link)
    fields = _common_fields(delivery, list_identity, site, notice_text.subject, dated_at)
    if list_identity is not None:
        fields += _list_fields(delivery, list_identity, link)
    # Quoted-printable never holds "=_" (RFC 2045 section 6.7), so no part can hold the boundary.
    boundary = f"=_{site.keyring.fingerprint('boundary', site.message_id(delivery.id))}"
    fields.append(format_field("Content-Type", ("multipart/alternative;", f'boundary="{boundary}"')))
    parts = (
        b"--%b\r\n%b" % (boundary.encode(), _encode_part(subtype, text))
        for subtype, text in (("plain", render_notice_as_text(notice_text)), ("html", html))
    )
    content = b"%b\r\n%b--%b--\r\n" % (b"".join(fields), b"".join(parts), boundary.encode())
    return Letter(site.return_path(delivery.id), delivery.address, content)


def _personal_link(delivery: Delivery, list_identity: ListIdentity | None, site: Site) -> str | None:
    """The personal link, if the kind has one. Raises NotFound without a list or subscription."""
    if delivery.kind not in _LINK_PAGES:
        return None
    if list_identity is None or delivery.subscription_id is None:
        raise NotFound(f"delivery {delivery.id}, a {delivery.kind} notice, names no subscription of a mailing list")
    page, purpose = _LINK_PAGES[delivery.kind]
    return site.link(page, purpose, delivery.subscription_id)


def _render_notice(
    delivery: Delivery, list_identity: ListIdentity | None, site: Site, templates: Templates, link: str | None
) -> tuple[NoticeText, str]:
    """(text, HTML) of the notice in the recipient's language, else the list's, else English."""
    preferred = (delivery.language, list_identity.mailing_list.language if list_identity else None)
    language = choose_language(preferred, templates.languages) or SOURCE_LANGUAGE
    source = templates.render(
        f"notices/{delivery.kind.name.lower()}.md",
        language,
        site=site,
        list_identity=list_identity,
        title=collapse_whitespace(list_identity.mailing_list.title) if list_identity else None,
        description=collapse_whitespace(list_identity.mailing_list.description) if list_identity else None,
        link=link,
        days=_LINK_DAYS.get(delivery.kind),
        never_link=site.link("never", Purpose.NEVER, delivery.subscription_id or 0),
        **_kind_values(delivery, site, language),
    )
    notice_text = parse_notice_text(source)
    html = templates.render(
        "notices/layout.html", language, subject=notice_text.subject, body=notice_text.body, footer=notice_text.footer
    )
    return notice_text, html


def _kind_values(delivery: Delivery, site: Site, language: str) -> dict[str, Any]:
    """Template values that only some kinds use."""
    values = delivery.values
    return {
        "invited": bool(values.get("invited")),
        "lists": [
            (collapse_whitespace(name), site.link("leave", Purpose.LEAVE, number))
            for name, number in values.get("lists", [])
        ],
        "spoken": Locale.parse(language, sep="-").get_language_name(values["spoken"]) if "spoken" in values else None,
        "asked": values.get("asked"),
        "confirmed": values.get("confirmed"),
        "sign_in": _sign_in_values(delivery, site) if delivery.kind is Kind.SIGN_IN else None,
        "values": {name: _collapse_nested_whitespace(value) for name, value in values.items()},
    }


def _sign_in_values(delivery: Delivery, site: Site) -> dict[str, Any]:
    secrets = letter_secrets(site.keyring, str(delivery.values["nonce"]))
    return {
        "link": f"{site.url}/console/sign-in/link/{secrets.link_word}",
        "code": show_code(secrets.code),
        "minutes": LETTER_LIFETIME // timedelta(minutes=1),
    }


def _collapse_nested_whitespace(value: Any) -> Any:
    """The value with each text, also within lists, on one line, so that none can begin a paragraph."""
    if isinstance(value, str):
        return collapse_whitespace(value)
    return [_collapse_nested_whitespace(one) for one in value] if isinstance(value, list | tuple) else value


def _common_fields(
    delivery: Delivery, list_identity: ListIdentity | None, site: Site, subject: str, dated_at: datetime
) -> list[bytes]:
    """The header fields that every notice has, without Content-Type."""
    name = list_identity.mailing_list.title if list_identity else site.name
    address = list_identity.address() if list_identity else f"postmaster@{site.domain}"
    in_reply_to = str(delivery.values.get("in_reply_to", ""))
    has_message_id = _MESSAGE_ID.fullmatch(in_reply_to) is not None
    is_reply = has_message_id or delivery.values.get("replied") is True
    fields = [
        format_field("From", (*format_phrase(name), f"<{address}>")),
        format_field("To", (delivery.address,)),
        format_text_field("Subject", subject),
        format_field("Date", (format_datetime(dated_at.astimezone(UTC)),)),
        format_field("Message-ID", (site.message_id(delivery.id),)),
        format_field("Auto-Submitted", ("auto-replied" if is_reply else "auto-generated",)),
        format_field("X-Auto-Response-Suppress", ("All",)),
        format_field("MIME-Version", ("1.0",)),
    ]
    if site.signed:
        fields.append(format_field("CFBL-Address", site.complaint_address.split()))
        fields.append(format_field("CFBL-Feedback-ID", (site.feedback_id(delivery.id),)))
    if has_message_id:
        fields += [format_field(name, (in_reply_to,)) for name in ("In-Reply-To", "References")]
    return fields


def _list_fields(delivery: Delivery, list_identity: ListIdentity, link: str | None) -> list[bytes]:
    """The header fields of a notice that belongs to a mailing list (RFC 2369, RFC 2919, RFC 8058)."""
    fields = [format_field("List-Id", (f"<{list_identity.list_id}>",))]
    if delivery.subscription_id is not None and (reply_address := _REPLY_ADDRESSES.get(delivery.kind)):
        fields.append(format_field("Reply-To", (reply_address(list_identity, delivery.subscription_id),)))
    if delivery.kind in _WITH_LIST_UNSUBSCRIBE and delivery.subscription_id is not None:
        leave_address = list_identity.leave_address(delivery.subscription_id)
        fields += [
            format_field("List-Unsubscribe", (f"<{link}>,", f"<mailto:{leave_address}>")),
            format_field("List-Unsubscribe-Post", ("List-Unsubscribe=One-Click",)),
            format_field("List-Post", ("NO",)),
            format_field("List-Help", (f"<mailto:{list_identity.address('help')}>",)),
            format_field("List-Owner", (f"<mailto:{list_identity.address('owner')}>",)),
        ]
    return fields


def _encode_part(subtype: str, text: str) -> bytes:
    return (
        format_field("Content-Type", (f"text/{subtype};", "charset=utf-8"))
        + format_field("Content-Transfer-Encoding", ("quoted-printable",))
        + b"\r\n"
        + encode_quoted_printable(text)
        + b"\r\n"
    )
