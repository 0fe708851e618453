"""Of whom a mail system's notice tells, and what: from its report for machines, else from its words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mailer.domain.bounce import Action, ReturnedFor
from mailer.mail.bounces.address_extraction import addresses_in, is_own
from mailer.mail.bounces.arf_complaint import recipients_of_original
from mailer.mail.bounces.classify_bounce import judged
from mailer.mail.bounces.dsn_fields import StatusFields, holds_status, status_fields
from mailer.mail.bounces.flufl_detector import second_opinion
from mailer.mail.bounces.free_text_notice import Told, notice_of, told_recipients
from mailer.mail.bounces.phrase_matcher import spoken
from mailer.mail.bounces.phrases_notice import DELAYS, GIVEN_UP
from mailer.mail.bounces.report_parts import SortedParts, inner_mail
from mailer.mail.bounces.smtp_reply_reason import told_reason
from mailer.mail.message.mime_parser import split_mail

_ONCE, _MOST_MARKED = 1, 100
_REPORT = "multipart/report"
_LOST_TYPE = re.compile(
    r"^--\S[^\n]{0,200}\ncontent-[a-z-]{2,30}:|^this is a (?:mime-encapsulated|multi-?part) message\b",
    re.MULTILINE | re.IGNORECASE,
)
"""Parts in what should be one text: the field is lost that says how they are divided."""
_REPLY = re.compile(r"(?<![\d.])5\d\d[ -]5\.\d{1,2}\.\d{1,3} ")


def bounced_for(
    mail: SortedParts, subject: str, own: Collection[str], *, wrapped: bool = True
) -> tuple[ReturnedFor, ...]:
    """Each recipient once, in the order of the notice; empty where it names nobody.

    `wrapped`: where it names nobody, the letter it returns may be the notice proper, in a gateway's wrapping.
    """
    text = "\n\n".join(mail.texts)
    notice = notice_of(text)
    told = told_recipients(notice, own, _ours(mail))
    if len(notice) < len(text):
        # Many put the letter's header into the text.
        mail.originals.append(split_mail(text[len(notice) :].lstrip("\n").partition("\n")[2].lstrip().encode()))
    if fields := _reported(mail, text, own):
        return _by_report(mail, fields, told, subject, notice, own)
    if wrapped and not told and (inner := next((each for each in mail.originals if each.kind == _REPORT), None)):
        return bounced_for(inner_mail(inner), subject, own, wrapped=False)
    return _by_words(mail, told, subject, notice, own)


def unnamed(mail: SortedParts, subject: str) -> ReturnedFor:
    """What a notice says that names nobody."""
    notice = notice_of("\n\n".join(mail.texts))
    each = next(iter(status_fields(mail.report("status"))), None)
    return judged(
        address="",
        action=(each and each.action) or (Action.DELAYED if _late(subject, notice) else Action.FAILED),
        status=each.status if each else None,
        said=each.diagnostic if each else "",
        notice=f"{notice}\n{subject}",
        transcript=notice,
    )


def is_incomplete(mail: SortedParts) -> bool:
    """Whether something of the notice is lost: its end, its header, or one of the two parts of a report (RFC 6522).

    A report whose fields stand in the text, or that tells there what was said in SMTP, has both.
    """
    text, kind = "\n\n".join(mail.texts), mail.top.kind
    notice = notice_of(text)
    if "from" not in mail.top.fields or (not kind.startswith("multipart/") and _LOST_TYPE.search(notice)):
        return True
    told = mail.report("status") or holds_status(text) or _REPLY.search(notice)
    if kind == _REPORT and not (text.strip() and told):
        return True
    # Where the letter that it returns has begun all is told.
    return mail.cut and len(notice) >= len(text.rstrip())


def _ours(mail: SortedParts) -> frozenset[str]:
    """The addresses the mail itself goes to and comes from."""
    found = (addresses_in(mail.top.fields.get(name, "")) for name in ("to", "from", "reply-to", "return-path"))
    return frozenset(address.lower() for each in found for _, _, address in each)


def _reported(mail: SortedParts, text: str, own: Collection[str]) -> list[StatusFields]:
    report = mail.report("status")
    letter_to = frozenset(address.lower() for address in recipients_of_original(mail, own))
    fields = status_fields(report, letter_to) if report else []
    if not fields and holds_status(text):
        fields = status_fields(text, letter_to)
    return [each for each in fields if not (each.address and is_own(each.address, own))]


def _by_report(
    mail: SortedParts,
    fields: list[StatusFields],
    told: list[Told],
    subject: str,
    notice: str,
    own: Collection[str],
) -> tuple[ReturnedFor, ...]:
    words = {each.address.lower(): each.said for each in told}
    others = list(_named(mail, told, own))
    found: dict[str, ReturnedFor] = {}
    for each in fields:
        # A pipe, or a host alone: the notice, or the letter itself, tells whose it was.
        address = each.address or (others[0] if len(fields) == _ONCE and others else None)
        if address is None:
            continue
        late = _late(subject, notice)
        action = each.action or (Action.DELAYED if late else Action.FAILED)
        alone = notice if len(fields) == _ONCE else ""
        beside = words.get(address.lower(), alone)
        judgement = judged(
            address=address,
            action=action,
            status=each.status,
            said=each.diagnostic,
            notice=beside,
            transcript=f"{each.comment}\n{alone}",
        )
        found.setdefault(address.lower(), judgement)
    return tuple(found.values())


def _named(mail: SortedParts, told: list[Told], own: Collection[str]) -> Iterator[str]:
    """Recipients as they may be known without a report, the surest first."""
    yield from (address for address in _marked(mail) if not is_own(address, own))
    yield from (each.address for each in told)
    yield from recipients_of_original(mail, own)


def _marked(mail: SortedParts) -> list[str]:
    """Those that Exim, Gmail and others name in the header."""
    named = mail.top.fields.get("x-failed-recipients", "")
    return [address for _, _, address in addresses_in(named, _MOST_MARKED)]


def _by_words(
    mail: SortedParts, told: list[Told], subject: str, notice: str, own: Collection[str]
) -> tuple[ReturnedFor, ...]:
    action = Action.DELAYED if _late(subject, notice) else Action.FAILED
    if marked := _marked(mail):
        words = {each.address.lower(): each.said for each in told}
        told = [Told(address=each, said=words.get(each.lower(), notice)) for each in dict.fromkeys(marked)]
    elif not told:
        told = [Told(address=each, said=notice) for each in _guessed(mail, notice, own)]
    # What is told before the names is told of all of them.
    shared = len(told) == _ONCE or all(told_reason(each.said) is None for each in told)
    return tuple(
        judged(
            address=each.address,
            action=action,
            status=None,
            said=each.said,
            notice=f"{notice}\n{subject}" if shared else "",
            transcript=notice if len(told) == _ONCE else "",
        )
        for each in told
        if not is_own(each.address, own)
    )


def _guessed(mail: SortedParts, notice: str, own: Collection[str]) -> list[str]:
    """Where the notice names nobody we find: whom another finds, else whom the returned letter was for."""
    others = second_opinion(mail.top.fields, "\n\n".join(mail.texts))
    found = [address for address in others if not is_own(address, own) and address.lower() not in _ours(mail)]
    return found or recipients_of_original(mail, own)[:_ONCE]


def _late(subject: str, notice: str) -> bool:
    """Whether the letter is still being tried, by the subject and all the notice's words."""
    said = spoken(f"{subject}\n{notice}")
    return any(True for _ in DELAYS.found(said)) and not any(True for _ in GIVEN_UP.found(said))
