"""The addresses of a list: its own, and one for each command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.command_address import Command, parse_local_part
from mailer.domain.keyring import Keyring
from mailer.domain.mailing_list import MAX_NAME_OCTETS, check_list_name
from mailer.domain.token import Purpose, sign_token
from mailer.errors import ListNameRefused

KEYRING = Keyring(b"p" * 32, ((1, b"k" * 32),))


@given(st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True))
def test_a_list_and_its_command_addresses_are_never_mistaken_for_another(name: str) -> None:
    try:
        check_list_name(name)
    except ListNameRefused:
        return
    token = sign_token(KEYRING, Purpose.CONFIRM, 1)

    parsed = {local: parse_local_part(local) for local in (name, f"{name}-join", f"{name}-confirm+{token}")}

    assert [(one.list_name, one.command) for one in parsed.values()] == [
        (name, Command.POST),
        (name, Command.JOIN),
        (name, Command.CONFIRM),
    ]
    assert parse_local_part(f"{name}-join-pt-br").language == "pt-br"
    assert max(map(len, parsed)) <= 64


@pytest.mark.parametrize(
    "name",
    ["appeals-join", "appeals-owner", "appeals-subscribe-tr", "a-request", "postmaster", "bounce", "abuse", "Appeals",
     "two words", "a--b", "-a", "x" * (MAX_NAME_OCTETS + 1), "", "ümlaut", "a.b", "a+b"],
)  # fmt: skip
def test_a_name_that_is_malformed_or_would_shadow_a_command_address_is_refused(name: str) -> None:
    with pytest.raises(ListNameRefused):
        check_list_name(name)


def test_the_longest_name_and_a_token_still_fit_a_local_part() -> None:
    name = check_list_name("x" * MAX_NAME_OCTETS)

    assert len(f"{name}-confirm+{sign_token(KEYRING, Purpose.CONFIRM, 1)}") <= 64
