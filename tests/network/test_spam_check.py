"""SpamAssassin and rspamd are asked over real sockets; what they cannot say is an error, not a verdict."""

from __future__ import annotations

import socket
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import FetchFailed
from mailer.mail.message.letter import Letter
from mailer.network.spam_check import ask_rspamd, ask_spamassassin, parse_rspamd_answer, parse_spamd_answer
from tests.support.fake_spam_filters import fake_rspamd, fake_spamd, rspamd_answer, spamd_answer
from tests.support.real_spamd import running_spamd


def letter(body: bytes = b"The orchard is open on Saturday, and we bring apples.\r\n") -> Letter:
    head = (
        b"From: Open Appeals <appeals@lists.example.org>\r\nTo: rosa@example.org\r\nSubject: Come to the orchard\r\n"
        b"Date: "
        + formatdate().encode()
        + b"\r\nMessage-ID: <a.long.enough.name@lists.example.org>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return Letter("return+1@lists.example.org", "rosa@example.org", head + body)


async def test_spamassassin_is_shown_the_letter_and_its_rules_are_told_the_gravest_first() -> None:
    async with fake_spamd(spamd_answer(5.6, MISSING_DATE=1.4, DEAR_FRIEND=2.7, DKIM_VALID=-0.1)) as spamd:
        verdict = await ask_spamassassin("127.0.0.1", spamd.port, shown := letter())

    assert (verdict.score, verdict.limit, verdict.is_spam) == (5.6, 5.0, True)
    assert [(one.name, one.points) for one in verdict.rules] == [
        ("DEAR_FRIEND", 2.7),
        ("MISSING_DATE", 1.4),
        ("DKIM_VALID", -0.1),
    ]
    assert spamd.heads == [b"REPORT SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(shown.content)]
    assert spamd.letters == [shown.content]


async def test_rspamd_is_shown_the_letter_with_its_envelope() -> None:
    async with fake_rspamd(rspamd_answer(3.5, R_BAD=4.0, R_GOOD=-0.5)) as rspamd:
        verdict = await ask_rspamd(f"http://127.0.0.1:{rspamd.port}", shown := letter())

    assert (verdict.filter, verdict.score, verdict.limit, verdict.is_spam) == ("rspamd", 3.5, 15.0, False)
    assert [one.name for one in verdict.rules] == ["R_BAD", "R_GOOD"]
    assert rspamd.heads[0].startswith(b"POST /checkv2 HTTP/1.1\r\n")
    assert b"From: return+1@lists.example.org\r\nRcpt: rosa@example.org\r\n" in rspamd.heads[0]
    assert rspamd.letters == [shown.content]


@pytest.mark.parametrize(
    "answer", [None, b"", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"SPAMD/1.1 76 no"]
)
async def test_a_filter_that_does_not_answer_so_is_an_error_with_its_name(answer: bytes | None) -> None:
    async with fake_spamd(answer) as spamd, fake_rspamd(answer) as rspamd:
        with pytest.raises(FetchFailed, match="SpamAssassin at 127"):
            await ask_spamassassin("127.0.0.1", spamd.port, letter(), timeout_s=0.3)
        with pytest.raises(FetchFailed, match="rspamd at http://127"):
            await ask_rspamd(f"http://127.0.0.1:{rspamd.port}", letter(), timeout_s=0.3)


async def test_a_filter_that_does_not_run_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FetchFailed, match="cannot be reached"):
        await ask_spamassassin("127.0.0.1", port, letter())
    with pytest.raises(FetchFailed, match="cannot be reached"):
        await ask_rspamd(f"http://127.0.0.1:{port}", letter())


_TWO = st.tuples(st.binary(max_size=20), st.binary(max_size=80))


@given(octets=st.binary(max_size=200) | st.builds(b"SPAMD/1.1 0 EX_OK\r\nSpam: %b\r\n\r\n%b".__mod__, _TWO))
def test_no_answer_of_a_filter_breaks_us(octets: bytes) -> None:
    for parse in (parse_spamd_answer, parse_rspamd_answer):
        try:
            parse(octets, "it")
        except FetchFailed:
            continue


@pytest.mark.slow
async def test_the_real_spamassassin_tells_a_fair_letter_from_a_foul_one(tmp_path: Path) -> None:
    async with running_spamd(tmp_path, children=1) as port:
        fair = await ask_spamassassin("127.0.0.1", port, letter())
        foul = await ask_spamassassin("127.0.0.1", port, letter(b"Dear Friend, buy VIAGRA now!!!\r\n"))

    assert fair.score < 2 < foul.score
    assert "DEAR_FRIEND" in {one.name for one in foul.rules if one.points > 0.5}
    assert not [one for one in fair.rules if one.name == "DEAR_FRIEND"]
