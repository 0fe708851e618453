"""Histories of signing in: letters asked for, links looked at and used, codes typed, in several browsers, in time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from mailer.actions.accounts.ask_sign_in import ask_sign_in, queue_sign_in_letter
from mailer.actions.accounts.organisers import give_role
from mailer.actions.accounts.sessions import list_sessions
from mailer.actions.accounts.sign_in import check_link, sign_in_by_code, sign_in_by_link
from mailer.app import App
from mailer.domain.accounts.role import Role
from mailer.domain.accounts.sign_in import LETTER_LIFETIME, MOST_TRIES, letter_secrets
from mailer.domain.address import parse_address
from mailer.errors import MailerError, SignInRefused, SignInSpent, WrongBrowser
from mailer.store.accounts.organiser_tables import organiser, sign_in
from mailer.store.people_tables import tally
from tests.support.app_helpers import ADA, ADMIN, MALLORY, THOROUGH, Clock, make_app

BROWSERS = ("desk", "phone", "mallory's")
OWN = "the one that asked"
STEPS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(("desk", *BROWSERS)), st.sampled_from([ADA, ADA, MALLORY])),
    st.tuples(
        st.sampled_from(["look", "link", "code", "code"]), st.sampled_from([OWN, OWN, *BROWSERS]), st.integers(1, 3)
    ),
    st.tuples(st.just("guess"), st.sampled_from(("desk", *BROWSERS)), st.sampled_from([1, MOST_TRIES - 1, MOST_TRIES])),
    st.tuples(st.just("wait"), st.none(), st.sampled_from([1, 8, 14, 15])),
)
"""What is done, in which browser, and to whose address, with which of the last letters, how often, how many minutes."""
NOBODYS_CODE = "BBBB-BBBB"


@dataclass
class Letter:
    """What was asked for, as it is meant; `is_adas` if it was sent."""

    browser: str
    is_adas: bool
    link_word: str
    code: str
    at: datetime
    tries: int = 0
    used: bool = False

    def is_good(self, now: datetime) -> bool:
        return self.is_adas and not self.used and now < self.at + LETTER_LIFETIME


class History:
    """Ada at her desk and with her phone, and Mallory, who asks for letters to herself and to Ada."""

    def __init__(self, app: App, clock: Clock, runner: asyncio.Runner) -> None:
        self.clock, self.runner = clock, runner
        self.octets = b""
        self.app = replace(app, secret_octets=self.give_octets)
        self.cookies = dict.fromkeys(BROWSERS, "")
        self.letters: list[Letter] = []
        self.sessions = 0
        self.run(self.app.database.write(lambda tx: [tx.execute(delete(one)) for one in (sign_in, tally, organiser)]))
        self.run(give_role(self.app, ADMIN, ADA, Role.OWNER))

    def give_octets(self, number: int) -> bytes:
        self.octets = secrets.token_bytes(number)
        return self.octets

    def run(self, action: Coroutine[Any, Any, Any]) -> Any:
        """What the action returns, or the error it raises."""

        async def attempt() -> Any:
            try:
                return await action
            except MailerError as error:
                return error

        return self.runner.run(attempt())

    def do(self, what: str, browser: str | None, with_what: Any) -> None:
        """One step; a letter is looked at only where there is one."""
        if what == "wait":
            self.clock.now += timedelta(minutes=with_what)
        elif what == "ask":
            self.ask(str(browser), with_what)
        elif what == "guess":
            for _ in range(with_what):
                self.type_code(NOBODYS_CODE, str(browser))
        elif len(self.letters) >= with_what:
            letter = self.letters[-with_what]
            self.try_letter(what, letter, letter.browser if browser == OWN else str(browser))
        assert len(self.run(list_sessions(self.app, ADMIN))) == self.sessions

    def ask(self, browser: str, address: str) -> None:
        """Ask for a letter, on a day without limits."""
        self.run(self.app.database.write(lambda tx: tx.execute(delete(tally))))
        asking = ask_sign_in(
            self.app, parse_address(address), browser=self.cookies[browser], source=None, next_path=None
        )
        request = self.run(asking)
        assert self.cookies[browser] in {"", request.browser}
        self.cookies[browser] = request.browser
        assert self.run(queue_sign_in_letter(self.app, request)) is (address == ADA)
        letter_says = letter_secrets(self.app.site.keyring, self.octets.hex())
        self.letters.append(Letter(browser, address == ADA, letter_says.link_word, letter_says.code, self.clock()))

    def try_letter(self, what: str, letter: Letter, browser: str) -> None:
        """Look at a letter's link, use it, or type the letter's code."""
        cookie = self.cookies[browser]
        if what == "look":
            self.expect_of_link(letter, browser, self.run(check_link(self.app, letter.link_word, cookie)))
        elif what == "code":
            self.type_code(letter.code, browser)
        else:
            result = self.run(sign_in_by_link(self.app, letter.link_word, cookie, device="x"))
            if self.expect_of_link(letter, browser, result):
                self.let_in(browser)

    def type_code(self, code: str, browser: str) -> None:
        """Type a code; it lets in if it is a letter's of this browser, in time and not too often."""
        result = self.run(sign_in_by_code(self.app, code, self.cookies[browser], device="x", source=None))
        tried = [
            one
            for one in self.letters
            if one.browser == browser and not one.used and self.clock() < one.at + LETTER_LIFETIME
            if one.tries < MOST_TRIES
        ]
        for one in tried:
            one.tries += 1
        if any(one.is_adas and one.code == code for one in tried):
            assert result.session.organiser.address == ADA
            self.let_in(browser)
        else:
            assert isinstance(result, SignInRefused)

    def expect_of_link(self, letter: Letter, browser: str, result: Any) -> bool:
        """Whether the link lets this browser in; the result must say so."""
        if not letter.is_good(self.clock()):
            assert isinstance(result, SignInSpent)
            return False
        if letter.browser != browser:
            assert isinstance(result, WrongBrowser)
            return False
        assert not isinstance(result, MailerError)
        return True

    def let_in(self, browser: str) -> None:
        self.sessions += 1
        for one in self.letters:
            one.used = one.used or (one.browser == browser and self.clock() < one.at + LETTER_LIFETIME)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_letter_lets_in_once_in_time_and_in_its_browser_whatever_happens(database_url: str, clock: Clock) -> None:
    app = make_app(database_url, clock, 9)
    with asyncio.Runner() as runner:

        @settings(max_examples=2000 if THOROUGH else 60, database=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(STEPS, min_size=8, max_size=30))
        def live(steps: list[tuple[str, str | None, Any]]) -> None:
            history = History(app, clock, runner)
            for step in steps:
                history.do(*step)

        live()
        runner.run(app.close())
