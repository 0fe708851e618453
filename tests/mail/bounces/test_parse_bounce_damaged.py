"""A bounce notice that is cut off, re-encoded or forwarded is never more severe than the whole one."""

from __future__ import annotations

import base64
import quopri
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.domain.bounce import DsnAction, FeedbackKind, Severity
from mailer.mail.bounces.parse_bounce import parse_bounce
from tests.support.app_helpers import ROOT

OWN_SAMPLES = {file.stem: file.read_bytes() for file in sorted((Path(__file__).parent / "samples").glob("*.eml"))}
CORPORA = [Path(__file__).parent / "corpus", ROOT.parent / "shared" / "corpora" / "bounces"]
"""The second is tested where it lies beside the checkout."""
CORPUS_SAMPLES = {file.stem: file.read_bytes() for one in CORPORA for file in sorted(one.glob("mails/*.eml"))}
SAMPLED_MAILS = OWN_SAMPLES | dict(list(CORPUS_SAMPLES.items())[::6])
KNOWN_HARD = {"lhost-gmail-05"}
"""Its address reads "does not exist": divided over two lines it is a phrase."""
GATEWAY = b"From: MAILER-DAEMON@gw.example.net\nSubject: Undelivered mail\nAuto-Submitted: auto-generated\n"


def is_hard(raw: bytes) -> bool:
    found = parse_bounce(raw, ("lists.example.org",))
    each = [*found.recipients, *([found.unnamed] if found.unnamed else [])]
    return found.kind is FeedbackKind.BOUNCE and any(
        one.severity is Severity.HARD for one in each if one.action is DsnAction.FAILED
    )


def split_fields(raw: bytes) -> tuple[list[bytes], bytes]:
    """The fields of the header, and the body."""
    head, _, body = raw.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    return re.split(rb"\n(?=[^ \t])", head), body


def join_fields(fields: list[bytes], body: bytes) -> bytes:
    return b"\n".join(fields) + b"\n\n" + body


def field_name(field: bytes) -> bytes:
    return field.partition(b":")[0].lower()


def encode_body(fields: list[bytes], body: bytes, how: bytes) -> bytes:
    """The mail as a gateway re-encodes it that takes no 8-bit mail; an encoded body stays as it is."""
    if any(field_name(field) == b"content-transfer-encoding" and b"bit" not in field.lower() for field in fields):
        return join_fields(fields, body)
    kept = [field for field in fields if field_name(field) != b"content-transfer-encoding"]
    text = base64.encodebytes(body) if how == b"base64" else quopri.encodestring(body)
    return join_fields([*kept, b"Content-Transfer-Encoding: " + how], text)


def boundary(fields: list[bytes]) -> bytes | None:
    kind = next((field for field in fields if field_name(field) == b"content-type"), b"")
    found = re.search(rb'boundary\s*=\s*"?([^";\s]+)', kind, re.IGNORECASE)
    return b"\n--" + found[1] if found else None


def without_headers(raw: bytes) -> Iterator[tuple[str, bytes]]:
    fields, body = split_fields(raw)
    for name in sorted(set(map(field_name, fields))):
        yield f"without {name.decode('latin-1')}", join_fields([one for one in fields if field_name(one) != name], body)
    yield "without a header", b"\n" + body
    yield (
        "without MIME fields",
        join_fields([one for one in fields if not field_name(one).startswith((b"content", b"mime"))], body),
    )
    yield (
        "with the least",
        join_fields([one for one in fields if field_name(one) in {b"from", b"to", b"subject"}], body),
    )


def with_other_encodings(raw: bytes) -> Iterator[tuple[str, bytes]]:
    fields, body = split_fields(raw)
    between = boundary(fields)
    for how in (b"base64", b"quoted-printable"):
        if between is None:
            yield f"in {how.decode()}", encode_body(fields, body, how)
            continue
        before, *parts = (b"\n" + body).split(between)
        written = [before]
        for part in parts:
            if part.startswith(b"--"):
                written.append(part)
                continue
            head, _, text = part.partition(b"\n")[2].partition(b"\n\n")
            written.append(b"\n" + encode_body(head.split(b"\n"), text + b"\n", how).rstrip(b"\n"))
        yield f"parts in {how.decode()}", join_fields(fields, between.join(written).lstrip(b"\n"))


def forwarded_forms(raw: bytes) -> Iterator[tuple[str, bytes]]:
    whole = join_fields(*split_fields(raw))
    yield "as a mail alone", GATEWAY + b"Content-Type: message/rfc822\n\n" + whole
    mixed = GATEWAY + b'Content-Type: multipart/mixed; boundary="=_gw"\n\n--=_gw\nContent-Type: message/rfc822\n'
    yield "attached", mixed + b"\n" + whole + b"\n--=_gw--\n"
    encoded_so = b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(whole)
    yield "attached in base64", mixed + encoded_so + b"\n--=_gw--\n"


def without_a_part(raw: bytes) -> Iterator[tuple[str, bytes]]:
    fields, body = split_fields(raw)
    between = boundary(fields)
    pieces = (b"\n" + body).split(between) if between else []
    for place in range(2, len(pieces) - 1):
        yield (
            f"without part {place}",
            join_fields(fields, between.join(pieces[:place] + pieces[place + 1 :]).lstrip(b"\n")),
        )


@pytest.mark.parametrize("change", [without_headers, with_other_encodings, forwarded_forms, without_a_part])
def test_no_lost_field_or_part_makes_a_notice_hard(change) -> None:
    for name, raw in SAMPLED_MAILS.items():
        if is_hard(raw) or name.startswith("a_person"):
            continue
        for what, changed in change(raw):
            assert not is_hard(changed), (name, what)


def test_no_notice_becomes_hard_when_it_is_cut_off() -> None:
    chance = random.Random(7)
    for name, raw in (OWN_SAMPLES | CORPUS_SAMPLES).items():
        if is_hard(raw) or name in KNOWN_HARD:
            continue
        lines = [found.end() for found in re.finditer(rb"\n", raw)]
        places = range(20, len(raw), 41) if name in OWN_SAMPLES else chance.choices(range(20, min(len(raw), 6000)), k=4)
        for place in [*places, *(lines if name in OWN_SAMPLES else chance.choices(lines, k=2))]:
            assert not is_hard(raw[:place]), (name, place, raw[:place][-200:])


def test_a_whole_hard_notice_stays_hard_re_encoded_or_forwarded() -> None:
    reports = [("rfc_3464", change) for change in (with_other_encodings, forwarded_forms)]
    for name, change in [
        *reports,
        *((name, with_other_encodings) for name in ("sendmail", "gmail_of_today", "exim", "qmail")),
    ]:
        for what, changed in change(OWN_SAMPLES[name]):
            assert is_hard(changed), (name, what)
