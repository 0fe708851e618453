"""Reading a mail that came in: who wrote it, whether a program did, and what its own first words are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.domain.address import Address, parse_address
from mailer.domain.language import parse_language
from mailer.errors import AddressRefused
from mailer.mail.message.auto_generated import automatic, doubtful, has_subject_of_program
from mailer.mail.message.mime_parser import Part, decode_words, split_mail
from mailer.mail.message.reply_text import own_words
from mailer.mail.message.subject_prefix import bare_subject

_LONGEST_NAME, _LONGEST_ADDRESS = 100, 320
# Line ends and controls, halves of characters, and what turns the direction of the words after it.
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>")
_REPLY_FIELDS = {"in-reply-to", "references"}
# A display name may be quoted, and then hold anything (RFC 5322 section 3.4).
_NAMED = re.compile(r'\s*((?:"(?:[^"\\]|\\.)*"|[^"<>,])*)<\s*([^<>\s]*)\s*>')
_BARE = re.compile(r"[^\s<>(),:;\"]+@[^\s<>(),:;\"]+")
# Bounce address tag validation: prvs=TAG=rosa@example.org is rosa's.
_TAGGED = re.compile(r"<?(?:prvs=[^=@]*=|btv1==[^=@]*==)?([^<>]*)>?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a mail says, as far as the service needs it."""

    sender: Address | None
    """Who wrote: From, else the envelope sender; None where neither is an address."""
    sender_name: str | None
    automatic: str | None
    """What shows that a program sent it by itself (RFC 3834), or None: it asks for nothing and agrees to nothing."""
    subject: str
    message_id: str | None
    language: str | None
    """The first tag of Content-Language."""
    own_words: str
    """The person's own first text, without quotes and signatures."""
    is_blank: bool
    """Whether it says nothing at all, but for a quote of the mail that it answers."""
    is_reply: bool
    """Whether it answers another mail: by its fields or its subject."""
    doubtful: str | None = None
    """What programs' mail has and a person's may have, or None; only what its own words say may be acted on."""
    has_programs_subject: bool = False
    """Whether its subject begins as those of vacation programs do."""
    answers: frozenset[str] = frozenset()
    """The Message-IDs of the mails that it answers."""
    addressed_to: frozenset[str] = frozenset()
    """The addresses in To and Cc, in lower case."""
    sent_by_author: bool = False
    """Whether the envelope sender is the address in From."""

    @property
    def marked(self) -> str | None:
        """What a program may have left on it."""
        return self.automatic or self.doubtful


def read_mail(raw: bytes, envelope_sender: str) -> Heard:
    """What the octets of a mail say; never fails, whatever they are."""
    return read_part(split_mail(raw), envelope_sender)


def read_part(mail: Part, envelope_sender: str) -> Heard:
    """What a mail says whose header and body are told apart already."""
    name, sender = _sender(mail.fields.get("from", ""))
    identity = _MESSAGE_ID.search(mail.fields.get("message-id", ""))
    subject = _clean(decode_words(mail.fields.get("subject", "")))
    own = own_words(mail)
    return Heard(
        sender=sender or _address(envelope_sender),
        sender_name=name if sender else None,
        automatic=automatic(mail, envelope_sender),
        subject=subject,
        message_id=identity[0] if identity else None,
        language=_language(mail),
        own_words=own.text,
        is_blank=own.is_blank,
        is_reply=bool(mail.fields.keys() & _REPLY_FIELDS) or bare_subject(subject)[1],
        doubtful=doubtful(mail, envelope_sender, subject),
        has_programs_subject=has_subject_of_program(subject),
        answers=frozenset(_found(_MESSAGE_ID, mail, "in-reply-to", "references")),
        addressed_to=frozenset(address.lower() for address in _found(_BARE, mail, "to", "cc")),
        sent_by_author=sender is not None and _envelope(envelope_sender) == sender.key,
    )


def _sender(value: str) -> tuple[str | None, Address | None]:
    """The first address of a From field, and the name before it; both are told apart before words are decoded."""
    if named := _NAMED.match(value):
        name = re.sub(r"\\(.)", r"\1", named[1].strip().removeprefix('"').removesuffix('"'))
        return _clean(decode_words(name))[:_LONGEST_NAME].strip() or None, _address(named[2])
    bare = _BARE.search(value)
    return None, _address(bare[0]) if bare else None


def _address(text: str) -> Address | None:
    if len(text) > _LONGEST_ADDRESS:
        return None
    try:
        return parse_address(text)
    except AddressRefused:
        return None


def _envelope(sender: str) -> str | None:
    tagged = _TAGGED.fullmatch(sender)
    address = _address(tagged[1]) if tagged else None
    return address.key if address else None


def _found(pattern: re.Pattern[str], mail: Part, *names: str) -> list[str]:
    return [found for name in names for found in pattern.findall(mail.fields.get(name, ""))]


def _language(mail: Part) -> str | None:
    tags = map(parse_language, mail.fields.get("content-language", "").split(","))
    return next((tag for tag in tags if tag is not None), None)


def _clean(text: str) -> str:
    return " ".join(_UNSHOWN.sub(" ", text).split())
