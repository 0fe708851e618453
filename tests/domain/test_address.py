"""Parsing addresses, and the keys by which they are compared and counted."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.address import parse_address
from mailer.errors import AddressRefused

CHARACTERS = st.text(alphabet="abZ09.-_+@!#'é ß\"(),;<>[]\\:%", max_size=20)


@given(st.one_of(CHARACTERS, st.builds("{}@{}.{}".format, CHARACTERS, CHARACTERS, CHARACTERS), st.emails()))
def test_the_fast_path_agrees_with_the_library(text: str) -> None:
    try:
        checked = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, globally_deliverable=False, strict=True
        )
        expected = checked.ascii_email if "." in checked.ascii_domain else None
    except EmailNotValidError:
        expected = None

    try:
        parsed = parse_address(text).addr_spec
    except AddressRefused:
        parsed = None

    assert parsed == expected


def test_spellings_of_one_address_have_one_key() -> None:
    spellings = ["Rosa.Luz@Example.ORG", " rosa.luz@example.org "]

    assert {parse_address(text).key for text in spellings} == {"rosa.luz@example.org"}
    assert parse_address(spellings[0]).addr_spec == "Rosa.Luz@example.org"
    assert parse_address("rosa@bücher.example").addr_spec == "rosa@xn--bcher-kva.example"


def test_the_mailbox_key_ignores_plus_tags_and_dots_at_gmail() -> None:
    assert parse_address("Rosa.L+news@gmail.com").mailbox_key == "rosal@gmail.com"
    assert parse_address("rosa.l+news@example.org").mailbox_key == "rosa.l@example.org"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rosa",
        "rosa@",
        "@example.org",
        "rosa@localhost",
        "a b@example.org",
        "ä@example.org",
        "rosa@example.org\nBcc: x@example.org",
        "x" * 65 + "@example.org",
    ],
)
def test_text_that_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(AddressRefused, match="is not an address"):
        parse_address(text)
