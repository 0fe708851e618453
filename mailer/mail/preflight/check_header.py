"""Checks of a letter's header: what receivers of bulk mail ask for (RFC 5322, 2369, 2919, 8058, 6376)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import getaddresses

from mailer.domain.letters.preflight import PreflightResult, PreflightRule, blocking, fine, warning
from mailer.mail.dkim.tag_list import parse_tag_list
from mailer.mail.preflight.sample_letter import SampleLetter

_ONCE = ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type", "List-Id", "List-Unsubscribe")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")
_LIST_ID = re.compile(r"<[A-Za-z0-9._-]+\.[A-Za-z0-9.-]+>\s*$")
_BARE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_MOST_HEADER_OCTETS, _LONGEST_LINE = 16_384, 998
_FAULT_OF_OURS = "This is a fault of the service; please report it."


def check_header(sample: SampleLetter) -> Iterator[PreflightResult]:
    """What receivers ask of the header and of the octets; `fine` where nothing is wrong."""
    faults = [*_octet_faults(sample), *_field_faults(sample)]
    for fault in faults:
        yield blocking(PreflightRule.HEADER, fault, _FAULT_OF_OURS)
    unsubscribe = _unsubscribe_results(sample)
    yield from unsubscribe
    if not faults and not any(one.blocks for one in unsubscribe):
        yield fine(PreflightRule.HEADER, "From, Message-ID, List-Id and the rest are as receivers ask")


def check_signature(sample: SampleLetter, signing_domain: str | None) -> Iterator[PreflightResult]:
    """Whether the letter is signed by the domain that signs for its From; None: none does."""
    rule, domain = PreflightRule.DKIM, from_domain(sample)
    if signing_domain is None:
        cure = "Make a key with `mailer dkim new`, unless the relay signs for this domain."
        yield warning(rule, f"the letter is not signed: no [[dkim]] signs for {domain}", cure)
        return
    signatures = [parse_tag_list(str(field)) for field in sample.message.get_all("DKIM-Signature", [])]
    if not any(tags.get("d", "").lower() == signing_domain for tags in signatures):
        yield blocking(rule, f"the letter has no signature of {signing_domain}", _FAULT_OF_OURS)
    else:
        yield fine(rule, f"signed by {signing_domain}")


def from_domain(sample: SampleLetter) -> str:
    """The domain of the address in From, "" if there is none."""
    found = getaddresses([sample.field("From")])
    return found[0][1].rpartition("@")[2].lower() if found else ""


def _octet_faults(sample: SampleLetter) -> Iterator[str]:
    content = sample.letter.content
    if _BARE_END.search(content) or b"\0" in content:
        yield "there is a bare line end or a NUL in the letter"
    if not content.isascii():
        yield "there are octets beyond ASCII in the letter"
    if max(map(len, content.split(b"\r\n"))) > _LONGEST_LINE:
        yield f"a line has more than {_LONGEST_LINE} octets"
    if len(sample.header) > _MOST_HEADER_OCTETS:
        yield f"the header has {len(sample.header):,} octets"
    if any(part.defects for part in sample.message.walk()):
        yield "the letter's MIME structure is damaged"


def _field_faults(sample: SampleLetter) -> Iterator[str]:
    for name in _ONCE:
        if (number := sample.count(name)) != 1:
            yield f"there are {number} fields {name}, and one is needed" if number else f"there is no field {name}"
    senders = getaddresses([sample.field("From")])
    if len(senders) != 1 or "." not in senders[0][1].rpartition("@")[2]:
        yield f"From is not one address: {sample.field('From')[:80]}"
    if not _MESSAGE_ID.fullmatch(sample.field("Message-ID").strip()):
        yield "the Message-ID is not well-formed"
    if not _LIST_ID.search(sample.field("List-Id")):
        yield "the List-Id is not well-formed"


def _unsubscribe_results(sample: SampleLetter) -> list[PreflightResult]:
    rule = PreflightRule.HEADER
    urls = re.findall(r"<([^<>]+)>", sample.field("List-Unsubscribe"))
    pages = [url for url in urls if not url.startswith("mailto:")]
    one_click = sample.field("List-Unsubscribe-Post").strip() == "List-Unsubscribe=One-Click"
    if len(pages) != 1 or not one_click:
        return [blocking(rule, "there is no way to unsubscribe with one click (RFC 8058)", _FAULT_OF_OURS)]
    if not pages[0].startswith("https://"):
        message = "the page to unsubscribe is not https, so receivers offer no way out with one click"
        return [warning(rule, message, "Set url of [service] in settings.toml to an https address.")]
    body_links = (sample.text, sample.html)
    if any(pages[0] not in body for body in body_links if body):
        return [blocking(rule, "the letter itself does not show how to unsubscribe", "Its template must: leave_url.")]
    return [fine(rule, "one click unsubscribes (RFC 8058), and the letter shows how")]
