"""Reading a mail that came back: a bounce, a delay, a complaint, a receipt or an automatic reply, and of whom."""

from __future__ import annotations

from collections.abc import Collection

from mailer.domain.bounce import Action, Reason, Returned, ReturnedFor, ReturnKind, Weight, perhaps
from mailer.mail.bounces.address_extraction import address_in, is_own
from mailer.mail.bounces.amazon_email import amazon_notification
from mailer.mail.bounces.arf_complaint import complaint_in
from mailer.mail.bounces.auto_reply import answering_robot
from mailer.mail.bounces.bounce_recipients import bounced_for, is_incomplete, unnamed
from mailer.mail.bounces.detect_notice import is_notice
from mailer.mail.bounces.dsn_fields import status_fields
from mailer.mail.bounces.report_parts import SortedParts, inner_mail, sort_parts
from mailer.mail.message.mime_parser import decode_words
from mailer.mail.message.reply_text import own_words

_FEWEST_WORDS = 3


def read_return(raw: bytes, own: Collection[str] = ()) -> Returned:
    """What the octets of a mail say came back; never fails, whatever they are.

    `own` are our addresses, and domains all of whose addresses are ours: they are never recipients. A person's mail is
    of kind NONE, though it quote a bounce or have one attached.
    """
    ours = frozenset(name.strip().lower() for name in own)
    mail = sort_parts(raw)
    return _read(mail, ours) or _forwarded(mail, ours) or Returned(kind=ReturnKind.NONE)


def _read(mail: SortedParts, own: frozenset[str]) -> Returned | None:
    if complained := complaint_in(mail, own):
        return complained
    if notified := amazon_notification(mail.texts[0], own) if mail.texts else None:
        return notified
    subject = decode_words(mail.top.fields.get("subject", ""))
    if (disposed := mail.report("disposition")) and not _is_rejection(mail):
        return _shown(disposed, own)
    if is_notice(mail, subject):
        found = bounced_for(mail, subject, own)
        nobody = None if found else unnamed(mail, subject)
        actions = {each.action for each in (*found, nobody) if each}
        if is_incomplete(mail):
            found, nobody = tuple(map(perhaps, found)), nobody and perhaps(nobody)
        return Returned(kind=_kind(actions), recipients=found, unnamed=nobody)
    return _answered(mail, subject, own)


def _is_rejection(mail: SortedParts) -> bool:
    # Dovecot and Sieve filters (RFC 5429) refuse with what is else a receipt.
    return "reject" in mail.top.fields.get("auto-submitted", "") or any(" rejected" in text for text in mail.texts)


def _kind(actions: Collection[Action]) -> ReturnKind:
    if Action.FAILED in actions:
        return ReturnKind.BOUNCE
    return ReturnKind.DELAY if Action.DELAYED in actions else ReturnKind.RECEIPT


def _forwarded(mail: SortedParts, own: frozenset[str]) -> Returned | None:
    """A bounce that a robot passed on whole, or somebody without a word of theirs."""
    if len(mail.originals) != 1 or len(own_words(mail.top).text.split()) >= _FEWEST_WORDS:
        return None
    inner = inner_mail(mail.originals[0])
    return _read(inner, own) if inner.reports else None


def _shown(report: str, own: frozenset[str]) -> Returned:
    """A receipt: the mail was shown to somebody, or thrown away unread (RFC 8098)."""
    named = [each.address for each in status_fields(report) if each.address and not is_own(each.address, own)]
    return Returned(kind=ReturnKind.RECEIPT, recipients=tuple(_harmless(address, Reason.RECEIPT) for address in named))


def _answered(mail: SortedParts, subject: str, own: frozenset[str]) -> Returned | None:
    if not answering_robot(mail.top, subject):
        return None
    sender = address_in(mail.top.fields.get("from", ""))
    of = (_harmless(sender, Reason.VACATION),) if sender and not is_own(sender, own) else ()
    return Returned(kind=ReturnKind.AUTO_REPLY, recipients=of)


def _harmless(address: str, reason: Reason) -> ReturnedFor:
    return ReturnedFor(
        address=address,
        action=Action.DELIVERED,
        status=None,
        diagnostic="",
        weight=Weight.IGNORE,
        reason=reason,
    )
