"""The header of a campaign's letter: fields that are the same in every copy, and slots for the recipient's values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum

from mailer.domain.mailing_list import ArchiveMode
from mailer.domain.site import ListIdentity, Site
from mailer.domain.token import TOKEN_CHARACTERS
from mailer.mail.message.header_writer import format_field, format_phrase, format_text_field

_SAMPLE_TOKEN = "=" * TOKEN_CHARACTERS
"""Stands for a token while fields are folded: tokens have this length, and no address or link holds these octets."""


class HeaderSlot(IntEnum):
    """Index, among the pieces of `build_header`, of each empty piece that `personalise` fills."""

    ADDRESS = 1
    SUBJECT = 3
    """The whole field, or empty if the subject is the same for all recipients."""
    DATE = 4
    """The whole field."""
    MESSAGE_ID = 6
    LEAVE_PAGE = 8
    LEAVE_ADDRESS = 10
    REPLY_ADDRESS = 12
    FEEDBACK_ID = 14


def leave_url(site: Site, token: str) -> str:
    """The page on which a subscription ends; it also accepts one-click unsubscribe requests (RFC 8058)."""
    return f"{site.url}/leave/{token}"


def build_header(
    list_identity: ListIdentity, campaign_id: int, content_type: Sequence[str], subject: str | None
) -> Iterator[bytes]:
    """The pieces of the header, with CRLF line ends and the empty line after it; those at a HeaderSlot are empty.

    `content_type` are the words of that field. A `subject` that is the same for all recipients is written at once;
    None leaves its slot empty.
    """
    site = list_identity.site
    sender = format_field("From", [*format_phrase(list_identity.mailing_list.title), f"<{list_identity.address()}>"])
    # RFC 2369 and, for one click, RFC 8058.
    leave_addresses = [
        f"<{leave_url(site, _SAMPLE_TOKEN)}>,",
        f"<mailto:{list_identity.address('leave', _SAMPLE_TOKEN)}>",
    ]
    before_page, before_address, after = _split_at_token("List-Unsubscribe", leave_addresses)
    yield from (sender + b"To: ", b"", b"\r\n", b"" if subject is None else format_text_field("Subject", subject), b"")
    yield from (b"Message-ID: <", b"", f"@{site.domain}>\r\n".encode() + before_page, b"", before_address, b"")
    one_click = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    before_reply, after_reply = _split_at_token("Reply-To", [list_identity.address("reply", _SAMPLE_TOKEN)])
    yield from (after + one_click + before_reply, b"")
    complaint_fields, end = b"", b""
    if site.signed:
        complaint_fields = format_field("CFBL-Address", site.complaint_address.split()) + b"CFBL-Feedback-ID: "
        end = b"\r\n"
    yield from (after_reply + complaint_fields, b"")
    yield end + _build_fixed_fields(list_identity, campaign_id, content_type) + b"\r\n"


def _split_at_token(name: str, tokens: list[str]) -> list[bytes]:
    return format_field(name, tokens).split(_SAMPLE_TOKEN.encode())


def _build_fixed_fields(list_identity: ListIdentity, campaign_id: int, content_type: Sequence[str]) -> bytes:
    name, domain = list_identity.mailing_list.name, list_identity.site.domain
    is_public = list_identity.mailing_list.archive is ArchiveMode.PUBLIC
    fields = {
        "MIME-Version": ["1.0"],
        "Content-Type": content_type,
        # RFC 2919; the other List- fields are of RFC 2369.
        "List-Id": [*format_phrase(list_identity.mailing_list.title), f"<{list_identity.list_id}>"],
        "List-Help": [f"<mailto:{list_identity.address('help')}>"],
        "List-Owner": [f"<mailto:{list_identity.address('owner')}>"],
        "List-Subscribe": [f"<{list_identity.join_url}>"],
        "List-Post": ["NO"],
        **({"List-Archive": [f"<{list_identity.archive_url}>"]} if is_public else {}),
        "Feedback-ID": [f"{campaign_id}:{name}:campaign:{domain}"],
        "Precedence": ["bulk"],
    }
    return b"".join(format_field(field, tokens) for field, tokens in fields.items())
