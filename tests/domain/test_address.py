"""An address is checked once at the door, compared by key, and mailed as first given."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.address import parse_address
from mailer.errors import AddressRefused

CHARACTERS = st.text(alphabet="abZ09.-_+@!#'é ß\"(),;<>[]\\:%", max_size=20)


@given(st.one_of(CHARACTERS, st.builds("{}@{}.{}".format, CHARACTERS, CHARACTERS, CHARACTERS), st.emails()))
def test_the_quick_way_says_what_the_library_says(text: str) -> None:
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


def test_one_person_has_one_key_however_they_are_spelled() -> None:
    spellings = ["Rosa.Luz@Example.ORG", " rosa.luz@example.org "]

    assert {parse_address(text).key for text in spellings} == {"rosa.luz@example.org"}
    assert parse_address(spellings[0]).addr_spec == "Rosa.Luz@example.org"
    assert parse_address("rosa@bücher.example").addr_spec == "rosa@xn--bcher-kva.example"


def test_limits_see_through_plus_tags_and_dots() -> None:
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
def test_what_could_not_be_mailed_is_refused_by_name(text: str) -> None:
    with pytest.raises(AddressRefused, match="is not an address"):
        parse_address(text)
