"""Reading a mail as a person's: its sender, the marks of automatic mail, its subject and its own text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.domain.address import Address, parse_address
from mailer.domain.language import parse_language
from mailer.errors import AddressRefused
from mailer.mail.message.auto_generated import find_ambiguous_mark, find_automatic_mark, is_auto_reply_subject
from mailer.mail.message.mime_parser import Part
from mailer.mail.message.parsed_message import ParsedMessage
from mailer.mail.message.reply_text import extract_reply_text
from mailer.mail.message.subject_prefix import strip_subject_prefixes
from mailer.mail.message.text_decoding import decode_encoded_words

_MAX_NAME, _MAX_ADDRESS = 100, 320
# Line ends, control characters, surrogates, and characters that change the direction of the text after them.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>")
_REPLY_FIELDS = {"in-reply-to", "references"}
# A display name may be quoted, and then hold anything (RFC 5322 section 3.4).
_NAMED = re.compile(r'\s*((?:"(?:[^"\\]|\\.)*"|[^"<>,])*)<\s*([^<>\s]*)\s*>')
_BARE = re.compile(r"[^\s<>(),:;\"]+@[^\s<>(),:;\"]+")
# Bounce address tag validation: prvs=TAG=rosa@example.org is rosa@example.org.
_BATV_TAGGED = re.compile(r"<?(?:prvs=[^=@]*=|btv1==[^=@]*==)?([^<>]*)>?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundMail:
    """What the service needs of a mail."""

    sender: Address | None
    """The address in From, else the envelope sender; None if neither is a valid address."""
    sender_name: str | None
    automatic_mark: str | None
    """The mark that shows that a program sent it by itself (RFC 3834): it cannot ask for or confirm anything."""
    subject: str
    message_id: str | None
    language: str | None
    """The first tag of Content-Language."""
    reply_text: str
    """The author's own text, without quotes and signatures."""
    is_blank: bool
    """Whether it contains nothing, or nothing but a quote of the mail that it replies to."""
    is_reply: bool
    """Whether it replies to another mail, by its fields or its subject."""
    ambiguous_mark: str | None = None
    """A mark that automatic mail has and a person's mail may have: only what its own text says may be acted on."""
    has_auto_reply_subject: bool = False
    """Whether its subject begins like those of vacation programs."""
    references: frozenset[str] = frozenset()
    """The Message-IDs in In-Reply-To and References."""
    header_recipients: frozenset[str] = frozenset()
    """The addresses in To and Cc, in lower case."""
    is_sent_by_author: bool = False
    """Whether the envelope sender is the address in From."""

    @property
    def any_mark(self) -> str | None:
        """A certain or ambiguous mark of automatic mail."""
        return self.automatic_mark or self.ambiguous_mark


def parse_inbound_mail(message: ParsedMessage, envelope_sender: str) -> InboundMail:
    """Read a mail as a person's. Never fails, whatever its octets are."""
    mail = message.root
    name, sender = _parse_from(mail.fields.get("from", ""))
    message_id = _MESSAGE_ID.search(mail.fields.get("message-id", ""))
    subject = _clean(decode_encoded_words(mail.fields.get("subject", "")))
    reply = extract_reply_text(mail)
    return InboundMail(
        sender=sender or _address_or_none(envelope_sender),
        sender_name=name if sender else None,
        automatic_mark=find_automatic_mark(mail, envelope_sender),
        subject=subject,
        message_id=message_id[0] if message_id else None,
        language=_find_language(mail),
        reply_text=reply.text,
        is_blank=reply.is_blank,
        is_reply=bool(mail.fields.keys() & _REPLY_FIELDS) or strip_subject_prefixes(subject)[1],
        ambiguous_mark=find_ambiguous_mark(mail, envelope_sender, subject),
        has_auto_reply_subject=is_auto_reply_subject(subject),
        references=frozenset(_find_all(_MESSAGE_ID, mail, "in-reply-to", "references")),
        header_recipients=frozenset(address.lower() for address in _find_all(_BARE, mail, "to", "cc")),
        is_sent_by_author=sender is not None and _envelope_key(envelope_sender) == sender.key,
    )


def _parse_from(value: str) -> tuple[str | None, Address | None]:
    """The display name and the first address of a From field, separated before encoded words are decoded."""
    if named := _NAMED.match(value):
        name = re.sub(r"\\(.)", r"\1", named[1].strip().removeprefix('"').removesuffix('"'))
        return _clean(decode_encoded_words(name))[:_MAX_NAME].strip() or None, _address_or_none(named[2])
    bare = _BARE.search(value)
    return None, _address_or_none(bare[0]) if bare else None


def _address_or_none(text: str) -> Address | None:
    if len(text) > _MAX_ADDRESS:
        return None
    try:
        return parse_address(text)
    except AddressRefused:
        return None


def _envelope_key(sender: str) -> str | None:
    tagged = _BATV_TAGGED.fullmatch(sender)
    address = _address_or_none(tagged[1]) if tagged else None
    return address.key if address else None


def _find_all(pattern: re.Pattern[str], mail: Part, *names: str) -> list[str]:
    return [found for name in names for found in pattern.findall(mail.fields.get(name, ""))]


def _find_language(mail: Part) -> str | None:
    tags = map(parse_language, mail.fields.get("content-language", "").split(","))
    return next((tag for tag in tags if tag is not None), None)


def _clean(text: str) -> str:
    return " ".join(_INVISIBLE.sub(" ", text).split())
