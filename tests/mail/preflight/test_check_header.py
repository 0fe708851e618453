"""The header: what each receiver of bulk mail asks for, missing once at a time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mailer.mail.dkim.signing import Signer, sign_letter
from mailer.mail.message.letter import Letter
from mailer.mail.preflight.check_header import check_header, check_signature, from_domain
from mailer.mail.preflight.sample_letter import SampleLetter
from tests.support.sample_letters import HEADER, LEAVE, written_letter, wrong


def test_a_header_in_order_has_no_fault() -> None:
    assert wrong(check_header(written_letter())) == []


@pytest.mark.parametrize("name", [one for one in HEADER if one != "List-Unsubscribe-Post"])
def test_each_field_that_is_needed_is_missed(name: str) -> None:
    found = wrong(check_header(written_letter(**{name.replace("-", "_"): ""})))

    assert ("blocking", f"there is no field {name}") in found


@pytest.mark.parametrize("name", ["From", "Subject", "Date", "To", "Message-ID"])
def test_a_second_field_is_told(name: str) -> None:
    found = wrong(check_header(written_letter(extra=f"{name}: {HEADER[name]}")))

    assert ("blocking", f"there are 2 fields {name}, and one is needed") in found


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"From": "a@example.org, b@example.org"}, "From is not one address"),
        ({"From": "appeals@localhost"}, "From is not one address"),
        ({"Message_ID": "<no at sign>"}, "the Message-ID is not well-formed"),
        ({"List_Id": "Open Appeals"}, "the List-Id is not well-formed"),
        ({"List_Unsubscribe": "<mailto:leave@example.org>"}, "no way to unsubscribe with one click"),
        ({"List_Unsubscribe_Post": ""}, "no way to unsubscribe with one click"),
        ({"List_Unsubscribe": "<https://lists.example.org/leave/other>"}, "does not show how to unsubscribe"),
        ({"X_Long": "a" * 1000}, "more than 998 octets"),
    ],
)
def test_each_field_is_as_receivers_ask(fields: dict[str, str], fault: str) -> None:
    found = wrong(check_header(written_letter(**fields)))

    assert any(severity == "blocking" and fault in message for severity, message in found), found


def test_a_page_to_leave_without_https_is_a_warning() -> None:
    plain = LEAVE.replace("https://", "http://")

    [(severity, message)] = wrong(check_header(written_letter(List_Unsubscribe=f"<{plain}>")))

    assert (severity, "not https" in message) == ("warning", True)


@pytest.mark.parametrize(("old", "new"), [(b"\r\n", b"\n"), (b"apples", b"\xc3\xa4pfel"), (b"apples", b"app\0les")])
def test_octets_that_do_not_travel_are_told(old: bytes, new: bytes) -> None:
    content = written_letter().letter.content.replace(old, new)

    assert wrong(check_header(SampleLetter(Letter("", "", content))))


def test_the_signature_is_of_the_domain_that_signs() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    signer = Signer(domain="lists.example.org", selector="mailer", key=key)
    unsigned = written_letter()
    signed = SampleLetter(sign_letter(signer, unsigned.letter, datetime(2027, 3, 1, tzinfo=UTC)))

    assert from_domain(signed) == "lists.example.org"
    assert wrong(check_signature(signed, "lists.example.org")) == []
    assert wrong(check_signature(signed, "example.org")) == [("blocking", "the letter has no signature of example.org")]
    assert wrong(check_signature(unsigned, "lists.example.org"))[0][0] == "blocking"
    assert wrong(check_signature(unsigned, None))[0][0] == "warning"
