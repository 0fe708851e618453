"""Editions sent alone in any order, while people join and change their language: one letter at most for each."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from mailer.actions.campaigns.edition_audience import AudienceChoice
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.report import audience_size, campaign_status
from mailer.actions.campaigns.rest import rest
from mailer.actions.campaigns.review import review
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App
from mailer.domain.delivery import DeliveryState
from mailer.domain.letters.edition_choice import choose_edition
from mailer.errors import WrongState
from tests.support.app_helpers import ADMIN, Clock, import_rows, make_app, open_list, parse_letter, send_campaigns
from tests.support.fake_relay import FakeRelay

R = TypeVar("R")
LANGUAGES = st.sampled_from(["", "en", "de", "de-at", "pt", "pt-br", "ku", "tr"])
EDITIONS = ["en", "de", "pt", "tr"]
OF_LIST = "de"


class ReadersAndEditions(RuleBasedStateMachine):
    """One appeal in four languages, of which some go first; the model says who should have got which."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.mkdtemp()
        database = shutil.copy(self.template, Path(self.folder) / "mailer.db")
        self.relay = FakeRelay()
        self.run(self.relay.__aenter__())
        self.app: App = make_app(f"sqlite:///{database}", Clock(), self.relay.port)
        self.languages: dict[str, str] = {}
        """Of each reader, by address."""
        self.expected: dict[str, str] = {}
        """The edition of each reader who was written to."""
        self.campaign = 0
        self.left: set[str] = set(EDITIONS)
        """The editions that were not sent."""

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """The result of a coroutine."""
        return self.loop.run_until_complete(work)

    @initialize(readers=st.lists(LANGUAGES, max_size=6))
    def begin(self, readers: list[str]) -> None:
        self.run(open_list(self.app, language=OF_LIST))
        texts = {f"{tag}.md": f"---\nsubject: Come ({tag})\nlanguage: {tag}\n---\n\nSeeds.\n" for tag in EDITIONS}
        self.campaign = self.run(new_campaign(self.app, ADMIN, list_name="appeals", texts=texts))
        for language in readers:
            self.join(language)

    @rule(language=LANGUAGES)
    def join(self, language: str) -> None:
        address = f"reader{len(self.languages)}@example.org"
        self.run(import_rows(self.app, f"{address},,{language}"))
        self.languages[address] = language

    @precondition(lambda self: self.languages)
    @rule(data=st.data(), language=LANGUAGES.filter(bool))
    def change_language(self, data: st.DataObject, language: str) -> None:
        address = data.draw(st.sampled_from(sorted(self.languages)))
        self.run(import_rows(self.app, f"{address},,{language}"))
        self.languages[address] = language

    @precondition(lambda self: self.left)
    @rule(data=st.data())
    def send_some(self, data: st.DataObject) -> None:
        """Send some of the editions that are left, then make the draft of the others."""
        sent = data.draw(st.lists(st.sampled_from(sorted(self.left)), min_size=1, unique=True))
        theirs = {
            address: choose_edition(language, EDITIONS, OF_LIST).language
            for address, language in self.languages.items()
            if address not in self.expected
        }
        readers = {address: tag for address, tag in theirs.items() if tag in sent}
        counted = self.run(review(self.app, ADMIN, self.campaign))
        expected_numbers = Counter(theirs.values())
        assert {one.language: one.readers for one in counted.editions} == {
            tag: expected_numbers[tag] for tag in EDITIONS
        }

        self.run(send_now(self.app, ADMIN, self.campaign, wait_s=0, audience=AudienceChoice(languages=sent)))
        assert self.run(audience_size(self.app, ADMIN, self.campaign)) == len(readers)
        self.run(launch_due(self.app))
        self.run(send_campaigns(self.app))

        status = self.run(campaign_status(self.app, ADMIN, self.campaign))
        assert status.counts == ({DeliveryState.ACCEPTED: len(readers)} if readers else {})
        assert status.campaign.audience == len(readers)
        self.expected |= readers
        self.left -= set(sent)
        if self.left:
            self.campaign = self.run(rest(self.app, ADMIN, self.campaign))
        else:
            with pytest.raises(WrongState):
                self.run(rest(self.app, ADMIN, self.campaign))

    @invariant()
    def each_reader_has_the_letter_that_is_expected(self) -> None:
        got = [(one.recipient, str(parse_letter(one)["Subject"])[6:-1]) for one in self.relay.letters]
        assert sorted(got) == sorted(self.expected.items())

    def teardown(self) -> None:
        self.run(self.app.close())
        self.run(self.relay.__aexit__(None, None, None))
        self.loop.close()
        shutil.rmtree(self.folder)


@pytest.mark.parametrize(("examples", "steps"), [pytest.param(6, 8), pytest.param(40, 20, marks=pytest.mark.slow)])
def test_nobody_gets_two_editions_or_another_than_theirs(sqlite_template: Path, examples: int, steps: int) -> None:
    ReadersAndEditions.template = sqlite_template

    run_machine(  # type: ignore[no-untyped-call]
        ReadersAndEditions,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
