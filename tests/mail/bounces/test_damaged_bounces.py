"""What is lost or changed of a notice on its way never makes it weigh more: nobody is cut off for want of a header."""

from __future__ import annotations

import base64
import quopri
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.domain.bounce import Action, ReturnKind, Weight
from mailer.mail.bounces.parse_bounce import read_return
from tests.support.app_helpers import ROOT

OURS = {file.stem: file.read_bytes() for file in sorted((Path(__file__).parent / "samples").glob("*.eml"))}
CORPUS = ROOT.parent / "shared" / "corpora" / "bounces" / "mails"
OTHERS = {file.stem: file.read_bytes() for file in sorted(CORPUS.glob("*.eml"))} if CORPUS.exists() else {}
SOME = OURS | dict(list(OTHERS.items())[::6])
SAID_SO = {"lhost-gmail-05"}
"""Whose address reads "does not exist": divided over two lines it is words."""
GATEWAY = b"From: MAILER-DAEMON@gw.example.net\nSubject: Undelivered mail\nAuto-Submitted: auto-generated\n"


def is_hard(raw: bytes) -> bool:
    found = read_return(raw, ("lists.example.org",))
    each = [*found.recipients, *([found.unnamed] if found.unnamed else [])]
    return found.kind is ReturnKind.BOUNCE and any(
        one.weight is Weight.HARD for one in each if one.action is Action.FAILED
    )


def divided(raw: bytes) -> tuple[list[bytes], bytes]:
    """The fields of the header, and the body."""
    head, _, body = raw.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    return re.split(rb"\n(?=[^ \t])", head), body


def joined(fields: list[bytes], body: bytes) -> bytes:
    return b"\n".join(fields) + b"\n\n" + body


def named(field: bytes) -> bytes:
    return field.partition(b":")[0].lower()


def encoded(fields: list[bytes], body: bytes, how: bytes) -> bytes:
    """As a gateway would have it that takes no 8-bit mail; what is encoded already stays."""
    if any(named(field) == b"content-transfer-encoding" and b"bit" not in field.lower() for field in fields):
        return joined(fields, body)
    kept = [field for field in fields if named(field) != b"content-transfer-encoding"]
    text = base64.encodebytes(body) if how == b"base64" else quopri.encodestring(body)
    return joined([*kept, b"Content-Transfer-Encoding: " + how], text)


def boundary(fields: list[bytes]) -> bytes | None:
    kind = next((field for field in fields if named(field) == b"content-type"), b"")
    found = re.search(rb'boundary\s*=\s*"?([^";\s]+)', kind, re.IGNORECASE)
    return b"\n--" + found[1] if found else None


def without_headers(raw: bytes) -> Iterator[tuple[str, bytes]]:
    fields, body = divided(raw)
    for name in sorted(set(map(named, fields))):
        yield f"without {name.decode('latin-1')}", joined([one for one in fields if named(one) != name], body)
    yield "without a header", b"\n" + body
    yield (
        "without MIME fields",
        joined([one for one in fields if not named(one).startswith((b"content", b"mime"))], body),
    )
    yield "with the least", joined([one for one in fields if named(one) in {b"from", b"to", b"subject"}], body)


def in_other_codes(raw: bytes) -> Iterator[tuple[str, bytes]]:
    fields, body = divided(raw)
    between = boundary(fields)
    for how in (b"base64", b"quoted-printable"):
        if between is None:
            yield f"in {how.decode()}", encoded(fields, body, how)
            continue
        before, *parts = (b"\n" + body).split(between)
        written = [before]
        for part in parts:
            if part.startswith(b"--"):
                written.append(part)
                continue
            head, _, text = part.partition(b"\n")[2].partition(b"\n\n")
            written.append(b"\n" + encoded(head.split(b"\n"), text + b"\n", how).rstrip(b"\n"))
        yield f"parts in {how.decode()}", joined(fields, between.join(written).lstrip(b"\n"))


def passed_on(raw: bytes) -> Iterator[tuple[str, bytes]]:
    whole = joined(*divided(raw))
    yield "as a mail alone", GATEWAY + b"Content-Type: message/rfc822\n\n" + whole
    mixed = GATEWAY + b'Content-Type: multipart/mixed; boundary="=_gw"\n\n--=_gw\nContent-Type: message/rfc822\n'
    yield "attached", mixed + b"\n" + whole + b"\n--=_gw--\n"
    encoded_so = b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(whole)
    yield "attached in base64", mixed + encoded_so + b"\n--=_gw--\n"


def without_a_part(raw: bytes) -> Iterator[tuple[str, bytes]]:
    fields, body = divided(raw)
    between = boundary(fields)
    pieces = (b"\n" + body).split(between) if between else []
    for place in range(2, len(pieces) - 1):
        yield f"without part {place}", joined(fields, between.join(pieces[:place] + pieces[place + 1 :]).lstrip(b"\n"))


@pytest.mark.parametrize("change", [without_headers, in_other_codes, passed_on, without_a_part])
def test_nothing_that_is_lost_or_changed_makes_a_notice_hard(change) -> None:
    for name, raw in SOME.items():
        if is_hard(raw) or name.startswith("a_person"):
            continue
        for what, changed in change(raw):
            assert not is_hard(changed), (name, what)


def test_no_notice_grows_hard_when_it_is_cut_off_wherever_that_is() -> None:
    chance = random.Random(7)
    for name, raw in (OURS | OTHERS).items():
        if is_hard(raw) or name in SAID_SO:
            continue
        lines = [found.end() for found in re.finditer(rb"\n", raw)]
        places = range(20, len(raw), 41) if name in OURS else chance.choices(range(20, min(len(raw), 6000)), k=4)
        for place in [*places, *(lines if name in OURS else chance.choices(lines, k=2))]:
            assert not is_hard(raw[:place]), (name, place, raw[:place][-200:])


def test_what_was_hard_and_is_whole_stays_so_in_another_code_and_passed_on() -> None:
    reports = [("rfc_3464", change) for change in (in_other_codes, passed_on)]
    for name, change in [
        *reports,
        *((name, in_other_codes) for name in ("sendmail", "gmail_of_today", "exim", "qmail")),
    ]:
        for what, changed in change(OURS[name]):
            assert is_hard(changed), (name, what)
