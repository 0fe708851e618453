"""Authentication-Results of our own servers, for the domain of the author."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.message.authentication_results import find_passed_check
from mailer.mail.message.header_section import parse_header_section

AUTHOR = "example.org"
RECEIVED = "Received: from m (m [192.0.2.1]) by mx.example.net (Postfix)"
THEIRS = "Received: from laptop (laptop [10.0.0.9]) by mail.example.org (Postfix)"
PASS = "Authentication-Results: mx.example.net; dmarc=pass header.from=example.org"


def passed(*fields: str, ours: int = 1, ids: tuple[str, ...] = ("mx.example.net",), author: str = AUTHOR) -> str | None:
    found = find_passed_check(parse_header_section("\r\n".join([*fields, "", ""]).encode()), ours, ids, author)
    return found.result if found else None


@pytest.mark.parametrize(
    ("says", "what"),
    [
        ("dmarc=pass (p=none dis=none) header.from=example.org", "dmarc=pass"),
        ("dmarc=pass (policy=none) header.from=Example.ORG", "dmarc=pass"),
        ("dmarc=pass action=none header.from=example.org", "dmarc=pass"),
        ("dkim=pass (2048-bit key; unprotected) header.d=example.org header.i=@example.org header.b=x", "dkim=pass"),
        ("dkim=pass header.i=rosa@news.example.org", None),
        ("dkim=pass header.i=rosa@example.org", "dkim=pass"),
        ("dkim=fail header.d=example.org", None),
        ("dkim=fail header.d=example.org; dkim=pass header.d=example.org", "dkim=pass"),
        ("dkim=pass header.d=provider.example.net", None),
        ("spf=pass (mx: domain of rosa@example.org designates it) smtp.mailfrom=rosa@example.org", "spf=pass"),
        ("spf=pass smtp.mailfrom=example.org; dmarc=none header.from=example.org", "spf=pass"),
        ("spf=pass smtp.helo=example.org", None),
        ("spf=softfail smtp.mailfrom=example.org", None),
        ("dkim=pass header.d=example.org; dmarc=fail (p=reject) header.from=example.org", None),
        ("dkim=pass header.d=example.org; dmarc=temperror header.from=example.org", None),
        ("dmarc=pass header.from=example.com", None),
        ("dmarc=pass", None),
        ("none", None),
        ("iprev=pass policy.iprev=192.0.2.1; arc=none; auth=pass smtp.auth=rosa@example.org", None),
        ('spf=pass smtp.mailfrom="a; dmarc=pass header.from=example.org"@example.com', None),
        ("spf=pass (said: ; dmarc=pass header.from=example.org) smtp.mailfrom=example.com", None),
        ("dmarc=pass header.from=", None),
        ("dmarc=pass header.from=example.org ((((", None),
        ("dmarc=pass header.from=example.org" + "(" * 3000, None),
    ],
)
def test_a_result_of_our_server_counts_for_the_authors_domain(says, what):
    assert passed(f"Authentication-Results: mx.example.net; {says}", RECEIVED) == what


def test_a_parent_domain_may_have_signed():
    field = "Authentication-Results: mx.example.net; dkim=pass header.d=example.org"

    assert passed(field, RECEIVED, author="news.example.org") == "dkim=pass"


@pytest.mark.parametrize("name", ["MX.Example.NET", "mx.example.net 1", "mx.example.net (ours)"])
def test_the_authserv_id_may_be_written_in_any_form(name):
    assert passed(f"AUTHENTICATION-RESULTS: {name}; dmarc=pass\r\n\theader.from=example.org", RECEIVED) == "dmarc=pass"


def test_only_fields_above_the_last_own_received_field_are_believed():
    assert passed(PASS, RECEIVED, THEIRS) == "dmarc=pass"
    assert passed(RECEIVED, PASS, RECEIVED, THEIRS, ours=2) == "dmarc=pass"
    for below in ((RECEIVED, PASS), (RECEIVED, PASS, THEIRS)):
        assert passed(*below) is None
        assert passed(RECEIVED, *below, ours=2) is None


def test_a_forged_field_is_not_believed():
    below = passed(RECEIVED, THEIRS, PASS)
    from_unknown_server = passed(PASS, RECEIVED, ours=0)
    other_name = passed(PASS.replace("mx.", "mx2."), RECEIVED)
    nobody_is_trusted = passed(PASS, RECEIVED, ids=())

    assert (below, from_unknown_server, other_name, nobody_is_trusted) == (None, None, None, None)


def test_of_two_fields_that_disagree_neither_is_believed():
    assert passed(PASS.replace("pass", "fail"), RECEIVED, PASS) is None
    assert passed(PASS, RECEIVED, PASS.replace("pass", "fail")) is None


@given(st.text(st.sampled_from('mx.example.net;=pasdkimrchf()"\\@ /1'), max_size=120) | st.text(max_size=60))
def test_no_authentication_results_field_raises(text):
    passed(f"Authentication-Results: mx.example.net; {text}", RECEIVED)
    passed(f"Authentication-Results: {text}", RECEIVED)
