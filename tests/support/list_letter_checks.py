"""What receivers ask of a mailing list's letters besides `letter_checks`: List- fields, unsubscribing, signatures."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

import dkim

from mailer.mail.dkim.tag_list import parse_tag_list
from tests.support.letter_checks import SentLetter, fault_if, is_aligned

MIN_TOKEN_CHARACTERS = 12
MUST_BE_SIGNED = {
    *("from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"),
    *("list-id", "list-unsubscribe", "list-unsubscribe-post", "cfbl-address", "cfbl-feedback-id"),
}
_URL = re.compile(r"https://[^\s\"'<>)\]]+")


def check_list_letter(letter: SentLetter) -> list[str]:
    """The faults of the List- fields and of the ways to unsubscribe (RFC 2369, 2919, 8058)."""
    return [*_check_list_fields(letter), *_check_unsubscribe(letter)]


def check_campaign_letter(letter: SentLetter) -> list[str]:
    """The faults of what only a campaign's letter has: Feedback-ID, Precedence."""
    return [
        *fault_if(not re.fullmatch(r"[^:]*:[^:]*:[^:]*:[^:]+", letter.field("Feedback-ID")), "Feedback-ID not 4 parts"),
        *fault_if(letter.field("Precedence").lower() != "bulk", "Precedence is not bulk"),
        *fault_if(letter.count("Auto-Submitted") > 0, "Auto-Submitted in a letter that people wrote"),
    ]


def check_reason(letter: SentLetter) -> list[str]:
    """Whether a letter with the English texts says why its reader gets it."""
    reasons = (letter.body("plain"), letter.body("html"))
    return fault_if(not all("You get this letter because" in " ".join(text.split()) for text in reasons), "no reason")


def check_notice(letter: SentLetter) -> list[str]:
    """The faults of a letter that the service writes itself (RFC 3834): no program may answer it."""
    submitted = letter.field("Auto-Submitted")
    return [
        *fault_if(not submitted.startswith(("auto-generated", "auto-replied")), f"Auto-Submitted: {submitted!r}"),
        *fault_if(letter.count("X-Auto-Response-Suppress") != 1, "no X-Auto-Response-Suppress"),
    ]


def check_signature(letter: SentLetter, zone: Mapping[str, str]) -> list[str]:
    """The faults of the DKIM signature (RFC 6376, 8301); `zone` maps names, with a last dot, to TXT records."""
    signatures = letter.message.get_all("DKIM-Signature", [])
    if len(signatures) != 1:
        return [f"{len(signatures)} DKIM-Signature fields"]
    tags = parse_tag_list("".join(str(signatures[0]).split()))
    signed = tags.get("h", "").lower().split(":")
    missing = {name for name in MUST_BE_SIGNED if letter.count(name) and name not in signed}
    oversigned = {name for name in ("from", "to", "subject", "date") if signed.count(name) <= letter.count(name)}

    return [
        *fault_if(not is_aligned(letter.from_domain, tags.get("d", "")), f"d={tags.get('d')} is not aligned"),
        *fault_if(bool(missing), f"not signed: {sorted(missing)}"),
        *fault_if(bool(oversigned), f"not oversigned: {sorted(oversigned)}"),
        *fault_if("l" in tags, "l= leaves the end of the body unsigned"),
        *fault_if(tags.get("a") != "rsa-sha256", f"a={tags.get('a')}"),
        *fault_if(tags.get("c") != "relaxed/relaxed", f"c={tags.get('c')}"),
        *fault_if(bool({"received", "return-path", "bcc"} & set(signed)), "signs fields that change on the way"),
        *fault_if(not _verifies(letter.content, zone), "the signature does not verify"),
    ]


def _verifies(content: bytes, zone: Mapping[str, str]) -> bool:
    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        return zone.get(name.decode(), "").encode() or None

    try:
        return bool(dkim.DKIM(content).verify(dnsfunc=look_up))
    except dkim.DKIMException:
        return False


def _check_list_fields(letter: SentLetter) -> Iterator[str]:
    list_id = letter.field("List-Id")
    yield from fault_if(not re.search(r"<[A-Za-z0-9_-]+(?:\.[A-Za-z0-9-]+)+>$", list_id), f"List-Id: {list_id}")
    yield from fault_if(letter.field("List-Post") != "NO", f"List-Post: {letter.field('List-Post')}")
    yield from fault_if(not (letter.count("List-Help") and letter.count("List-Owner")), "no List-Help or List-Owner")


def _check_unsubscribe(letter: SentLetter) -> Iterator[str]:
    pages = [url for url in letter.leave_links if url.startswith("https://")]
    yield from fault_if(len(pages) != 1, f"List-Unsubscribe: {letter.leave_links}")
    yield from fault_if(not any(url.startswith("mailto:") for url in letter.leave_links), "no mailto to unsubscribe")
    yield from fault_if(
        letter.field("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click", letter.field("List-Unsubscribe-Post")
    )
    yield from (f"an address in {url}" for url in pages if "@" in url)
    yield from (f"a short token in {url}" for url in pages if len(_token(url)) < MIN_TOKEN_CHARACTERS)
    for subtype in ("plain", "html"):
        shown = {html.unescape(url) for url in _URL.findall(letter.body(subtype))}
        own = [url for url in shown for page in pages if _site(url) == _site(page) and _token(url) == _token(page)]
        yield from fault_if(not own, f"no personal link to unsubscribe in the {subtype} part")


def _site(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _token(url: str) -> str:
    return re.split(r"[/=]", url)[-1]
